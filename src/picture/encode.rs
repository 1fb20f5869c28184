//! Encoding of a picture that is ready to be stored, within a bound of bytes.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageFormat};

use super::kind::Ending;
use super::render::Unusable;
use super::{MAX_STORED_BYTES, shrink};

/// The qualities of a stored JPEG, of 100. With the first one, nearly every pixel of a photograph is within 8 of 255 of what it
/// was; only noise needs another one.
const QUALITIES: [u8; 5] = [92, 85, 70, 50, 30];

/// The most bytes of a PNG that harder compression can bring down to [`MAX_STORED_BYTES`]: it saves a third at best.
const COMPRESSIBLE: usize = MAX_STORED_BYTES * 3 / 2;

/// Encodes a picture: as PNG if it has transparency, otherwise as JPEG; or, if `is_exact`, as the smaller of both, which is PNG
/// for drawings and screenshots: their edges suffer in a JPEG. Portraits, drawings and screenshots fit
/// [`MAX_STORED_BYTES`] as they are. One that does not is stored with less quality or, if it has transparency, compressed
/// harder; and if that is not enough, smaller. It keeps its transparency and its proportions in each case.
pub(super) fn encode(image: &DynamicImage, is_exact: bool) -> Result<(Ending, Vec<u8>), Unusable> {
    let is_opaque = image.as_rgba8().is_none_or(|image| image.pixels().all(|pixel| pixel.0[3] == u8::MAX));
    let mut smaller = None;
    loop {
        let image = smaller.as_ref().unwrap_or(image);
        let (ending, file) = if is_opaque { opaque(image, is_exact)? } else { (Ending::Png, png(image)?) };
        if file.len() <= MAX_STORED_BYTES {
            return Ok((ending, file));
        }
        let side = side_for(image.width().max(image.height()), file.len());
        smaller = Some(shrink::shrink(image.clone(), side).into());
    }
}

/// Returns the longest side with which a picture should fit that has `length` bytes with this one: bytes grow with the area.
/// It is always smaller, and a picture of one pixel fits.
fn side_for(longest: u32, length: usize) -> u32 {
    let scale = (MAX_STORED_BYTES as f64 / length as f64).sqrt() * 0.97;
    ((f64::from(longest) * scale) as u32).clamp(1, longest.saturating_sub(1).max(1))
}

fn opaque(image: &DynamicImage, is_exact: bool) -> Result<(Ending, Vec<u8>), Unusable> {
    let jpeg = jpeg(image)?;
    if is_exact {
        let png = fast_png(&image.to_rgb8().into())?;
        if png.len() <= jpeg.len() {
            return Ok((Ending::Png, png));
        }
    }
    Ok((Ending::Jpg, jpeg))
}

/// Returns the file of the best quality that fits, or of the lowest one.
fn jpeg(image: &DynamicImage) -> Result<Vec<u8>, Unusable> {
    let image = image.to_rgb8();
    let mut file = Vec::new();
    for quality in QUALITIES {
        file.clear();
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality)).map_err(Unusable::because)?;
        if file.len() <= MAX_STORED_BYTES {
            break;
        }
    }
    Ok(file)
}

/// Returns the file as it is compressed fast if it fits, and otherwise the smaller one if that may fit.
fn png(image: &DynamicImage) -> Result<Vec<u8>, Unusable> {
    let mut file = fast_png(image)?;
    if (MAX_STORED_BYTES + 1..=COMPRESSIBLE).contains(&file.len()) {
        file.clear();
        let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::Adaptive);
        image.write_with_encoder(encoder).map_err(Unusable::because)?;
    }
    Ok(file)
}

fn fast_png(image: &DynamicImage) -> Result<Vec<u8>, Unusable> {
    let mut file = Vec::new();
    image.write_to(&mut Cursor::new(&mut file), ImageFormat::Png).map_err(Unusable::because)?;
    Ok(file)
}

//! JPEG: uses the decoder directly, because its memory use depends on more than the `image` library exposes.

use std::borrow::Cow;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::render::{Opened, Unusable};

/// The most scans of a progressive picture: each one passes over the whole picture, however few bytes it has.
const MAX_SCANS: usize = 64;

/// Bytes of a coefficient; a progressive picture keeps one for each pixel and component.
const COEFFICIENT: u64 = 2;

/// The end marker (ITU-T T.81, B.1.1.3).
const END: [u8; 2] = [0xff, END_OF_IMAGE];
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Reads the header. Some programs leave out the end marker; a picture whose scans are complete is whole without it.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, Unusable> {
    let is_ended = match end(bytes) {
        End::Marked => true,
        End::InScan => false,
        End::Early => return Err(Unusable("the JPEG ends before its pixels".to_owned())),
    };
    let file = if is_ended { Cow::Borrowed(bytes) } else { Cow::Owned([bytes, &END].concat()) };
    let options = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    // The decoder fills what is missing with grey, unless it is strict.
    let options = options.set_strict_mode(!is_ended).jpeg_set_max_scans(MAX_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(Unusable::because)?;
    let header = decoder.info().ok_or_else(|| Unusable("the JPEG has no header".to_owned()))?;
    let (width, height) = (u32::from(header.width), u32::from(header.height));
    let is_grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let shown = if is_grey { ColorSpace::Luma } else { ColorSpace::RGB };
    let per_pixel = shown.num_components() as u64 + COEFFICIENT * u64::from(header.components);
    let memory = padded(width) * padded(height) * per_pixel;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    decoder.set_options(options.jpeg_set_out_colorspace(shown));
    let decode = move || {
        let pixels = decoder.decode().map_err(Unusable::because)?;
        let image = match is_grey {
            true => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
            false => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        };
        image.ok_or_else(|| Unusable("the JPEG has fewer pixels than it declares".to_owned()))
    };
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Opened { width, height, memory, orientation, decode: Box::new(decode) })
}

/// Coefficients are kept in whole units of at most 32 by 32 pixels (ITU-T T.81, A.2.4).
fn padded(side: u32) -> u64 {
    u64::from(side).next_multiple_of(32)
}

/// Where a file ends.
enum End {
    /// At its end marker, or behind it.
    Marked,
    /// In a scan, or right after one.
    InScan,
    /// Before the first scan.
    Early,
}

/// Returns where a file ends: scans and then the end marker should follow each other (ITU-T T.81, B.1.1 and B.2.1). As
/// lenient as decoders about stray bytes.
fn end(bytes: &[u8]) -> End {
    let (mut at, mut has_scan) = (2, false);
    let unmarked = |has_scan| if has_scan { End::InScan } else { End::Early };
    loop {
        let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0xff)) else {
            return unmarked(has_scan);
        };
        at += found + 1;
        match bytes.get(at) {
            None => return unmarked(has_scan),
            Some(0xff) => {}
            // Data that resembles a marker, and markers without a length.
            Some(0x00 | 0x01 | 0xd0..=0xd7) => at += 1,
            Some(&END_OF_IMAGE) if has_scan => return End::Marked,
            Some(&END_OF_IMAGE) => return End::Early,
            Some(marker) => {
                has_scan |= *marker == START_OF_SCAN;
                let length = bytes.get(at + 1..at + 3).map_or(0, |length| u16::from_be_bytes([length[0], length[1]]));
                at += 1 + usize::from(length).max(2);
            }
        }
    }
}

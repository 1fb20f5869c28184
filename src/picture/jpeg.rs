//! JPEG: uses the decoder directly, because its memory use depends on more than the `image` library exposes.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg_end::{self, End};
use super::render::{Opened, Unusable};

/// The most scans of a progressive picture: each one passes over the whole picture, however few bytes it has.
const MAX_SCANS: usize = 64;

/// Bytes of a coefficient; a progressive picture keeps one for each pixel and component.
const COEFFICIENT: u64 = 2;

/// Reads the header. A file without its end marker is taken if its scans are whole.
pub(super) fn open(bytes: &[u8]) -> Result<Opened<'_>, Unusable> {
    match jpeg_end::end(bytes) {
        End::Marked => open_marked(Cow::Borrowed(bytes), false),
        End::InLastScan => open_unmarked(bytes),
        End::Early => Err(cut()),
    }
}

/// Opens a file that ends in its last scan: it is whole if its pixels do not depend on bits that follow.
fn open_unmarked(bytes: &[u8]) -> Result<Opened<'static>, Unusable> {
    let [first, second] = jpeg_end::continued(bytes);
    let opened = open_marked(Cow::Owned(first), true)?;
    let decode = move || {
        // The pixels are not kept: both pictures at once take twice the memory.
        let pixels = |image: &DynamicImage| digest(&SHA256, image.as_bytes());
        let expected = pixels(&(opened.decode)()?);
        let image = (open_marked(Cow::Owned(second), true)?.decode)()?;
        if pixels(&image).as_ref() == expected.as_ref() { Ok(image) } else { Err(cut()) }
    };
    Ok(Opened { decode: Box::new(decode), ..opened })
}

fn cut() -> Unusable {
    Unusable("the JPEG ends before its pixels".to_owned())
}

/// Reads the header of a file with an end marker; `is_strict` if nothing may be missing before it, where the decoder would
/// otherwise show grey.
fn open_marked(file: Cow<'_, [u8]>, is_strict: bool) -> Result<Opened<'_>, Unusable> {
    let options = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let options = options.set_strict_mode(is_strict).jpeg_set_max_scans(MAX_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(Unusable::because)?;
    let header = decoder.info().ok_or_else(|| Unusable("the JPEG has no header".to_owned()))?;
    let (width, height) = (u32::from(header.width), u32::from(header.height));
    let is_grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let shown = if is_grey { ColorSpace::Luma } else { ColorSpace::RGB };
    let per_pixel = shown.num_components() as u64 + COEFFICIENT * u64::from(header.components);
    let memory = padded(width) * padded(height) * per_pixel;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let has_inks = matches!(decoder.input_colorspace(), Some(ColorSpace::CMYK | ColorSpace::YCCK));
    let icc = decoder.icc_profile().filter(|_| !has_inks);
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
    Ok(Opened { width, height, memory, orientation, icc, is_grey, decode: Box::new(decode) })
}

/// Coefficients are kept in whole units of at most 32 by 32 pixels (ITU-T T.81, A.2.4).
fn padded(side: u32) -> u64 {
    u64::from(side).next_multiple_of(32)
}

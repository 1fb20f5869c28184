//! Rendering of the uploaded bytes to the picture that is stored. Every step is bounded: the size is known before
//! memory is allocated for the pixels, and only the first frame of an animation is decoded.

use std::fmt;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::kind::{Ending, Kind};
use super::{MAX_SIDE, encode, jpeg, shrink, webp};

/// The most pixels of a picture: 4096 by 4096.
const MAX_PIXELS: u64 = 1 << 24;

/// The most memory for decoding one picture, or several at once, in bytes: what a WebP of 4000 by 3000 pixels with an
/// alpha channel needs.
pub(super) const MAX_MEMORY: u64 = 126 * MEBIBYTE;

/// Bytes for rows, colour profiles and other data that a decoder keeps besides the pixels.
const ASIDE: u64 = 4 * MEBIBYTE;

pub(super) const MEBIBYTE: u64 = 1024 * 1024;

/// Why a picture cannot be used: for the log, so it must contain nothing of the picture.
#[derive(Debug)]
pub(super) struct Unusable(pub(super) String);

impl Unusable {
    pub(super) fn because(error: impl fmt::Display) -> Unusable {
        Unusable(error.to_string())
    }
}

/// A picture of which only the header was read.
pub(super) struct Opened<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    /// The most bytes that decoding takes.
    pub(super) memory: u64,
    /// How it must be turned to be upright.
    pub(super) orientation: Orientation,
    /// Decodes it.
    pub(super) decode: Box<dyn FnOnce() -> Result<DynamicImage, Unusable> + 'a>,
}

/// Decodes a picture, shrinks it, turns it upright and encodes it again, without any data but the pixels. `reserve`
/// waits until that much memory is available, and holds it.
pub(super) fn render<Held>(bytes: &[u8], reserve: impl FnOnce(u64) -> Held) -> Result<(Ending, Vec<u8>), Unusable> {
    let kind = Kind::of(bytes).ok_or_else(|| Unusable::because("the bytes are no picture of a known kind"))?;
    let frame;
    let opened = match kind {
        Kind::Jpeg => jpeg::open(bytes)?,
        Kind::WebP => {
            frame = webp::first_frame(bytes)?;
            let opened = open(ImageFormat::WebP, &frame.file, |_| frame.per_pixel)?;
            Opened { orientation: frame.orientation, ..opened }
        }
        Kind::Png => open(ImageFormat::Png, bytes, |pixel| pixel)?,
        // A frame that does not fill the screen is composed separately, from its indexes.
        Kind::Gif => open(ImageFormat::Gif, bytes, |pixel| 2 * pixel + 1)?,
    };
    let memory = opened.memory.saturating_add(ASIDE);
    let pixels = u64::from(opened.width) * u64::from(opened.height);
    if pixels > MAX_PIXELS || opened.memory > MAX_MEMORY {
        return Err(Unusable(format!("{} by {} pixels are too many", opened.width, opened.height)));
    }
    let small = {
        let _held = reserve(memory.min(MAX_MEMORY));
        shrink::shrink((opened.decode)()?, MAX_SIDE)
    };
    let mut image = DynamicImage::from(small);
    image.apply_orientation(opened.orientation);
    encode::encode(&image)
}

/// Reads the header of formats that need no special care; `per_pixel` maps the bytes of a decoded pixel to those that
/// decoding takes.
fn open(format: ImageFormat, file: &[u8], per_pixel: impl FnOnce(u64) -> u64) -> Result<Opened<'_>, Unusable> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits(ASIDE));
    let mut decoder = reader.into_decoder().map_err(Unusable::because)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let memory = pixels.saturating_mul(per_pixel(u64::from(decoder.color_type().bytes_per_pixel())));
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decode = move || {
        decoder.set_limits(limits(memory.saturating_sub(decoder.total_bytes()))).map_err(Unusable::because)?;
        DynamicImage::from_decoder(decoder).map_err(Unusable::because)
    };
    Ok(Opened { width, height, memory, orientation, decode: Box::new(decode) })
}

fn limits(memory: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(memory);
    limits
}

#[cfg(test)]
#[path = "render_tests/mod.rs"]
mod tests;

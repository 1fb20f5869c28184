//! Rendering of the uploaded bytes to the picture that is stored. Every step is bounded: the size is known before
//! memory is allocated for the pixels, and only some frames of an animation are decoded.

use std::cell::OnceCell;
use std::fmt;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::colour::{self, Profile};
use super::frames::{Animation, Frame, FrameSize};
use super::kind::{Ending, Kind};
use super::{MAX_SIDE, encode, gif, jpeg, png, shrink, webp};

/// The most pixels of a picture: 4096 by 4096.
pub(super) const MAX_PIXELS: u64 = 1 << 24;

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
    /// Its ICC profile, as it is in the file.
    pub(super) icc: Option<Vec<u8>>,
    /// Whether it has shades of grey alone.
    pub(super) is_grey: bool,
    /// Decodes it.
    pub(super) decode: Box<dyn FnOnce() -> Result<DynamicImage, Unusable> + 'a>,
}

/// Decodes a picture, shrinks it, converts its colours to sRGB, turns it upright and encodes it again, without any data but
/// the pixels. `reserve` waits until that much memory is available, and holds it.
pub(super) fn render<Held>(bytes: &[u8], reserve: impl FnOnce(u64) -> Held) -> Result<(Ending, Vec<u8>), Unusable> {
    let kind = Kind::of(bytes).ok_or_else(|| Unusable::because("the bytes are no picture of a known kind"))?;
    let chunks = OnceCell::new();
    let still;
    let mut opened = match kind {
        Kind::Jpeg => jpeg::open(bytes)?,
        Kind::WebP => {
            let webp::Picture { content, icc } = webp::read(bytes)?;
            let opened = match content {
                webp::Content::Animated(animation) => animation.open(),
                webp::Content::Still(bitstream) => {
                    still = bitstream;
                    open(ImageFormat::WebP, &still.file, |_| still.per_pixel)?
                }
            };
            Opened { icc, ..opened }
        }
        Kind::Png => {
            let chunks = chunks.get_or_init(|| png::Chunks::read(bytes));
            let opened = open(ImageFormat::Png, &chunks.file, |pixel| pixel)?;
            opened.animated(ImageFormat::Png, |size| chunks.frames(size))
        }
        // A frame that does not fill the screen is composed separately, from its indexes. Browsers know no profiles here.
        Kind::Gif => {
            let opened = open(ImageFormat::Gif, bytes, |pixel| 2 * pixel + 1)?;
            Opened { icc: None, ..opened.animated(ImageFormat::Gif, |size| Some(gif::frames(bytes, size))) }
        }
    };
    let icc = opened.icc.take();
    let memory = opened.memory.saturating_add(ASIDE).max(if icc.is_some() { colour::MEMORY } else { 0 });
    let pixels = u64::from(opened.width) * u64::from(opened.height);
    if pixels > MAX_PIXELS || opened.memory > MAX_MEMORY {
        return Err(Unusable(format!("{} by {} pixels are too many", opened.width, opened.height)));
    }
    let small = {
        let _held = reserve(memory.min(MAX_MEMORY));
        let mut small = shrink::shrink((opened.decode)()?, MAX_SIDE);
        // After it was shrunk, so that the cost does not depend on its size.
        let profile = match chunks.get() {
            Some(chunks) => chunks.profile(icc, opened.is_grey),
            None => icc.and_then(|icc| Profile::of_icc(icc, opened.is_grey)),
        };
        if let Some(profile) = profile {
            profile.convert(&mut small);
        }
        small
    };
    let mut image = DynamicImage::from(small);
    image.apply_orientation(opened.orientation);
    // A JPEG has no exact edges to keep.
    encode::encode(&image, kind != Kind::Jpeg)
}

impl<'a> Opened<'a> {
    /// Decodes the frames instead, if there are several or the picture is none of them. Like browsers, shows the picture as it
    /// is if its frames cannot be read.
    fn animated<I>(self, format: ImageFormat, frames: impl FnOnce(FrameSize) -> Option<I>) -> Opened<'a>
    where
        I: Iterator<Item = Result<Frame, Unusable>>,
    {
        let canvas = (self.width, self.height);
        let pixels = u64::from(self.width) * u64::from(self.height);
        let size = FrameSize { canvas, per_pixel: self.memory / pixels.max(1) };
        match frames(size).map(|frames| Animation::of(format, canvas, frames)) {
            Some(Ok(animation)) if !animation.is_empty() => {
                Opened { orientation: self.orientation, icc: self.icc, is_grey: self.is_grey, ..animation.open() }
            }
            _ => self,
        }
    }
}

/// Reads the header of formats that need no special care; `per_pixel` maps the bytes of a decoded pixel to those that
/// decoding takes.
pub(super) fn open(
    format: ImageFormat,
    file: &[u8],
    per_pixel: impl FnOnce(u64) -> u64,
) -> Result<Opened<'_>, Unusable> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits(ASIDE));
    let mut decoder = reader.into_decoder().map_err(Unusable::because)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let memory = pixels.saturating_mul(per_pixel(u64::from(decoder.color_type().bytes_per_pixel())));
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let icc = decoder.icc_profile().ok().flatten();
    let is_grey = !decoder.color_type().has_color();
    let decode = move || {
        decoder.set_limits(limits(memory.saturating_sub(decoder.total_bytes()))).map_err(Unusable::because)?;
        DynamicImage::from_decoder(decoder).map_err(Unusable::because)
    };
    Ok(Opened { width, height, memory, orientation, icc, is_grey, decode: Box::new(decode) })
}

fn limits(memory: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(memory);
    limits
}

#[cfg(test)]
#[path = "render_tests/mod.rs"]
mod tests;

//! The frames of animated pictures. The picture that is stored is the first frame that shows something, on its canvas: what
//! is before it is transparent, so that it covers nothing and no earlier frame is needed.

use image::imageops::replace;
use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, RgbaImage};

use super::render::{MAX_PIXELS, Opened, Unusable, open};

/// The most frames that are looked at.
const MAX_FRAMES: usize = 64;

/// Bytes of a pixel of the canvas.
const CANVAS: u64 = 4;

/// The size of the canvas, and the most bytes per pixel that decoding a frame takes.
#[derive(Clone, Copy)]
pub(super) struct FrameSize {
    pub(super) canvas: (u32, u32),
    pub(super) per_pixel: u64,
}

/// One frame of an animation, as a file of its own.
pub(super) struct Frame {
    pub(super) file: Vec<u8>,
    /// Its place on the canvas, from the left and from the top.
    pub(super) place: (u32, u32),
    pub(super) size: (u32, u32),
    /// The most bytes per pixel that decoding takes.
    pub(super) per_pixel: u64,
}

/// An animation whose frames are not decoded yet.
pub(super) struct Animation {
    format: ImageFormat,
    canvas: (u32, u32),
    frames: Vec<Frame>,
}

impl Animation {
    /// Takes the first frames, as many as may be looked at: together they have at most the pixels of the largest picture,
    /// so that they cost no more time. A frame outside of the canvas is an error.
    pub(super) fn of(
        format: ImageFormat,
        canvas: (u32, u32),
        frames: impl Iterator<Item = Result<Frame, Unusable>>,
    ) -> Result<Animation, Unusable> {
        let mut taken = Vec::new();
        let mut pixels = 0;
        for frame in frames.take(MAX_FRAMES) {
            let frame = frame?;
            let is_inside = |place: u32, size: u32, canvas: u32| {
                size > 0 && place.checked_add(size).is_some_and(|end| end <= canvas)
            };
            if !is_inside(frame.place.0, frame.size.0, canvas.0) || !is_inside(frame.place.1, frame.size.1, canvas.1) {
                return Err(Unusable::because("a frame is not inside of its canvas"));
            }
            pixels = u64::saturating_add(pixels, u64::from(frame.size.0) * u64::from(frame.size.1));
            if pixels > MAX_PIXELS && !taken.is_empty() {
                break;
            }
            let opened = open(format, &frame.file, |_| frame.per_pixel)?;
            if (opened.width, opened.height) != frame.size {
                return Err(Unusable::because("a frame has another size than it declares"));
            }
            drop(opened);
            taken.push(frame);
        }
        Ok(Animation { format, canvas, frames: taken })
    }

    /// Whether no frame was found.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Returns the picture that its first frame that shows something is.
    pub(super) fn open(self) -> Opened<'static> {
        Opened {
            width: self.canvas.0,
            height: self.canvas.1,
            memory: self.memory(),
            orientation: Orientation::NoTransforms,
            icc: None,
            is_grey: false,
            decode: Box::new(|| self.first_shown()),
        }
    }

    /// The most bytes that decoding takes.
    fn memory(&self) -> u64 {
        let of_canvas = (u64::from(self.canvas.0) * u64::from(self.canvas.1)).saturating_mul(CANVAS);
        let of_frame = |frame: &Frame| {
            let pixels = u64::from(frame.size.0) * u64::from(frame.size.1);
            let decoded = pixels.saturating_mul(frame.per_pixel);
            if frame.size == self.canvas {
                decoded
            } else {
                decoded.max(pixels.saturating_mul(CANVAS + 4)).saturating_add(of_canvas)
            }
        };
        self.frames.iter().map(of_frame).fold(of_canvas, u64::max)
    }

    /// Returns the first frame that is not transparent, on its canvas; a transparent picture if there is none.
    fn first_shown(self) -> Result<DynamicImage, Unusable> {
        for frame in &self.frames {
            let image = (open(self.format, &frame.file, |_| frame.per_pixel)?.decode)()?;
            if !shows_something(&image) {
                continue;
            }
            if frame.size == self.canvas {
                return Ok(image);
            }
            let image = image.into_rgba8();
            let mut canvas = RgbaImage::new(self.canvas.0, self.canvas.1);
            replace(&mut canvas, &image, i64::from(frame.place.0), i64::from(frame.place.1));
            return Ok(canvas.into());
        }
        Ok(RgbaImage::new(self.canvas.0, self.canvas.1).into())
    }
}

fn shows_something(image: &DynamicImage) -> bool {
    match image {
        DynamicImage::ImageRgba8(image) => image.pixels().any(|pixel| pixel.0[3] != 0),
        DynamicImage::ImageRgba16(image) => image.pixels().any(|pixel| pixel.0[3] != 0),
        DynamicImage::ImageLumaA8(image) => image.pixels().any(|pixel| pixel.0[1] != 0),
        DynamicImage::ImageLumaA16(image) => image.pixels().any(|pixel| pixel.0[1] != 0),
        _ => true,
    }
}

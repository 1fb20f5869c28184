//! Scaling a picture down.

use image::imageops::{FilterType, resize};
use image::{DynamicImage, GenericImageView, Rgba, RgbaImage};

/// Scales a picture down so that both sides are at most `side`, keeping its proportions; never enlarges it.
///
/// It is first reduced by a whole number, to the mean of each square, which takes no memory for a second large picture,
/// and then resized with a good filter. Colours are weighted by their alpha: otherwise the colour of invisible pixels,
/// often black, would form a rim around visible ones.
pub(super) fn shrink(image: DynamicImage, side: u32) -> RgbaImage {
    let longest = image.width().max(image.height());
    if longest <= side {
        let mut image = image.to_rgba8();
        hide_invisible(&mut image);
        return image;
    }
    let (width, height) = fit(image.width(), image.height(), side);
    let coarse = reduce(&image, longest.div_ceil(2 * side));
    // The filter takes memory of its own.
    drop(image);
    let mut small = resize(&coarse, width, height, FilterType::CatmullRom);
    small.pixels_mut().for_each(undo_weight);
    small
}

/// Clears pixels that are not seen: they may hide a second picture.
pub(super) fn hide_invisible(image: &mut RgbaImage) {
    image.pixels_mut().filter(|pixel| pixel.0[3] == 0).for_each(|pixel| *pixel = Rgba([0; 4]));
}

/// Returns the largest size of these proportions that fits.
fn fit(width: u32, height: u32, max: u32) -> (u32, u32) {
    let longest = width.max(height);
    let scale = |side: u32| {
        let scaled = (u64::from(side) * u64::from(max) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(scaled).unwrap_or(max).max(1)
    };
    (scale(width), scale(height))
}

/// Returns the mean of each square of `side` by `side` pixels, with colours weighted by alpha.
fn reduce(image: &DynamicImage, side: u32) -> RgbaImage {
    let (width, height) = image.dimensions();
    RgbaImage::from_fn(width.div_ceil(side), height.div_ceil(side), |x, y| {
        let (mut sum, mut count) = ([0u64; 4], 0u64);
        for y in y * side..(y * side + side).min(height) {
            for x in x * side..(x * side + side).min(width) {
                let Rgba([r, g, b, a]) = image.get_pixel(x, y);
                let alpha = u64::from(a);
                sum[0] += u64::from(r) * alpha;
                sum[1] += u64::from(g) * alpha;
                sum[2] += u64::from(b) * alpha;
                sum[3] += alpha;
                count += 1;
            }
        }
        let [r, g, b, a] = sum;
        Rgba([mean(r, 255 * count), mean(g, 255 * count), mean(b, 255 * count), mean(a, count)])
    })
}

fn undo_weight(pixel: &mut Rgba<u8>) {
    let [r, g, b, a] = pixel.0;
    let colour = |weighted: u8| match a {
        0 => 0,
        a => mean(u64::from(weighted) * 255, u64::from(a)),
    };
    *pixel = Rgba([colour(r), colour(g), colour(b), a]);
}

/// Divides, rounding to the nearest.
fn mean(sum: u64, count: u64) -> u8 {
    u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::MAX_SIDE;
    use super::*;

    fn sizes(width: u32, height: u32) -> (u32, u32) {
        shrink(DynamicImage::new_rgb8(width, height), MAX_SIDE).dimensions()
    }

    #[test]
    fn proportions_are_kept() {
        assert_eq!(sizes(4000, 3000), (512, 384));
        assert_eq!(sizes(600, 1200), (256, 512));
        assert_eq!(sizes(513, 512), (512, 511));
        assert_eq!(sizes(20_000, 3), (512, 1));
        assert_eq!(sizes(1, 9_999), (1, 512));
    }

    #[test]
    fn a_picture_that_fits_is_not_enlarged() {
        for size in [(1, 1), (512, 512), (512, 1), (100, 300)] {
            assert_eq!(sizes(size.0, size.1), size);
        }
    }

    #[test]
    fn the_colour_of_invisible_pixels_does_not_show() {
        let striped = RgbaImage::from_fn(2048, 2048, |x, _| match (x / 16) % 2 {
            0 => Rgba([255, 0, 0, 255]),
            _ => Rgba([0, 255, 0, 0]),
        });
        let small = shrink(striped.into(), MAX_SIDE);
        assert!(small.pixels().all(|pixel| pixel.0[3] == 0 || pixel.0[1] == 0 && pixel.0[0] > 250));
    }

    #[test]
    fn a_picture_that_fits_keeps_its_pixels() {
        let image = RgbaImage::from_fn(512, 9, |x, y| Rgba([(x / 2) as u8, y as u8, 7, 3]));
        assert_eq!(shrink(image.clone().into(), MAX_SIDE), image);
    }
}

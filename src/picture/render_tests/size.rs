//! The bytes of what is stored.

use super::*;
use crate::picture::{MAX_SIDE, MAX_STORED_BYTES};

/// Numbers without any order, the same in each run (xorshift).
fn noise() -> impl FnMut() -> u8 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    }
}

fn opaque_noise(width: u32, height: u32) -> RgbImage {
    let mut next = noise();
    RgbImage::from_fn(width, height, |_, _| Rgb([next(), next(), next()]))
}

fn clear_noise(width: u32, height: u32) -> RgbaImage {
    let mut next = noise();
    RgbaImage::from_fn(width, height, |_, _| Rgba([next(), next(), next(), next()]))
}

/// Asserts that a picture is stored as this kind, small enough. A small opaque one may be smaller as PNG.
fn assert_small(format: ImageFormat, image: &DynamicImage, ending: Ending) {
    let (stored_as, stored) = render(&file(image.clone(), format), |_| ()).unwrap();
    assert!(stored_as == ending || image.width() < 8, "{format:?} {stored_as:?}");
    assert!(stored.len() <= MAX_STORED_BYTES, "{format:?} {}x{}: {}", image.width(), image.height(), stored.len());
}

#[test]
fn noise_of_every_size_is_stored_in_at_most_256_kib() {
    for (width, height) in [(1, 1), (3, 512), (350, 350), (512, 512), (800, 700)] {
        assert_small(ImageFormat::Png, &opaque_noise(width, height).into(), Ending::Jpg);
        assert_small(ImageFormat::Png, &clear_noise(width, height).into(), Ending::Png);
    }
}

#[test]
fn noise_of_every_kind_is_stored_in_at_most_256_kib() {
    let (opaque, clear) = (DynamicImage::from(opaque_noise(512, 512)), DynamicImage::from(clear_noise(512, 512)));
    let mut next = noise();
    let grey = ImageBuffer::from_fn(512, 512, |_, _| LumaA([next(), next()]));
    let deep = DynamicImage::from(opaque.to_rgb16());
    assert_small(ImageFormat::Png, &grey.into(), Ending::Png);
    assert_small(ImageFormat::Png, &deep, Ending::Jpg);
    assert_small(ImageFormat::Jpeg, &opaque, Ending::Jpg);
    assert_small(ImageFormat::WebP, &opaque, Ending::Jpg);
    assert_small(ImageFormat::WebP, &clear, Ending::Png);
    assert_small(ImageFormat::Gif, &opaque.to_rgba8().into(), Ending::Jpg);
}

#[test]
fn opaque_noise_keeps_its_size_and_transparent_noise_its_transparency_and_proportions() {
    let (_, kept) = rendered(&file(opaque_noise(512, 400), ImageFormat::Png));
    assert_eq!((kept.width(), kept.height()), (512, 400));
    let (ending, kept) = rendered(&file(clear_noise(512, 256), ImageFormat::Png));
    assert_eq!(ending, Ending::Png);
    assert!(kept.width() > 300 && kept.width().abs_diff(2 * kept.height()) <= 1, "{}x{}", kept.width(), kept.height());
    assert!(kept.to_rgba8().pixels().any(|pixel| pixel.0[3] < 128));
}

#[test]
fn a_picture_that_fits_is_stored_in_the_best_quality() {
    // A portrait in the sense of its bytes: smooth, with some grain.
    let mut grain = noise();
    let portrait = RgbImage::from_fn(512, 512, |x, y| {
        let shade = |factor: u32| ((x * factor + y * 2) / 8) as u8 ^ (grain() & 7);
        Rgb([1, 2, 3].map(shade))
    });
    let cut_out = RgbaImage::from_fn(512, 512, |x, y| {
        let Rgb([r, g, b]) = *portrait.get_pixel(x, y);
        let inside = (i64::from(x) - 256).pow(2) + (i64::from(y) - 256).pow(2) < 150 * 150;
        if inside { Rgba([r & 0xf8, g & 0xf8, b & 0xf8, 255]) } else { Rgba([0; 4]) }
    });
    let decoded = DynamicImage::from(portrait);
    let mut best = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut best, 92);
    decoded.to_rgb8().write_with_encoder(encoder).unwrap();
    let (ending, stored) = render(&file(decoded, ImageFormat::Png), |_| ()).unwrap();
    assert!(best.len() <= MAX_STORED_BYTES, "the picture is none that fits: {}", best.len());
    assert!(ending == Ending::Jpg && stored == best);
    let best = file(cut_out.clone(), ImageFormat::Png);
    let (ending, stored) = render(&file(cut_out, ImageFormat::WebP), |_| ()).unwrap();
    assert!(best.len() <= MAX_STORED_BYTES, "the picture is none that fits: {}", best.len());
    assert!(ending == Ending::Png && stored == best);
}

#[test]
fn a_picture_is_never_larger_than_its_side() {
    let (_, kept) = rendered(&file(clear_noise(1024, 40), ImageFormat::Png));
    assert!(kept.width() <= MAX_SIDE);
}

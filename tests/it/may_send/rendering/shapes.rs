//! Kinds, orientations, transparency, edges, and ends that are missing.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::files::{exif, file, jpeg, palette, png, smooth, webp};
use super::{Case, case};

#[path = "../../../../src/picture/render_tests/fixtures.rs"]
mod fixtures;

pub(super) fn cases() -> Vec<Case> {
    [kinds(), orientations(), transparent(), edges(), without_ends()].into_iter().flatten().collect()
}

fn kinds() -> Vec<Case> {
    let picture = || DynamicImage::from(smooth(96, 64));
    let colours: Vec<[u8; 3]> = (0..=255).map(|shade| [shade, 255 - shade, shade / 2]).collect();
    let indexed = palette((96, 64), &colours, &[], |x, y| (x + y) as u8);
    let lossy = |name: &str, media_type, file| Case { is_lossy: true, ..case(name, media_type, file) };
    vec![
        case("png", "image/png", png(picture(), &[])),
        case("png of 512 pixels", "image/png", png(smooth(512, 512), &[])),
        case("png in 16 bits", "image/png", png(picture().to_rgb16(), &[])),
        case("png in 16 bits with alpha", "image/png", png(picture().to_rgba16(), &[])),
        case("png in grey", "image/png", png(picture().to_luma8(), &[])),
        case("png in grey of 16 bits", "image/png", png(picture().to_luma16(), &[])),
        case("png in grey with alpha", "image/png", png(picture().to_luma_alpha8(), &[])),
        case("png with a palette", "image/png", indexed),
        case("jpeg", "image/jpeg", jpeg(picture(), &[])),
        case("jpeg in grey", "image/jpeg", jpeg(picture().to_luma8(), &[])),
        case("jpeg, progressive", "image/jpeg", fixtures::progressive_jpeg()),
        case("jpeg of four inks", "image/jpeg", fixtures::cmyk_jpeg()),
        case("webp", "image/webp", webp(picture(), None, None)),
        lossy("webp, lossy", "image/webp", fixtures::lossy_webp()),
        lossy("webp, lossy and translucent", "image/webp", fixtures::translucent_webp()),
        lossy("webp, lossy and turned", "image/webp", fixtures::turned_webp()),
        lossy("webp, lossy and animated", "image/webp", fixtures::animated_webp()),
        case("gif", "image/gif", file(flag(96, 64), ImageFormat::Gif)),
        case("png under another type", "image/jpeg", png(picture(), &[])),
    ]
}

fn orientations() -> Vec<Case> {
    let mut cases = Vec::new();
    for orientation in 0..=9 {
        let segment = (0xe1, [b"Exif\0\0", exif(orientation).as_slice()].concat());
        let picture = || smooth(80, 48);
        cases.extend([
            case(format!("jpeg, orientation {orientation}"), "image/jpeg", jpeg(picture(), &[segment])),
            case(
                format!("png, orientation {orientation}"),
                "image/png",
                png(picture(), &[(b"eXIf", exif(orientation))]),
            ),
            case(
                format!("webp, orientation {orientation}"),
                "image/webp",
                webp(picture(), Some(exif(orientation)), None),
            ),
        ]);
    }
    cases
}

/// Not transparent in the middle, half transparent above, and not seen below.
pub(super) fn translucent(width: u32, height: u32) -> RgbaImage {
    let picture = smooth(width, height);
    RgbaImage::from_fn(width, height, |x, y| {
        let Rgb([red, green, blue]) = *picture.get_pixel(x, y);
        let alpha = [160, 255, 0][(3 * y / height) as usize];
        Rgba([red, green, blue, alpha])
    })
}

fn transparent() -> Vec<Case> {
    let picture = || DynamicImage::from(translucent(96, 64));
    let colours = [[200, 30, 30], [30, 30, 200], [30, 200, 30]];
    let stripes = palette((60, 40), &colours, &[255, 0, 160], |x, _| (x / 20) as u8);
    let mut cut_out = translucent(60, 60);
    cut_out.pixels_mut().for_each(|pixel| {
        *pixel = if pixel.0[3] == 0 { Rgba([0; 4]) } else { Rgba([200, 30, 30, 255]) };
    });
    vec![
        case("png with alpha", "image/png", png(picture(), &[])),
        case("png with alpha in 16 bits", "image/png", png(picture().to_rgba16(), &[])),
        case("png with alpha in grey", "image/png", png(picture().to_luma_alpha8(), &[])),
        case("png with alpha in a palette", "image/png", stripes),
        case(
            "png with a transparent colour",
            "image/png",
            png(smooth(40, 40), &[(b"tRNS", [0, 0, 0, 0, 0, 167].to_vec())]),
        ),
        case("webp with alpha", "image/webp", webp(picture(), None, None)),
        case("gif with a transparent colour", "image/gif", file(cut_out, ImageFormat::Gif)),
    ]
}

pub(super) fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([30, 30, 200]) } else { Rgb([200, 30, 30]) })
}

fn edges() -> Vec<Case> {
    // Squares of seven pixels cut across the blocks of a JPEG.
    let squares = RgbImage::from_fn(210, 140, |x, y| match (x / 7 + y / 7) % 4 {
        0 => Rgb([250, 250, 250]),
        1 => Rgb([10, 10, 10]),
        2 => Rgb([220, 40, 40]),
        _ => Rgb([40, 60, 200]),
    });
    let disc = RgbImage::from_fn(200, 200, |x, y| {
        let inside = (i64::from(x) - 100).pow(2) + (i64::from(y) - 100).pow(2) < 80 * 80;
        if inside { Rgb([240, 200, 40]) } else { Rgb([20, 40, 90]) }
    });
    vec![
        case("png with an edge", "image/png", png(flag(96, 64), &[])),
        case("png with squares", "image/png", png(squares, &[])),
        case("png with a disc", "image/png", png(disc, &[])),
    ]
}

fn without_ends() -> Vec<Case> {
    let cut = |name: &str, media_type, whole: Vec<u8>, behind: usize| {
        let file = whole[..whole.len() - behind].to_vec();
        Case { whole: Some(whole), ..case(name, media_type, file) }
    };
    let gif = file(flag(64, 64), ImageFormat::Gif);
    vec![
        cut("png without its last chunk", "image/png", png(smooth(64, 64), &[]), 12),
        cut("png without most of its last chunk", "image/png", png(smooth(64, 64), &[]), 7),
        cut("jpeg without its end marker", "image/jpeg", jpeg(smooth(64, 64), &[]), 2),
        cut("progressive jpeg without its end marker", "image/jpeg", fixtures::progressive_jpeg(), 2),
        cut("gif without its last byte", "image/gif", gif, 1),
    ]
}

//! Cameras store a picture as the sensor recorded it, together with its orientation (Exif 2.3, tag 0x0112).

use super::*;

/// Big-endian TIFF with this orientation alone.
fn exif(orientation: u8) -> Vec<u8> {
    [b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", [orientation].as_slice(), b"\0\0\0\0\0\0"].concat()
}

fn jpeg_with(orientation: u8, image: RgbImage) -> Vec<u8> {
    let mut jpeg = file(image, ImageFormat::Jpeg);
    jpeg.splice(2..2, bombs::jpeg_segment(0xe1, &[b"Exif\0\0", exif(orientation).as_slice()].concat()));
    jpeg
}

/// Four colours in the corners, as seen when upright: dark, red, green, blue.
fn upright() -> RgbImage {
    RgbImage::from_fn(80, 40, |x, y| match (x < 40, y < 20) {
        (true, true) => Rgb([20, 20, 20]),
        (false, true) => Rgb([220, 20, 20]),
        (true, false) => Rgb([20, 220, 20]),
        (false, false) => Rgb([20, 20, 220]),
    })
}

/// The sensor's image when the camera was held so that its picture has this orientation.
fn stored(orientation: u8) -> RgbImage {
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    let upright = upright();
    match orientation {
        2 => flip_horizontal(&upright),
        3 => rotate180(&upright),
        4 => flip_vertical(&upright),
        5 => flip_horizontal(&rotate90(&upright)),
        6 => rotate270(&upright),
        7 => flip_horizontal(&rotate270(&upright)),
        8 => rotate90(&upright),
        _ => upright,
    }
}

#[test]
fn a_picture_is_turned_upright() {
    for orientation in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255] {
        let (_, kept) = rendered(&jpeg_with(orientation, stored(orientation)));
        let kept = kept.to_rgb8();
        assert_eq!(kept.dimensions(), (80, 40), "{orientation}");
        for (x, y) in [(10, 5), (70, 5), (10, 35), (70, 35)] {
            assert_near(*kept.get_pixel(x, y), *upright().get_pixel(x, y));
        }
    }
}

#[test]
fn a_png_is_turned_too_and_a_webp_is_not_as_browsers_do() {
    let mut png = file(stored(6), ImageFormat::Png);
    png.splice(33..33, bombs::chunk(b"eXIf", &exif(6)));
    assert_eq!(rendered(&png).1.width(), 80);
    assert_flag(&rendered(&turned_webp()).1);
}

#[test]
fn a_turned_picture_has_its_sides_swapped() {
    let (_, kept) = rendered(&jpeg_with(8, flag(2000, 1000)));
    assert_eq!((kept.width(), kept.height()), (256, 512));
}

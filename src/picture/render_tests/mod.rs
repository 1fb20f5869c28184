mod animated;
mod bombs;
mod fixtures;
mod orientation;
mod size;

use std::cell::Cell;

use image::codecs::gif::GifEncoder;
use image::{Frame, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage, load_from_memory};

use super::*;
use fixtures::*;

const BLUE: Rgb<u8> = Rgb([30, 30, 200]);
const RED: Rgb<u8> = Rgb([200, 30, 30]);

/// Blue on the left, red on the right.
fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { BLUE } else { RED })
}

fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn rendered(bytes: &[u8]) -> (Ending, DynamicImage) {
    let (ending, file) = render(bytes, |_| ()).unwrap();
    let format = if ending == Ending::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    (ending, image::load_from_memory_with_format(&file, format).unwrap())
}

fn refused(bytes: &[u8]) -> String {
    match render(bytes, |_| ()) {
        Err(Unusable(reason)) => reason,
        Ok(_) => panic!("it was taken"),
    }
}

/// Asserts that a picture still shows the flag.
fn assert_flag(image: &DynamicImage) {
    let image = image.to_rgb8();
    let (right, middle) = (image.width() - 1, image.height() / 2);
    for (x, wanted) in [(0, BLUE), (right, RED)] {
        assert_near(*image.get_pixel(x, middle), wanted);
    }
}

fn assert_near(found: Rgb<u8>, wanted: Rgb<u8>) {
    let is_near = found.0.iter().zip(wanted.0).all(|(found, wanted)| found.abs_diff(wanted) < 30);
    assert!(is_near, "{found:?} is not {wanted:?}");
}

#[test]
fn every_kind_is_read() {
    let flag = || flag(64, 48);
    for (kind, bytes) in [
        (Kind::Png, file(flag(), ImageFormat::Png)),
        (Kind::Jpeg, file(flag(), ImageFormat::Jpeg)),
        (Kind::Gif, file(flag(), ImageFormat::Gif)),
        (Kind::WebP, file(flag(), ImageFormat::WebP)),
    ] {
        let (ending, image) = rendered(&bytes);
        let expected = if kind == Kind::Jpeg { Ending::Jpg } else { Ending::Png };
        assert_eq!((ending, image.width(), image.height()), (expected, 64, 48), "{kind:?}");
        assert_flag(&image);
    }
}

#[test]
fn rarer_forms_are_read() {
    for (kind, bytes) in [
        (Kind::Jpeg, progressive_jpeg()),
        (Kind::WebP, lossy_webp()),
        (Kind::WebP, animated_webp()),
        (Kind::Jpeg, cmyk_jpeg()),
    ] {
        let (_, image) = rendered(&bytes);
        assert_eq!((image.width(), image.height()), (16, 16), "{kind:?}");
        assert_flag(&image);
    }
}

#[test]
fn png_is_read_in_every_depth_and_colour() {
    let grey = |x: u32| if x < 32 { 0u8 } else { 255 };
    let images: [DynamicImage; 8] = [
        flag(64, 48).into(),
        DynamicImage::from(flag(64, 48)).to_rgba8().into(),
        DynamicImage::from(flag(64, 48)).to_rgb16().into(),
        DynamicImage::from(flag(64, 48)).to_rgba16().into(),
        ImageBuffer::from_fn(64, 48, |x, _| Luma([grey(x)])).into(),
        ImageBuffer::from_fn(64, 48, |x, _| LumaA([grey(x), 255])).into(),
        ImageBuffer::from_fn(64, 48, |x, _| Luma([u16::from(grey(x)) * 257])).into(),
        ImageBuffer::from_fn(64, 48, |x, _| LumaA([u16::from(grey(x)) * 257, 65535])).into(),
    ];
    for image in images {
        let (_, kept) = rendered(&file(image.clone(), ImageFormat::Png));
        let (before, after) = (image.to_rgb8(), kept.to_rgb8());
        for x in [4, 60] {
            assert_near(*after.get_pixel(x, 20), *before.get_pixel(x, 20));
        }
    }
}

#[test]
fn a_palette_is_read_with_its_transparency() {
    let (ending, image) = rendered(&palette_png(&[0, 255]));
    assert_eq!(ending, Ending::Png);
    assert_eq!(image.to_rgba8().pixels().map(|pixel| pixel.0).collect::<Vec<_>>(), [[0; 4], [200, 30, 30, 255]]);
    let (ending, image) = rendered(&palette_png(&[]));
    assert_eq!((ending, image.width(), image.height()), (Ending::Png, 2, 1));
}

/// A PNG of two pixels in two colours, one bit each.
fn palette_png(transparency: &[u8]) -> Vec<u8> {
    let palette: Vec<u8> = [BLUE.0, RED.0].concat();
    let pixels = [0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff, 0x00, 0x40, 0x00, 0x42, 0x00, 0x41];
    let transparency = (!transparency.is_empty()).then_some((b"tRNS", transparency));
    let chunks = [(b"PLTE", palette.as_slice())].into_iter().chain(transparency).chain([(b"IDAT", pixels.as_slice())]);
    bombs::png(2, 1, 1, 3, chunks)
}

#[test]
fn transparency_is_kept() {
    let image = RgbaImage::from_fn(100, 100, |x, _| Rgba([10, 200, 10, if x < 50 { 0 } else { 128 }]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let (ending, kept) = rendered(&file(image.clone(), format));
        assert_eq!(ending, Ending::Png);
        assert_eq!(kept.to_rgba8().get_pixel(10, 10).0[3], 0);
        assert_eq!(kept.to_rgba8().get_pixel(90, 10).0, [10, 200, 10, 128]);
    }
    let (ending, kept) = rendered(&translucent_webp());
    assert_eq!(ending, Ending::Png);
    assert_eq!(kept.to_rgba8().get_pixel(3, 2).0[3], 0);
    assert_eq!(kept.to_rgba8().get_pixel(3, 12).0[3], 255);
}

#[test]
fn an_animation_shows_its_first_frame() {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for image in [flag(40, 40), RgbImage::from_pixel(40, 40, Rgb([0, 255, 0]))] {
        encoder.encode_frame(Frame::new(DynamicImage::from(image).to_rgba8())).unwrap();
    }
    drop(encoder);
    assert_flag(&rendered(&bytes).1);
    assert_flag(&rendered(&animated_webp()).1);
}

#[test]
fn a_picture_becomes_at_most_512_pixels_wide_and_high() {
    for (size, kept) in
        [((1, 1), (1, 1)), ((512, 512), (512, 512)), ((600, 800), (384, 512)), ((4000, 3000), (512, 384))]
    {
        let (_, image) = rendered(&file(flag(size.0, size.1), ImageFormat::Jpeg));
        assert_eq!((image.width(), image.height()), kept);
    }
}

#[test]
fn nothing_but_pixels_is_kept() {
    let secret = b"GPS 52.5 N 13.4 E";
    let chunks = [(b"tEXt", [b"Comment\0".as_slice(), secret].concat()), (b"eXIf", secret.to_vec())];
    let mut png = file(flag(8, 8), ImageFormat::Png);
    for (name, data) in chunks {
        png.splice(33..33, bombs::chunk(name, &data));
    }
    png.extend_from_slice(b"<script>alert(1)</script>");
    let mut jpeg = file(flag(8, 8), ImageFormat::Jpeg);
    jpeg.splice(2..2, bombs::jpeg_segment(0xfe, secret));
    jpeg.extend_from_slice(b"PK\x03\x04<script>");
    for (kind, bytes) in [(Kind::Png, png), (Kind::Jpeg, jpeg)] {
        let (_, kept) = render(&bytes, |_| ()).unwrap();
        for hidden in [secret.as_slice(), b"<script>", b"PK\x03\x04"] {
            assert!(!kept.windows(hidden.len()).any(|window| window == hidden), "{kind:?}");
        }
    }
}

#[test]
fn bytes_that_begin_like_no_known_kind_are_refused() {
    for bytes in [b"<svg/>".as_slice(), b"\x89PNG", b"MZ", b"GIF88a", b"RIFF\0\0\0\0WAVE", b" \x89PNG\r\n\x1a\n", b""] {
        assert_eq!(refused(bytes), "the bytes are no picture of a known kind");
    }
}

/// Files with the number of bytes that they can do without: the end marker of JPEG and the last chunk of PNG.
fn files_with_ends() -> Vec<(Vec<u8>, usize)> {
    vec![
        (file(flag(40, 40), ImageFormat::Jpeg), 2),
        (file(DynamicImage::from(flag(40, 40)).into_luma8(), ImageFormat::Jpeg), 2),
        (progressive_jpeg(), 2),
        (cmyk_jpeg(), 2),
        (lossy_webp(), 0),
        (translucent_webp(), 0),
        (file(flag(40, 40), ImageFormat::WebP), 0),
        (file(flag(40, 40), ImageFormat::Png), 12),
    ]
}

#[test]
fn a_truncated_picture_is_refused_wherever_it_ends() {
    // Two checksums are behind the pixels of a PNG too, and an end marker behind those of a GIF: whether they are needed is up
    // to the decoder.
    let gif = (file(flag(40, 40), ImageFormat::Gif), 4);
    for (bytes, behind) in files_with_ends().into_iter().chain([gif]) {
        let behind = if bytes[0] == 0x89 { behind + 8 } else { behind };
        for length in 0..bytes.len() - behind {
            refused(&bytes[..length]);
        }
    }
}

#[test]
fn a_picture_without_what_follows_its_pixels_is_the_same_picture() {
    for (bytes, behind) in files_with_ends() {
        let whole = render(&bytes, |_| ()).unwrap();
        for length in bytes.len() - behind..bytes.len() {
            assert!(render(&bytes[..length], |_| ()).unwrap() == whole, "{length} of {}", bytes.len());
        }
    }
}

#[test]
fn a_png_without_one_of_its_chunks_of_pixels_is_refused() {
    let png = file(RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, x as u8, y as u8])), ImageFormat::Png);
    let start = png.windows(4).position(|name| name == b"IDAT").unwrap() + 4;
    let (first, second) = png[start..png.len() - 16].split_at(100);
    let head = [&png[..start - 8], &bombs::chunk(b"IDAT", first)].concat();
    render(&[&head[..], &bombs::chunk(b"IDAT", second)].concat(), |_| ()).unwrap();
    refused(&head);
    refused(&[&head[..], &bombs::chunk(b"IEND", b"")].concat());
}

#[test]
fn a_progressive_picture_without_its_last_scan_is_refused() {
    let bytes = progressive_jpeg();
    let scans: Vec<_> = bytes.windows(2).enumerate().filter(|(_, marker)| *marker == [0xff, 0xda]).collect();
    assert!(scans.len() > 3);
    for (at, _) in scans {
        assert_eq!(refused(&bytes[..at]), "the JPEG ends before its pixels");
    }
}

#[test]
fn flipped_bits_never_make_it_panic() {
    let files = [
        file(flag(24, 24), ImageFormat::Png),
        file(flag(24, 24), ImageFormat::Jpeg),
        progressive_jpeg(),
        file(flag(24, 24), ImageFormat::Gif),
        lossy_webp(),
        translucent_webp(),
        animated_webp(),
    ];
    for bytes in files {
        for at in 0..bytes.len() {
            for flip in [0xff, 0x01, 0x80] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let _ = render(&bytes, |memory| assert!(memory <= MAX_MEMORY));
            }
        }
    }
}

#[test]
fn memory_is_reserved_before_a_large_picture_is_decoded() {
    let reserved = Cell::new(0);
    render(&file(flag(4000, 3000), ImageFormat::Png), |memory| reserved.set(memory)).unwrap();
    assert!((36_000_000..48_000_000).contains(&reserved.get()), "{}", reserved.get());
}

#[test]
fn a_rendered_picture_can_be_read_again() {
    let (_, kept) = render(&translucent_webp(), |_| ()).unwrap();
    load_from_memory(&kept).unwrap();
    render(&kept, |_| ()).unwrap();
}

//! Files of the four kinds, with parts that the `image` library does not write.

use std::io::{Cursor, Write as _};

use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageEncoder as _, ImageFormat, Rgb, RgbImage};

/// The name and the data of a chunk of a PNG.
pub(super) type Chunk = (&'static [u8; 4], Vec<u8>);

/// A picture whose corners differ, and whose colours change smoothly.
pub(super) fn smooth(width: u32, height: u32) -> RgbImage {
    let shade = |at: u32, of: u32| (at * 255 / (of - 1).max(1)) as u8;
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([shade(x, width), shade(y, height), shade(width - 1 - x, width) / 2 + 40])
    })
}

pub(super) fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG with further chunks before its pixels.
pub(super) fn png(image: impl Into<DynamicImage>, chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut png = file(image, ImageFormat::Png);
    let chunks: Vec<u8> = chunks.iter().flat_map(|(name, data)| chunk(name, data)).collect();
    // Behind the signature and the header.
    png.splice(33..33, chunks);
    png
}

/// A PNG with a palette of one byte each pixel.
pub(super) fn palette(size: (u32, u32), colours: &[[u8; 3]], alpha: &[u8], index: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &header(size, 8, 3)));
    png.extend(chunk(b"PLTE", &colours.concat()));
    if !alpha.is_empty() {
        png.extend(chunk(b"tRNS", alpha));
    }
    let rows = (0..size.1).flat_map(|y| {
        let index = &index;
        std::iter::once(0).chain((0..size.0).map(move |x| index(x, y)))
    });
    png.extend(chunk(b"IDAT", &deflate(&rows.collect::<Vec<_>>())));
    png.extend(chunk(b"IEND", b""));
    png
}

/// The data of a PNG's header.
pub(super) fn header(size: (u32, u32), depth: u8, colour: u8) -> Vec<u8> {
    [&size.0.to_be_bytes()[..], &size.1.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat()
}

pub(super) fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(name);
    sum.update(data);
    [&(data.len() as u32).to_be_bytes()[..], name, data, &sum.sum().to_be_bytes()].concat()
}

pub(super) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A JPEG of high quality with further segments behind its first marker.
pub(super) fn jpeg(image: impl Into<DynamicImage>, segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 95);
    image.into().write_with_encoder(encoder).unwrap();
    let segments = segments
        .iter()
        .flat_map(|(marker, data)| [&[0xff, *marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat());
    jpeg.splice(2..2, segments.collect::<Vec<_>>());
    jpeg
}

/// The segment of an ICC profile.
pub(super) fn icc_segment(icc: &[u8]) -> (u8, Vec<u8>) {
    (0xe2, [b"ICC_PROFILE\0\x01\x01", icc].concat())
}

/// The chunk of an ICC profile.
pub(super) fn icc_chunk(icc: &[u8]) -> Chunk {
    (b"iCCP", [b"a profile\0\0", deflate(icc).as_slice()].concat())
}

/// A WebP without loss, with an orientation and a profile.
pub(super) fn webp(image: impl Into<DynamicImage>, exif: Option<Vec<u8>>, icc: Option<Vec<u8>>) -> Vec<u8> {
    let mut webp = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut webp);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    if let Some(icc) = icc {
        encoder.set_icc_profile(icc).unwrap();
    }
    image.into().write_with_encoder(encoder).unwrap();
    webp
}

/// Big-endian TIFF with an orientation alone (Exif 2.3, tag 0x0112).
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    [b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0", [orientation].as_slice(), b"\0\0\0\0\0\0"].concat()
}

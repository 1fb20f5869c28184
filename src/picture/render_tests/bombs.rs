//! Small files that claim to be large, or take long. None may lead to an allocation for its pixels.

use super::*;

/// A PNG of these chunks.
pub(super) fn png<'a>(
    width: u32,
    height: u32,
    depth: u8,
    colour: u8,
    chunks: impl IntoIterator<Item = (&'a [u8; 4], &'a [u8])>,
) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(chunk(b"IHDR", &header));
    for (name, data) in chunks {
        file.extend(chunk(name, data));
    }
    file.extend(chunk(b"IEND", b""));
    file
}

/// A chunk with its length and checksum.
pub(super) fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [name, data].concat();
    let checksum = body.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &body, &(!checksum).to_be_bytes()].concat()
}

/// A segment of a JPEG.
pub(super) fn jpeg_segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &u16::try_from(data.len() + 2).unwrap().to_be_bytes(), data].concat()
}

fn refused_early(bytes: &[u8]) -> String {
    match render(bytes, |_| panic!("memory was reserved")) {
        Err(Unusable(reason)) => reason,
        Ok(_) => panic!("it was taken"),
    }
}

fn with_sides(mut bytes: Vec<u8>, at: usize, sides: [[u8; 2]; 2]) -> Vec<u8> {
    bytes[at..at + 4].copy_from_slice(&sides.concat());
    bytes
}

/// The offset of height and width in a JPEG.
fn jpeg_sides(bytes: &[u8]) -> usize {
    bytes.windows(2).position(|marker| matches!(marker, [0xff, 0xc0 | 0xc2])).unwrap() + 5
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_by_its_header() {
    let png_of = |width, height, colour| png(width, height, 8, colour, [(b"IDAT", b"".as_slice())]);
    for (width, height) in [(u32::MAX >> 1, u32::MAX >> 1), (65_535, 65_535), (4097, 4096), (100_000_000, 1)] {
        refused_early(&png_of(width, height, 6));
    }
    assert_eq!(refused_early(&png_of(4097, 4096, 2)), "4097 by 4096 pixels are too many");
    let jpeg = file(flag(8, 8), ImageFormat::Jpeg);
    let at = jpeg_sides(&jpeg);
    refused_early(&with_sides(jpeg, at, [[0xff, 0xff], [0xff, 0xff]]));
    let progressive = progressive_jpeg();
    let at = jpeg_sides(&progressive);
    let reason = refused_early(&with_sides(progressive, at, [[0x10, 0x00], [0x10, 0x00]]));
    assert_eq!(reason, "4096 by 4096 pixels are too many");
    let gif = file(flag(8, 8), ImageFormat::Gif);
    refused_early(&with_sides(gif, 6, [[0xff, 0xff], [0xff, 0xff]]));
    let webp = lossy_webp();
    let at = webp.windows(3).position(|code| code == [0x9d, 0x01, 0x2a]).unwrap() + 3;
    refused_early(&with_sides(webp, at, [[0xff, 0x3f], [0xff, 0x3f]]));
}

#[test]
fn a_large_picture_in_a_container_that_claims_to_be_small_is_refused_by_its_own_header() {
    for webp in [animated_webp(), translucent_webp()] {
        let at = webp.windows(3).position(|code| code == [0x9d, 0x01, 0x2a]).unwrap() + 3;
        refused_early(&with_sides(webp, at, [[0xff, 0x3f], [0xff, 0x3f]]));
    }
}

#[test]
fn a_frame_larger_than_its_screen_is_refused() {
    let mut gif = file(flag(8, 8), ImageFormat::Gif);
    let frame = gif.windows(5).position(|bytes| bytes == [0x2c, 0, 0, 0, 0]).unwrap();
    gif[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    refused(&gif);
}

#[test]
fn a_length_that_reaches_beyond_the_file_is_refused() {
    let mut png = file(flag(8, 8), ImageFormat::Png);
    png[33..37].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    refused(&png);
    let mut webp = lossy_webp();
    webp[16..20].copy_from_slice(&[0xff; 4]);
    refused(&webp);
    let mut webp = lossy_webp();
    webp[4..8].copy_from_slice(&[0xff; 4]);
    refused(&webp);
}

#[test]
fn a_colour_profile_that_inflates_without_end_does_no_harm() {
    // Two stored blocks would do; this one is a run of zeros of 32 MiB.
    let mut encoder = flate2::write::ZlibEncoder::new(b"bomb\0\0".to_vec(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![0; 32 << 20]).unwrap();
    let profile = encoder.finish().unwrap();
    let mut png = file(flag(8, 8), ImageFormat::Png);
    png.splice(33..33, chunk(b"iCCP", &profile));
    render(&png, |memory| assert!(memory <= crate::picture::colour::MEMORY)).unwrap();
}

#[test]
fn the_memory_for_a_colour_profile_is_reserved() {
    let icc = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut jpeg = file(flag(8, 8), ImageFormat::Jpeg);
    jpeg.splice(2..2, jpeg_segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", icc.as_slice()].concat()));
    let reserved = Cell::new(0);
    render(&jpeg, |memory| reserved.set(memory)).unwrap();
    assert_eq!(reserved.get(), crate::picture::colour::MEMORY);
}

#[test]
fn a_progressive_picture_of_too_many_scans_ends_early() {
    let jpeg = progressive_jpeg();
    let scan = jpeg.windows(2).rposition(|marker| marker == [0xff, 0xda]).unwrap();
    let (start, last) = jpeg.split_at(scan);
    let many = [start, &last[..last.len() - 2].repeat(10_000), &[0xff, 0xd9]].concat();
    let began = std::time::Instant::now();
    let _ = render(&many, |_| ());
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
}

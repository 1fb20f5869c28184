//! Animations: the canvas, and the first frame that shows something.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::files::{chunk, file, header, webp};
use super::shapes::flag;
use super::{Case, case};

/// A frame: its picture, and its place on the canvas.
type Part = (RgbaImage, u32, u32);

const CANVAS: (u32, u32) = (64, 48);

pub(super) fn cases() -> Vec<Case> {
    let whole = || (DynamicImage::from(flag(CANVAS.0, CANVAS.1)).to_rgba8(), 0, 0);
    let partial = || (DynamicImage::from(flag(20, 16)).to_rgba8(), 10, 8);
    let green = || (RgbaImage::from_pixel(CANVAS.0, CANVAS.1, Rgba([30, 200, 30, 255])), 0, 0);
    let empty = || (RgbaImage::new(CANVAS.0, CANVAS.1), 0, 0);
    let empty_part = || (RgbaImage::new(12, 10), 2, 2);
    let corner = || (DynamicImage::from(flag(20, 16)).to_rgba8(), CANVAS.0 - 20, CANVAS.1 - 16);
    let animations: Vec<(&str, u32, Vec<Part>)> = vec![
        ("two frames", 0, vec![whole(), green()]),
        ("a partial first frame", 0, vec![partial(), green()]),
        ("a frame in the corner", 0, vec![corner(), whole()]),
        ("an empty first frame", 1, vec![empty(), whole(), green()]),
        ("an empty first part and a partial frame", 1, vec![empty_part(), partial(), green()]),
        ("five empty frames", 5, vec![empty(), empty_part(), empty(), empty_part(), empty_part(), corner()]),
        ("one partial frame", 0, vec![partial()]),
        ("nothing but empty frames", 0, vec![empty(), empty_part()]),
    ];
    let mut cases: Vec<Case> = Vec::new();
    for (name, shown, parts) in animations {
        let frame = Some(shown).filter(|shown| *shown > 0);
        let of = |kind: &str, media_type, file| Case { frame, ..case(format!("{kind} of {name}"), media_type, file) };
        cases.extend([
            of("gif", "image/gif", gif(&parts)),
            of("png", "image/png", apng(&parts, None)),
            of("webp", "image/webp", animated_webp(&parts)),
            of("png beside another picture", "image/png", apng(&parts, Some(green().0))),
        ]);
    }
    let icc = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    cases.push(case("png of frames in P3", "image/png", {
        let chunks = [(b"cICP", vec![12, 13, 0, 1])];
        with_chunks(apng(&[partial(), green()], None), &chunks)
    }));
    cases.push(case("webp of frames in P3", "image/webp", with_profile(animated_webp(&[partial(), green()]), &icc)));
    cases
}

/// An animated GIF without a colour table for all frames.
fn gif(parts: &[Part]) -> Vec<u8> {
    let [width, height] = [CANVAS.0, CANVAS.1].map(|side| (side as u16).to_le_bytes());
    let mut gif = [b"GIF89a", &width[..], &height, &[0, 0, 0]].concat();
    for (image, left, top) in parts {
        let mut frame = file(image.clone(), ImageFormat::Gif);
        // The library places every frame in the corner.
        let descriptor = frame.windows(5).position(|bytes| bytes == [0x2c, 0, 0, 0, 0]).unwrap();
        frame[descriptor + 1..descriptor + 5].copy_from_slice(&[*left as u8, 0, *top as u8, 0]);
        let control = frame.windows(3).position(|bytes| bytes == [0x21, 0xf9, 4]).unwrap();
        gif.extend(&frame[control..frame.len() - 1]);
    }
    gif.push(0x3b);
    gif
}

/// An animated PNG; with a picture for programs that know no animations, that one is not a frame.
fn apng(parts: &[Part], default: Option<RgbaImage>) -> Vec<u8> {
    let mut apng = b"\x89PNG\r\n\x1a\n".to_vec();
    apng.extend(chunk(b"IHDR", &header(CANVAS, 8, 6)));
    apng.extend(chunk(b"acTL", &[(parts.len() as u32).to_be_bytes(), [0; 4]].concat()));
    let mut sequence = 0_u32;
    let mut next = || {
        sequence += 1;
        (sequence - 1).to_be_bytes()
    };
    let has_default = default.is_some();
    if let Some(default) = default {
        apng.extend(chunk(b"IDAT", &pixels(&default)));
    }
    for (number, (image, left, top)) in parts.iter().enumerate() {
        // The default picture fills the canvas, so a smaller first frame is placed on it.
        let is_default = number == 0 && !has_default;
        let (image, left, top) =
            if is_default { (on_canvas(image, *left, *top), 0, 0) } else { (image.clone(), *left, *top) };
        let numbers = [image.width(), image.height(), left, top].map(u32::to_be_bytes).concat();
        apng.extend(chunk(b"fcTL", &[&next()[..], &numbers, &[0, 100, 3, 232, 1, 0]].concat()));
        let data = pixels(&image);
        match is_default {
            true => apng.extend(chunk(b"IDAT", &data)),
            false => apng.extend(chunk(b"fdAT", &[&next()[..], &data].concat())),
        }
    }
    apng.extend(chunk(b"IEND", b""));
    apng
}

fn on_canvas(image: &RgbaImage, left: u32, top: u32) -> RgbaImage {
    let mut canvas = RgbaImage::new(CANVAS.0, CANVAS.1);
    image::imageops::replace(&mut canvas, image, i64::from(left), i64::from(top));
    canvas
}

/// The compressed rows of a picture.
fn pixels(image: &RgbaImage) -> Vec<u8> {
    let rows = image.as_raw().chunks(4 * image.width() as usize);
    super::files::deflate(&rows.flat_map(|row| [&[0], row].concat()).collect::<Vec<_>>())
}

fn animated_webp(parts: &[Part]) -> Vec<u8> {
    let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    let canvas = [vec![0b1_0010, 0, 0, 0], side(CANVAS.0), side(CANVAS.1)].concat();
    let mut body = [b"WEBP".to_vec(), riff(b"VP8X", &canvas), riff(b"ANIM", &[0; 6])].concat();
    for (image, left, top) in parts {
        let place = [left, top].map(|at| (at / 2).to_le_bytes()[..3].to_vec()).concat();
        let size = [side(image.width()), side(image.height())].concat();
        // A tenth of a second, disposed to the background, blended.
        let head = [place, size, vec![100, 0, 0, 1]].concat();
        // Behind the container's header of twelve bytes.
        let frame = &webp(image.clone(), None, None)[12..];
        body.extend(riff(b"ANMF", &[&head, frame].concat()));
    }
    riff(b"RIFF", &body)
}

fn riff(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = [name, &(data.len() as u32).to_le_bytes()[..], data].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn with_profile(webp: Vec<u8>, icc: &[u8]) -> Vec<u8> {
    // Behind the extended header, whose first byte has the flag of a profile.
    let mut body = webp[8..].to_vec();
    body[12] |= 0b10_0000;
    body.splice(22..22, riff(b"ICCP", icc));
    riff(b"RIFF", &body)
}

fn with_chunks(mut png: Vec<u8>, chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let chunks: Vec<u8> = chunks.iter().flat_map(|(name, data)| chunk(name, data)).collect();
    png.splice(33..33, chunks);
    png
}

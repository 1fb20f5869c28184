//! Animations: the first frame that shows something, on its canvas, at a bounded cost.

use super::*;

/// A GIF of frames, each with its place, on a canvas.
fn gif(canvas: (u16, u16), frames: &[(RgbaImage, u32, u32)]) -> Vec<u8> {
    let mut bytes = [b"GIF89a", &canvas.0.to_le_bytes()[..], &canvas.1.to_le_bytes(), &[0, 0, 0]].concat();
    for (image, left, top) in frames {
        let mut frame = file(image.clone(), ImageFormat::Gif);
        // The library places every frame in the corner.
        let descriptor = frame.windows(5).position(|bytes| bytes == [0x2c, 0, 0, 0, 0]).unwrap();
        frame[descriptor + 1..descriptor + 5].copy_from_slice(&[*left as u8, 0, *top as u8, 0]);
        let control = frame.windows(3).position(|bytes| bytes == [0x21, 0xf9, 4]).unwrap();
        bytes.extend(&frame[control..frame.len() - 1]);
    }
    bytes.push(0x3b);
    bytes
}

fn empty() -> (RgbaImage, u32, u32) {
    (RgbaImage::new(8, 8), 0, 0)
}

fn red() -> (RgbaImage, u32, u32) {
    (RgbaImage::from_pixel(4, 4, Rgba([200, 30, 30, 255])), 2, 3)
}

/// A chunk of RIFF.
fn riff(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut chunk = [name, &u32::try_from(data.len()).unwrap().to_le_bytes()[..], data].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// A WebP whose frames have a place and a declared size.
fn webp(canvas: (u32, u32), frames: &[(RgbaImage, u32, u32)], declared: Option<(u32, u32)>) -> Vec<u8> {
    let three = |number: u32| number.to_le_bytes()[..3].to_vec();
    let head = [vec![0b1_0010, 0, 0, 0], three(canvas.0 - 1), three(canvas.1 - 1)].concat();
    let mut body = [b"WEBP".to_vec(), riff(b"VP8X", &head), riff(b"ANIM", &[0; 6])].concat();
    for (image, left, top) in frames {
        let (width, height) = declared.unwrap_or(image.dimensions());
        let head = [three(left / 2), three(top / 2), three(width - 1), three(height - 1), vec![1, 0, 0, 0]].concat();
        body.extend(riff(b"ANMF", &[&head, &file(image.clone(), ImageFormat::WebP)[12..]].concat()));
    }
    riff(b"RIFF", &body)
}

#[test]
fn a_frame_is_shown_at_its_place_on_the_canvas() {
    for (bytes, top) in [(gif((8, 8), &[empty(), red()]), 3), (webp((8, 8), &[empty(), red()], None), 2)] {
        let (ending, image) = rendered(&bytes);
        assert_eq!((ending, image.width(), image.height()), (Ending::Png, 8, 8));
        let image = image.to_rgba8();
        let shown = image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[3] != 0).map(|(x, y, _)| (x, y));
        let expected = (top..top + 4).flat_map(|y| (2..6).map(move |x| (x, y)));
        assert!(shown.eq(expected));
        assert_near(DynamicImage::from(image).to_rgb8().get_pixel(2, top).to_owned(), RED);
    }
}

#[test]
fn a_bounded_number_of_frames_is_looked_at() {
    for (empties, is_shown) in [(63, true), (64, false)] {
        let frames: Vec<_> = std::iter::repeat_n(empty(), empties).chain([red()]).collect();
        for bytes in [gif((8, 8), &frames), webp((8, 8), &frames, None)] {
            let image = rendered(&bytes).1.to_rgba8();
            assert_eq!(image.pixels().any(|pixel| pixel.0[3] != 0), is_shown, "{empties}");
        }
    }
}

#[test]
fn a_bounded_number_of_pixels_is_looked_at() {
    let red = RgbaImage::from_pixel(4, 4, Rgba([200, 30, 30, 255]));
    for (empties, is_shown) in [(3, true), (4, false)] {
        // Four frames have the pixels of the largest picture.
        let frames: Vec<_> =
            std::iter::repeat_n((RgbaImage::new(1, 1), 0, 0), empties).chain([(red.clone(), 0, 0)]).collect();
        let bytes = gif((2048, 2048), &frames);
        let image = rendered(&bytes).1.to_rgba8();
        assert_eq!(image.pixels().any(|pixel| pixel.0[3] != 0), is_shown, "{empties}");
    }
}

#[test]
fn the_memory_of_every_frame_is_reserved_before_one_is_decoded() {
    let reserved = Cell::new(0);
    let frames = [(RgbaImage::new(8, 8), 0, 0), (RgbaImage::new(1000, 1000), 24, 24)];
    render(&webp((1024, 1024), &frames, None), |memory| reserved.set(memory)).unwrap();
    assert!((12_000_000..20_000_000).contains(&reserved.get()), "{}", reserved.get());
}

#[test]
fn frames_that_do_not_fit_are_refused_before_one_is_decoded() {
    for bytes in [
        webp((8, 8), &[(RgbaImage::new(8, 8), 2, 0)], None),
        webp((8, 8), &[empty(), (RgbaImage::new(4, 4), 0, 6)], None),
        webp((1 << 24, 1 << 24), &[empty()], None),
        webp((4097, 4096), &[empty()], None),
    ] {
        assert!(render(&bytes, |_| panic!("memory was reserved")).is_err());
    }
    assert_eq!(refused(&webp((8, 8), &[red()], Some((2, 2)))), "a frame has another size than it declares");
}

#[test]
fn flipped_bits_of_an_animation_never_make_it_panic() {
    for bytes in [gif((8, 8), &[empty(), red()]), webp((8, 8), &[empty(), red()], None)] {
        for at in 0..bytes.len() {
            for flip in [0xff, 0x01, 0x80] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                let _ = render(&bytes, |memory| assert!(memory <= MAX_MEMORY));
            }
        }
    }
}

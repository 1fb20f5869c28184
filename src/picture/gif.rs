//! GIF: finds the frames of an animation (GIF89a, 17 to 27), to decode each on its own.

use super::frames::{Frame, FrameSize};
use super::render::Unusable;

const HEADER: usize = 13;
const EXTENSION: u8 = 0x21;
const GRAPHIC_CONTROL: u8 = 0xf9;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

/// Iterates over the frames, each a file with the canvas of the whole, which the decoder fills in.
pub(super) fn frames(file: &[u8], size: FrameSize) -> impl Iterator<Item = Result<Frame, Unusable>> {
    let start = HEADER + file.get(10).map_or(0, |flags| colours(*flags));
    let mut at = start;
    std::iter::from_fn(move || {
        let mut control = None;
        loop {
            match *file.get(at)? {
                EXTENSION => {
                    let end = blocks_end(file, at + 2)?;
                    if file.get(at + 1) == Some(&GRAPHIC_CONTROL) {
                        control = Some(at);
                    }
                    at = end;
                }
                IMAGE => {
                    let begin = control.unwrap_or(at);
                    let flags = *file.get(at + 9)?;
                    // One byte of the code size is before the blocks. A frame that is cut is left to the decoder.
                    at = blocks_end(file, at + 10 + colours(flags) + 1).unwrap_or(file.len());
                    let frame = [file.get(..start)?, file.get(begin..at)?, &[TRAILER]].concat();
                    return Some(Ok(Frame {
                        file: frame,
                        place: (0, 0),
                        size: size.canvas,
                        per_pixel: size.per_pixel,
                    }));
                }
                _ => return None,
            }
        }
    })
}

/// Returns the bytes of a colour table.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Returns where a sequence of blocks ends.
fn blocks_end(file: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *file.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

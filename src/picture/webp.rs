//! WebP: the first frame is extracted before it is decoded, because the decoder trusts the container's dimensions for
//! its content until it has allocated memory for them.

use image::metadata::Orientation;

use super::render::Unusable;

/// One frame as a WebP file of its own.
pub(super) struct Frame {
    /// The file.
    pub(super) file: Vec<u8>,
    /// How the picture must be turned.
    pub(super) orientation: Orientation,
    /// The most bytes per pixel that decoding takes.
    pub(super) per_pixel: u64,
}

/// Bytes per pixel: red, green, blue and alpha; without alpha the decoder makes a second copy of three.
const LOSSLESS: u64 = 4 + 4;
/// Bytes per pixel: luma, chroma at a quarter each, and the result.
const LOSSY: u64 = 2 + 4;
/// An alpha channel is decoded as a lossless picture, and copied.
const ALPHA: u64 = 4 + 1;

/// Extracts the first frame of a WebP file (RFC 9649 §2).
pub(super) fn first_frame(file: &[u8]) -> Result<Frame, Unusable> {
    let length = u32_at(file, 4).ok_or_else(broken)? as usize;
    let mut chunks = Chunks(file.get(12..length.saturating_add(8)).ok_or_else(broken)?);
    let first = chunks.next().ok_or_else(broken)??;
    if first.name != *b"VP8X" {
        return frame(&mut std::iter::once(Ok(first)), Orientation::NoTransforms);
    }
    let chunks: Vec<Chunk<'_>> = chunks.collect::<Result<_, _>>()?;
    let named = |name: &[u8; 4]| chunks.iter().find(|chunk| chunk.name == *name);
    let orientation = named(b"EXIF").and_then(|exif| Orientation::from_exif_chunk(exif.data));
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    match named(b"ANMF") {
        // The first sixteen bytes are the frame's position, size and duration (§2.7.1.1).
        Some(animated) => frame(&mut Chunks(animated.data.get(16..).ok_or_else(broken)?), orientation),
        None => frame(&mut chunks.into_iter().map(Ok), orientation),
    }
}

/// Writes a file from the chunks of one frame.
fn frame<'a>(
    chunks: &mut dyn Iterator<Item = Result<Chunk<'a>, Unusable>>,
    orientation: Orientation,
) -> Result<Frame, Unusable> {
    let mut alpha = None;
    for chunk in chunks {
        let chunk = chunk?;
        match (&chunk.name, alpha) {
            (b"ALPH", None) => alpha = Some(chunk),
            (b"VP8L", _) => return Ok(Frame { file: riff(&[chunk]), orientation, per_pixel: LOSSLESS }),
            (b"VP8 ", None) => return Ok(Frame { file: riff(&[chunk]), orientation, per_pixel: LOSSY }),
            (b"VP8 ", Some(alpha)) => {
                let header = extended_header(chunk.data).ok_or_else(broken)?;
                let header = Chunk { name: *b"VP8X", data: &header };
                return Ok(Frame { file: riff(&[header, alpha, chunk]), orientation, per_pixel: LOSSY + ALPHA });
            }
            _ => {}
        }
    }
    Err(broken())
}

/// Returns the header of a file with an alpha channel (§2.7.1), with the size from the lossy picture itself (RFC 6386
/// §9.1).
fn extended_header(lossy: &[u8]) -> Option<[u8; 10]> {
    const HAS_ALPHA: u8 = 0b1_0000;
    let side = |at: usize| {
        let side = u16::from_le_bytes(lossy.get(at..at + 2)?.try_into().ok()?) & 0x3fff;
        side.checked_sub(1).map(u16::to_le_bytes)
    };
    let ([w0, w1], [h0, h1]) = (side(6)?, side(8)?);
    Some([HAS_ALPHA, 0, 0, 0, w0, w1, 0, h0, h1, 0])
}

#[derive(Clone, Copy)]
struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
}

/// Iterates over chunks; one that reaches beyond the end of the bytes is an error.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Unusable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.0);
        let chunk = || {
            let name = bytes.get(..4)?.try_into().ok()?;
            let length = u32_at(bytes, 4)? as usize;
            let data = bytes.get(8..length.checked_add(8)?)?;
            // A chunk of odd length is padded, though some programs leave that out at the end of the file.
            Some((Chunk { name, data }, bytes.get(8 + length.next_multiple_of(2)..).unwrap_or_default()))
        };
        let (chunk, rest) = match chunk() {
            Some(found) => found,
            None => return Some(Err(broken())),
        };
        self.0 = rest;
        Some(Ok(chunk))
    }
}

fn riff(chunks: &[Chunk<'_>]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for chunk in chunks {
        body.extend_from_slice(&chunk.name);
        body.extend_from_slice(&length(chunk.data));
        body.extend_from_slice(chunk.data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [b"RIFF", length(&body).as_slice(), &body].concat()
}

/// Files have at most [`super::MAX_BYTES`].
fn length(data: &[u8]) -> [u8; 4] {
    u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn broken() -> Unusable {
    Unusable("the WebP has no whole frame".to_owned())
}

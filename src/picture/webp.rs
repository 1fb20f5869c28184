//! WebP: frames are extracted before they are decoded, because the decoder trusts the container's dimensions for its content
//! until it has allocated memory for them.

use image::ImageFormat;

use super::frames::{Animation, Frame};
use super::render::Unusable;

/// What a file contains.
pub(super) struct Picture {
    pub(super) content: Content,
    /// The ICC profile of a still picture; browsers ignore that of an animation.
    pub(super) icc: Option<Vec<u8>>,
}

pub(super) enum Content {
    Still(Bitstream),
    Animated(Animation),
}

/// One picture as a WebP file of its own.
pub(super) struct Bitstream {
    /// The file.
    pub(super) file: Vec<u8>,
    /// The most bytes per pixel that decoding takes.
    pub(super) per_pixel: u64,
}

/// Bytes per pixel: red, green, blue and alpha; without alpha the decoder makes a second copy of three.
const LOSSLESS: u64 = 4 + 4;
/// Bytes per pixel: luma, chroma at a quarter each, and the result.
const LOSSY: u64 = 2 + 4;
/// An alpha channel is decoded as a lossless picture, and copied.
const ALPHA: u64 = 4 + 1;

/// Reads the chunks of a WebP file (RFC 9649 §2). Its orientation is ignored, as browsers do.
pub(super) fn read(file: &[u8]) -> Result<Picture, Unusable> {
    let length = u32_at(file, 4).ok_or_else(broken)? as usize;
    let mut chunks = Chunks(file.get(12..length.saturating_add(8)).ok_or_else(broken)?);
    let first = chunks.next().ok_or_else(broken)??;
    if first.name != *b"VP8X" {
        let content = Content::Still(bitstream(&mut std::iter::once(Ok(first)))?);
        return Ok(Picture { content, icc: None });
    }
    let chunks: Vec<Chunk<'_>> = chunks.collect::<Result<_, _>>()?;
    let named = |name: &[u8; 4]| chunks.iter().find(|chunk| chunk.name == *name);
    let icc = named(b"ICCP").map(|icc| icc.data.to_vec());
    if named(b"ANMF").is_some() {
        let canvas = side_at(first.data, 4).zip(side_at(first.data, 7)).ok_or_else(broken)?;
        let frames = chunks.iter().filter(|chunk| chunk.name == *b"ANMF").map(|chunk| frame(chunk.data));
        let content = Content::Animated(Animation::of(ImageFormat::WebP, canvas, frames)?);
        return Ok(Picture { content, icc: None });
    }
    let content = Content::Still(bitstream(&mut chunks.into_iter().map(Ok))?);
    Ok(Picture { content, icc })
}

/// Reads a frame: sixteen bytes have its place, size and duration, its chunks follow (§2.7.1.1).
fn frame(data: &[u8]) -> Result<Frame, Unusable> {
    let (head, chunks) = data.split_at_checked(16).ok_or_else(broken)?;
    // Places are counted in units of two pixels.
    let place = u24_at(head, 0).zip(u24_at(head, 3)).ok_or_else(broken)?;
    let size = side_at(head, 6).zip(side_at(head, 9)).ok_or_else(broken)?;
    let Bitstream { file, per_pixel } = bitstream(&mut Chunks(chunks))?;
    Ok(Frame { file, place: (2 * place.0, 2 * place.1), size, per_pixel })
}

/// Writes a file from the chunks of one picture.
fn bitstream<'a>(chunks: &mut dyn Iterator<Item = Result<Chunk<'a>, Unusable>>) -> Result<Bitstream, Unusable> {
    let mut alpha = None;
    for chunk in chunks {
        let chunk = chunk?;
        match (&chunk.name, alpha) {
            (b"ALPH", None) => alpha = Some(chunk),
            (b"VP8L", _) => return Ok(Bitstream { file: riff(&[chunk]), per_pixel: LOSSLESS }),
            (b"VP8 ", None) => return Ok(Bitstream { file: riff(&[chunk]), per_pixel: LOSSY }),
            (b"VP8 ", Some(alpha)) => {
                let header = extended_header(chunk.data).ok_or_else(broken)?;
                let header = Chunk { name: *b"VP8X", data: &header };
                return Ok(Bitstream { file: riff(&[header, alpha, chunk]), per_pixel: LOSSY + ALPHA });
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

/// Sides are stored less one.
fn side_at(bytes: &[u8], at: usize) -> Option<u32> {
    u24_at(bytes, at).map(|side| side + 1)
}

fn u24_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 3).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn broken() -> Unusable {
    Unusable("the WebP has no whole frame".to_owned())
}

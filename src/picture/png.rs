//! PNG: reads the chunks that the decoder does not show: colour spaces, and the frames of an animation (PNG, third edition).

use std::borrow::Cow;

use crc32fast::Hasher;

use super::colour::Profile;
use super::frames::{Frame, FrameSize};
use super::render::Unusable;

const SIGNATURE: usize = 8;
/// The bytes of a chunk besides its data: length, name and checksum.
const AROUND: usize = 12;
/// `gAMA` and `cHRM` are in hundred thousandths (11.3.2.1, 11.3.2.2).
const SCALE: f64 = 100_000.0;
const GAMMA_OF_SRGB: u32 = 45_455;

/// The chunks of a file.
pub(super) struct Chunks<'a> {
    chunks: Vec<Chunk<'a>>,
    /// The file, with its last chunk.
    pub(super) file: Cow<'a, [u8]>,
}

#[derive(Clone, Copy)]
struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
}

impl<'a> Chunks<'a> {
    /// Reads the list of chunks up to the end or the first one that is cut.
    pub(super) fn read(file: &'a [u8]) -> Chunks<'a> {
        let mut chunks = Vec::new();
        let mut at = SIGNATURE;
        while let Some(chunk) = chunk(file, at) {
            at += chunk.data.len() + AROUND;
            chunks.push(chunk);
        }
        let is_ended = chunks.iter().any(|chunk| chunk.name == *b"IEND");
        Chunks { chunks, file: if is_ended { file.into() } else { ended(file, at) } }
    }

    /// Returns the data of the only chunk of this name before the pixels.
    fn before(&self, name: &[u8; 4]) -> Option<&'a [u8]> {
        let mut before = self.chunks.iter().take_while(|chunk| chunk.name != *b"IDAT");
        before.find(|chunk| chunk.name == *name).map(|chunk| chunk.data)
    }

    /// Returns the colour space that the first of these states: `cICP`, `iCCP`, whose profile is given, `sRGB`, and `gAMA` with
    /// `cHRM` (4.3, table 1).
    pub(super) fn profile(&self, icc: Option<Vec<u8>>, is_grey: bool) -> Option<Profile> {
        // RGB samples in the full range (11.3.2.6).
        if let Some(&[primaries, transfer, 0, 1]) = self.before(b"cICP")
            && let Some(profile) = Profile::of_code_points(primaries, transfer)
        {
            return Some(profile);
        }
        if let Some(profile) = icc.and_then(|icc| Profile::of_icc(icc, is_grey)) {
            return Some(profile);
        }
        if self.before(b"sRGB").is_some() {
            return None;
        }
        let numbers = |name| Some(self.before(name)?.chunks_exact(4).map(number).collect::<Vec<_>>());
        // The bounds are those of libpng: beyond them, nothing but black or white is left.
        let gamma = numbers(b"gAMA")
            .and_then(|gamma| gamma.first().copied())
            .filter(|gamma| (16..=625_000_000).contains(gamma))?;
        let points = numbers(b"cHRM").filter(|points| points.len() == 8);
        // Chromaticities need a gamma, and this gamma alone stands for sRGB, as browsers have it.
        if points.is_none() && gamma == GAMMA_OF_SRGB {
            return None;
        }
        let point = |at: usize| points.as_ref().map(|points| [at, at + 1].map(|at| f64::from(points[at]) / SCALE));
        let points = point(0).zip(point(2)).zip(point(4).zip(point(6)));
        let points = points.map(|((white, red), (green, blue))| [white, red, green, blue]);
        Profile::of_gamma(SCALE / f64::from(gamma), points)
    }

    /// Returns the frames of an animation; `None` if it is a still picture. Its default image is a frame if a control chunk is
    /// before it (4.10).
    pub(super) fn frames(&self, size: FrameSize) -> Option<impl Iterator<Item = Result<Frame, Unusable>>> {
        self.before(b"acTL")?;
        let shared: Vec<_> =
            [b"IHDR", b"PLTE", b"tRNS"].into_iter().filter_map(|name| Some((name, self.before(name)?))).collect();
        let mut chunks = self.chunks.iter().peekable();
        Some(std::iter::from_fn(move || {
            let control = chunks.find(|chunk| chunk.name == *b"fcTL")?;
            let mut parts = Vec::new();
            while let Some(chunk) = chunks.next_if(|chunk| chunk.name != *b"fcTL") {
                match &chunk.name {
                    b"IDAT" => parts.push(chunk.data),
                    // A sequence number is before the data (11.3.6.3).
                    b"fdAT" => parts.push(chunk.data.get(4..).unwrap_or_default()),
                    _ => {}
                }
            }
            Some(frame(control.data, &shared, &parts, size.per_pixel))
        }))
    }
}

/// Writes the file of a frame (11.3.6.2).
fn frame(control: &[u8], shared: &[(&[u8; 4], &[u8])], parts: &[&[u8]], per_pixel: u64) -> Result<Frame, Unusable> {
    let broken = || Unusable::because("the PNG has a broken frame");
    let number_at = |at: usize| control.get(at..at + 4).map(number).ok_or_else(broken);
    let size = (number_at(4)?, number_at(8)?);
    let place = (number_at(12)?, number_at(16)?);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in shared {
        let mut data = data.to_vec();
        if *name == b"IHDR" {
            data.splice(..8, [size.0.to_be_bytes(), size.1.to_be_bytes()].concat());
        }
        write(&mut file, name, &data);
    }
    write(&mut file, b"IDAT", &parts.concat());
    write(&mut file, b"IEND", b"");
    Ok(Frame { file, place, size, per_pixel })
}

fn write(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let mut checksum = Hasher::new();
    checksum.update(name);
    checksum.update(data);
    // Files have at most two mebibytes.
    file.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(checksum.finalize().to_be_bytes());
}

fn chunk(file: &[u8], at: usize) -> Option<Chunk<'_>> {
    let length = usize::try_from(number(file.get(at..at + 4)?)).ok()?;
    let name = file.get(at + 4..at + 8)?.try_into().ok()?;
    let data = file.get(at + 8..(at + 8).checked_add(length)?)?;
    // The checksum is compared by the decoder.
    file.get(at + 8 + length..at + AROUND + length)?;
    Some(Chunk { name, data })
}

/// Returns a file that is cut in the chunk at a place, or before it, with its last chunk instead: the decoder finds out
/// whether pixels are missing.
fn ended(file: &[u8], at: usize) -> Cow<'_, [u8]> {
    match file.split_at_checked(at) {
        Some((chunks, rest)) if rest.get(4..8).is_none_or(|name| name != b"IDAT") => {
            let mut file = chunks.to_vec();
            write(&mut file, b"IEND", b"");
            file.into()
        }
        _ => file.into(),
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

//! The end of a JPEG: some programs leave out the end marker, and uploads are cut. A file without the marker is whole if its
//! scans are.

/// Where a JPEG ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At its end marker, or behind it.
    Marked,
    /// Without the marker, in the last scan that it needs or right after it.
    InLastScan,
    /// Before that.
    Early,
}

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// The entropy-coded bytes that each of [`continued`] appends: more than a decoder reads ahead.
const APPENDED: usize = 32;

/// Returns where a file ends: scans and then the end marker should follow each other (ITU-T T.81, B.1.1 and B.2.1). As
/// lenient as decoders about stray bytes.
pub(super) fn end(bytes: &[u8]) -> End {
    let mut scans = Scans::default();
    let mut at = 2;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0xff)) {
        at += found + 1;
        match bytes.get(at) {
            None => break,
            Some(0xff) => {}
            // Data that resembles a marker, and markers without a length.
            Some(0x00 | 0x01 | 0xd0..=0xd7) => at += 1,
            Some(&END_OF_IMAGE) if scans.complete.is_empty() => return End::Early,
            Some(&END_OF_IMAGE) => return End::Marked,
            Some(marker) => {
                let length = bytes.get(at + 1..at + 3).map_or(0, |length| u16::from_be_bytes([length[0], length[1]]));
                let next = at + 1 + usize::from(length).max(2);
                scans.read(*marker, bytes.get(at + 3..next).unwrap_or_default());
                at = next;
            }
        }
    }
    if scans.are_all_begun() { End::InLastScan } else { End::Early }
}

/// Returns a file that ends in its last scan with its end marker, after further bits: all set in one, all clear in the other.
/// A decoder that needs any of these bits fails, since no Huffman code has only set bits (B.2.4.2), or finds other pixels.
pub(super) fn continued(bytes: &[u8]) -> [Vec<u8>; 2] {
    // The first byte of a marker, or of a data byte whose bits are all set, which the first continuation brings back.
    let bytes = bytes.strip_suffix(&[0xff]).unwrap_or(bytes);
    let with = |appended: &[u8]| [bytes, &appended.repeat(APPENDED), &[0xff, END_OF_IMAGE]].concat();
    [with(&[0xff, 0x00]), with(&[0x00])]
}

/// The components of a picture, and which of their coefficients its scans contain in full precision.
#[derive(Default)]
struct Scans {
    /// The identifier of each component, with one bit for each coefficient.
    complete: Vec<(u8, u64)>,
}

impl Scans {
    /// Reads the header of a frame (B.2.2) or of a scan (B.2.3).
    fn read(&mut self, marker: u8, header: &[u8]) {
        match (marker, header) {
            (0xc4 | 0xc8 | 0xcc, _) => {}
            (0xc0..=0xcf, [_, _, _, _, _, _, components @ ..]) => {
                self.complete = components.chunks_exact(3).map(|component| (component[0], 0)).collect();
            }
            (START_OF_SCAN, [count, rest @ ..]) => {
                let Some((components, [start, end, precision])) = rest.split_at_checked(2 * usize::from(*count)) else {
                    return;
                };
                let contained = (0..64).filter(|at| (start..=end).contains(&at)).fold(0, |bits, at| bits | 1 << at);
                for component in components.chunks_exact(2).filter(|_| precision & 0xf == 0) {
                    let named = self.complete.iter_mut().filter(|(name, _)| *name == component[0]);
                    named.for_each(|(_, complete)| *complete |= contained);
                }
            }
            _ => {}
        }
    }

    fn are_all_begun(&self) -> bool {
        !self.complete.is_empty() && self.complete.iter().all(|(_, complete)| *complete == u64::MAX)
    }
}

use std::io::{self, BufRead, Read};

use crate::json;

/// The longest line, in bytes: longer than an account with every field full and every character escaped.
pub(super) const MAX_LINE: usize = 8 * 1024 * 1024;

/// Reads lines of at most [`MAX_LINE`] bytes and counts them.
pub(super) struct Lines<R> {
    input: R,
    /// Lines read so far.
    pub(super) count: u64,
    /// Bytes read so far.
    pub(super) bytes: u64,
}

/// The error for a line longer than [`MAX_LINE`].
pub(super) struct TooLong;

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Lines<R> {
        Lines { input, count: 0, bytes: 0 }
    }

    /// Returns the next line that is not blank, the first one without a byte order mark; a line that is too long is skipped and returned as an error.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, TooLong>>> {
        loop {
            let mut line = Vec::new();
            let limit = MAX_LINE as u64 + 1;
            let read = self.input.by_ref().take(limit).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            self.count += 1;
            self.bytes += read as u64;
            if self.count == 1 && json::without_mark(&line).len() < line.len() {
                line.drain(..json::MARK.len());
            }
            if read > MAX_LINE && line.last() != Some(&b'\n') {
                self.bytes += self.input.skip_until(b'\n')? as u64;
                return Ok(Some(Err(TooLong)));
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Ok(line)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_counted() {
        let text = [b"a\n\n".as_slice(), &vec![b'x'; MAX_LINE + 5], b"\n \r\nb"].concat();
        let mut lines = Lines::new(text.as_slice());
        let mut next = || {
            let line = lines.next().unwrap();
            line.map(|line| (line.map_err(|_| "too long"), lines.count))
        };
        assert_eq!(next(), Some((Ok(b"a\n".to_vec()), 1)));
        assert_eq!(next(), Some((Err("too long"), 3)));
        assert_eq!(next(), Some((Ok(b"b".to_vec()), 5)));
        assert_eq!(next(), None);
        assert_eq!(lines.bytes, text.len() as u64);
    }
}

//! JSON numbers as text.

use std::fmt;
use std::str::FromStr;

/// A JSON number, kept as the text it was sent in: `1.0`, `-0`, `1e2` and `9007199254740993` stay unchanged.
///
/// Equality compares the text: `1.0` is not `1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

/// The text is not a number in the grammar of RFC 8259, section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON number: write digits without leading zeros, such as 0, -12, 1.5 or 1e3")]
pub struct NotANumber;

impl Number {
    /// Returns the number as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `text` must have been measured by [`length`].
    pub(super) fn from_measured(text: &str) -> Self {
        Number(text.into())
    }
}

/// Returns how many bytes the number at the start of `bytes` has, or the offset of the byte at which it stops being a
/// number.
///
/// The caller checks what follows the number: in `01` the number is `0`.
pub(super) fn length(bytes: &[u8]) -> Result<usize, usize> {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let some_digits = |from: usize| match digits(from) {
        0 => Err(from),
        count => Ok(from + count),
    };

    let mut end = usize::from(bytes.first() == Some(&b'-'));
    end = if bytes.get(end) == Some(&b'0') { end + 1 } else { some_digits(end)? };
    if bytes.get(end) == Some(&b'.') {
        end = some_digits(end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = some_digits(end + 1 + usize::from(signed))?;
    }
    Ok(end)
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        match length(text.as_bytes()) {
            Ok(length) if length == text.len() => Ok(Number::from_measured(text)),
            _ => Err(NotANumber),
        }
    }
}

impl TryFrom<&str> for Number {
    type Error = NotANumber;

    fn try_from(text: &str) -> Result<Self, NotANumber> {
        text.parse()
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Number(value.to_string().into())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_text() {
        for text in ["0", "-0", "1.0", "1e2", "1E+2", "-12.50e-07", "9007199254740993", "1e999"] {
            assert_eq!(Number::try_from(text).map(|number| number.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_text_that_is_not_entirely_a_number_is_refused() {
        for text in ["", "-", "+1", "01", "-01", ".5", "1.", "1.e1", "1e", "1e+", " 1", "1 ", "1x", "0x1", "NaN", "١"]
        {
            assert_eq!(text.parse::<Number>(), Err(NotANumber), "{text:?}");
        }
    }

    #[test]
    fn an_integer_is_written_in_full() {
        assert_eq!(Number::from(i64::MIN).as_str(), "-9223372036854775808");
    }
}

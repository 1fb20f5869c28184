//! Characters as people type and paste them: digits of every script, dashes, and characters that show nothing.

use icu_properties::props::{Dash, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::is_hidden;

/// Returns the ASCII digit with the value of a decimal digit of any script (Unicode's general category Nd).
pub fn ascii_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_digit = |code: &u32| categories.get32(*code) == GeneralCategory::DecimalNumber;
    let code = u32::from(c);
    // Unicode keeps the digits of a script together, in ascending order from zero (Standard, section 4.6). Several rows of ten
    // can touch: the longest run has fifty.
    let before = is_digit(&code).then(|| (0..code).rev().take_while(is_digit).count())?;
    char::from_digit(u32::try_from(before % 10).ok()?, 10)
}

/// Whether a character only separates what is before it from what is after it: white space, a dash (Unicode's property Dash, and
/// U+30FC, which keyboards for Japanese type beside full-width digits), or a character that shows nothing.
pub fn is_separator(c: char) -> bool {
    c.is_whitespace() || c == '\u{30fc}' || CodePointSetData::new::<Dash>().contains(c) || is_invisible(c)
}

/// Whether a character shows nothing and is not a control character, like U+202A, which phones put before a number.
pub fn is_invisible(c: char) -> bool {
    is_hidden(c) && !c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_have_the_values_of_their_rows() {
        let mut digits = 0;
        for c in '\0'..=char::MAX {
            let Some(digit) = ascii_digit(c) else { continue };
            assert_eq!(digit.to_digit(10).unwrap(), digits % 10, "{c:?}");
            digits += 1;
        }
        assert!(digits >= 700 && digits.is_multiple_of(10), "{digits}");
        for (c, digit) in [
            ('\u{661}', '1'),
            ('\u{6f9}', '9'),
            ('\u{967}', '1'),
            ('\u{e57}', '7'),
            ('\u{ff10}', '0'),
            ('\u{1d7ce}', '0'),
            ('\u{1d7ff}', '9'),
        ] {
            assert_eq!(ascii_digit(c), Some(digit), "{c:?}");
        }
        for other in ['\u{b2}', '\u{2460}', '\u{4e00}', '\u{2167}', '\u{bd}', 'a'] {
            assert_eq!(ascii_digit(other), None, "{other:?}");
        }
    }

    #[test]
    fn separators_are_space_dashes_and_what_shows_nothing() {
        for c in [' ', '\n', '\u{a0}', '\u{3000}', '-', '\u{2011}', '\u{2013}', '\u{2212}', '\u{ff0d}', '\u{30fc}'] {
            assert!(is_separator(c), "{c:?}");
        }
        for c in ['\u{ad}', '\u{200b}', '\u{200f}', '\u{202a}', '\u{202c}', '\u{2060}', '\u{2066}', '\u{feff}'] {
            assert!(is_separator(c) && is_invisible(c), "{c:?}");
        }
        for c in ['\0', '\u{8}', '.', ',', '/', '(', '+', '_', 'x', '0'] {
            assert!(!is_separator(c), "{c:?}");
        }
    }
}

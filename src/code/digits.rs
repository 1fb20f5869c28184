use crate::account::typed::{ascii_digit, is_separator};

/// The longest text that is read as a code, in Unicode scalar values.
const MAX_TYPED: usize = 256;

/// Returns the digits of a code as a person types or pastes it: decimal digits of any script as ASCII, without the white space,
/// dashes and invisible characters around and between them. `None` if that is not exactly `length` digits.
pub fn digits_of(typed: &str, length: usize) -> Option<String> {
    let mut digits = String::with_capacity(length);
    for (position, c) in typed.chars().enumerate() {
        match ascii_digit(c) {
            Some(digit) if digits.len() < length && position < MAX_TYPED => digits.push(digit),
            None if is_separator(c) && position < MAX_TYPED => {}
            _ => return None,
        }
    }
    (digits.len() == length).then_some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Digits of several scripts, each from its zero.
    const ZEROS: [char; 7] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{e50}', '\u{ff10}', '\u{1d7ce}'];
    const BETWEEN: [&str; 12] =
        ["", "", " ", "\u{a0}", "\u{3000}", "\n", "-", "\u{2011}", "\u{2013}", "\u{ff0d}", "\u{202a}", "\u{200b}"];

    proptest! {
        #[test]
        fn a_code_is_read_in_every_script_and_grouping(
            code in "[0-9]{4,10}",
            scripts in proptest::collection::vec(prop::sample::select(ZEROS.to_vec()), 10),
            between in proptest::collection::vec(prop::sample::select(BETWEEN.to_vec()), 11),
        ) {
            let mut typed = between[10].to_owned();
            for ((digit, zero), after) in code.bytes().zip(scripts).zip(&between) {
                typed.push(char::from_u32(u32::from(zero) + u32::from(digit - b'0')).unwrap());
                typed.push_str(after);
            }
            prop_assert_eq!(digits_of(&typed, code.len()), Some(code.clone()));
            prop_assert_eq!(digits_of(&typed, code.len() + 1), None);
            prop_assert_eq!(digits_of(&typed, code.len() - 1), None);
        }

        #[test]
        fn of_any_text_only_a_code_is_returned(text in "\\PC{0,40}|[0-9 -]{0,20}") {
            if let Some(code) = digits_of(&text, 6) {
                prop_assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(digits_of(&code, 6), Some(code.clone()));
            }
        }
    }

    #[test]
    fn other_texts_are_no_code() {
        for other in ["", " ", "12345", "1234567", "123.456", "12345a", "123456\0", "12345\u{2465}", "+123456"] {
            assert_eq!(digits_of(other, 6), None, "{other:?}");
        }
        let longest = format!("{}123456", " ".repeat(MAX_TYPED - 6));
        assert_eq!(digits_of(&longest, 6).as_deref(), Some("123456"));
        assert_eq!(digits_of(&format!(" {longest}"), 6), None);
        assert_eq!(digits_of(&format!("{longest} "), 6), None);
    }
}

use std::borrow::Cow;

use super::typed::{ascii_digit, is_invisible, is_separator};

/// The country code of mainland China.
pub const MAINLAND: &str = "+86";

/// The country codes after which a `0` in parentheses belongs to the number: numbers there can begin with 0, and no `0` is
/// dialled before them (metadata of libphonenumber 9.0.43).
const WITH_ZERO: [&str; 22] = [
    "39", "47", "225", "226", "227", "229", "241", "242", "247", "267", "268", "378", "501", "676", "679", "687",
    "800", "853", "881", "888", "974", "992",
];

/// A view of the text of a phone number, stored or not.
#[derive(Clone, Copy)]
pub struct Phone<'a>(pub &'a str);

impl<'a> Phone<'a> {
    /// The number in E.164 form (`+` and at most 15 digits): of a text with `+`, digits and common separators, and of
    /// [a mobile number of mainland China](Phone::is_mainland_mobile). Only the shape is checked: published example numbers are
    /// not assigned ones.
    ///
    /// The text may be as a phone pastes it. As in libphonenumber, digits of every script count, and every dash, space,
    /// full-width form and invisible character is understood. A `(0)` after the country code, which is dialled within the
    /// country alone, is left out.
    pub fn e164(&self) -> Option<String> {
        let plain: String = self.0.chars().filter(|c| !is_invisible(*c)).map(plain).collect::<Option<_>>()?;
        let Some(international) = plain.trim_start_matches([' ', '(']).strip_prefix('+') else {
            let national = plain.trim_matches(' ');
            return Phone(national).is_mainland_mobile().then(|| format!("{MAINLAND}{national}"));
        };
        let digits = without_trunk_prefix(&international.replace(' ', "")).replace(['(', ')'], "");
        let is_number =
            (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| format!("+{digits}"))
    }

    /// Whether it is eleven ASCII digits that can be a mobile number of mainland China, as it is dialled there: without a
    /// country code and separators. The carriers' ranges change too often for a stricter check.
    pub fn is_mainland_mobile(&self) -> bool {
        matches!(self.0.as_bytes(), [b'1', b'3'..=b'9', rest @ ..]
            if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit))
    }

    /// The form in which numbers are compared: E.164 if there is one, else as typed.
    pub fn comparable(&self) -> Cow<'a, str> {
        self.e164().map_or(Cow::Borrowed(self.0), Cow::Owned)
    }
}

/// Returns a character of a number in its ASCII form, a space for every separator; `None` if no number contains it. The
/// separators are those of libphonenumber's `VALID_PUNCTUATION`, but for `x`, which begins an extension.
fn plain(c: char) -> Option<char> {
    match c {
        '+' | '\u{ff0b}' => Some('+'),
        '(' | '[' | '\u{ff08}' | '\u{ff3b}' => Some('('),
        ')' | ']' | '\u{ff09}' | '\u{ff3d}' => Some(')'),
        '.' | '/' | '~' | '\u{223c}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff5e}' => Some(' '),
        c if is_separator(c) => Some(' '),
        c => ascii_digit(c),
    }
}

/// Removes the `(0)` that follows the country code of a number without `+` and spaces.
fn without_trunk_prefix(number: &str) -> Cow<'_, str> {
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    let (country, rest) = number.split_at(end);
    match rest.trim_start_matches(')').strip_prefix("(0)") {
        Some(national) if (1..=3).contains(&country.len()) && !WITH_ZERO.contains(&country) => {
            Cow::Owned(format!("{country}{national}"))
        }
        _ => Cow::Borrowed(number),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_compare_in_e164_where_they_start_with_a_plus() {
        assert_eq!(Phone("+1 (987) 654-321").comparable(), "+1987654321");
        assert_eq!(Phone("1987654321").comparable(), "1987654321");
        assert_eq!(Phone("abc").comparable(), "abc");
        assert_eq!(Phone("+0123").e164(), None);
        assert_eq!(Phone("+1234567890123456").e164(), None);
    }

    #[test]
    fn eleven_digits_of_a_mobile_number_in_mainland_china_compare_with_its_country_code() {
        assert_eq!(Phone("13800138000").e164().as_deref(), Some("+8613800138000"));
        assert_eq!(Phone("13800138000").comparable(), Phone("+86 138-0013-8000").comparable());
        for other in ["12800138000", "1380013800", "138001380000", "23800138000", "138 0013 8000", "138-00138000"] {
            assert_eq!(Phone(other).e164(), None, "{other}");
        }
        assert_eq!(Phone("8613800138000").e164(), None);
        assert_eq!(Phone("008613800138000").e164(), None);
    }

    #[test]
    fn a_pasted_number_compares_as_libphonenumber_reads_it() {
        for pasted in [
            "\u{202a}+1 (415) 555\u{2011}0123\u{202c}",
            "\u{200e}+1\u{a0}415\u{a0}555\u{a0}0123",
            "\u{2068}+1 415\u{2013}555\u{2013}0123\u{2069}\n",
            "\u{ff0b}\u{ff11}\u{ff08}\u{ff14}\u{ff11}\u{ff15}\u{ff09}\u{ff15}\u{ff15}\u{ff15}\u{30fc}\u{ff10}\u{ff11}\u{ff12}\u{ff13}",
            "+\u{661} \u{664}\u{661}\u{665} \u{665}\u{665}\u{665} \u{660}\u{661}\u{662}\u{663}",
            "+1\u{2060}415\u{ad}555\u{200b}0123",
            "(+1) 415.555.0123",
            "+1 [415] 555/0123",
            " +1 415 555 0123\u{feff}",
        ] {
            assert_eq!(Phone(pasted).e164().as_deref(), Some("+14155550123"), "{pasted:?}");
        }
        for mainland in ["\u{202d}13800138000\u{202c}", "13800138000\n", "\u{ff11}\u{ff13}\u{ff18}00138000"] {
            assert_eq!(Phone(mainland).e164().as_deref(), Some("+8613800138000"), "{mainland:?}");
        }
    }

    #[test]
    fn a_zero_that_is_dialled_within_the_country_alone_is_left_out() {
        for (typed, number) in [
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("+44(0)2079460018", "+442079460018"),
            ("(+49) (0) 30 123456", "+4930123456"),
            ("+353-(\u{ff10})1-234 5678", "+35312345678"),
            // In these countries the zero is a part of the number.
            ("+39 (0)6 1234 5678", "+390612345678"),
            ("+225 (0)1 23 45 67 89", "+2250123456789"),
            // Only directly after a country code.
            ("+44 20 (0)7946 0018", "+4420079460018"),
            ("+4420 (0)7946 0018", "+4420079460018"),
        ] {
            assert_eq!(Phone(typed).e164().as_deref(), Some(number), "{typed}");
        }
    }

    #[test]
    fn a_text_with_anything_else_has_no_e164_form() {
        for other in [
            "",
            "+",
            "++14155550123",
            "+1 415 555 0123 ext. 4",
            "+1 415 555 0123 x4",
            "+1 800 FLOWERS",
            "+14155550123, +14155550124",
            "+14155550123+",
            "+1415555\u{0}0123",
            "+1415555\u{8}0123",
            "+1415555\u{2463}0123",
            "tel:+14155550123",
            "14155550123+",
            "+(0)",
        ] {
            assert_eq!(Phone(other).e164(), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn what_separates_digits_does_not_change_a_number(
            digits in "[1-9][0-9]{3,13}",
            separators in proptest::collection::vec(
                prop::sample::select(vec!["", "", " ", "\u{a0}", "-", "\u{2010}", "\u{202a}", "\u{2060}", ".", "\u{3000}"]),
                15,
            )
        ) {
            let typed: String = digits.chars().zip(&separators).map(|(digit, after)| format!("{digit}{after}")).collect();
            prop_assert_eq!(Phone(&format!("\u{202a}+{typed}\u{202c}")).e164(), Some(format!("+{digits}")));
        }

        #[test]
        fn a_form_is_its_own_form(text in "\\PC{0,30}|\\+[0-9() ]{0,20}") {
            if let Some(form) = Phone(&text).e164() {
                prop_assert_eq!(Phone(&form).e164(), Some(form.clone()));
            }
        }
    }
}

//! The rules for values that come from outside the contracts: lines of an import, claims of other issuers, arguments of
//! commands. They allow what some contract writes, so that everything that contracts write can be exported and imported.

use jiff::tz::TimeZone;

use super::{Email, Field, Rule};

impl Field {
    /// The longest text that a contract writes into this field, in Unicode scalar values; of user names, which only
    /// operators write, the longest that is useful. `None` if the field has another rule or no rule but that of
    /// [`Text`](super::Text).
    pub const fn max_length(self) -> Option<usize> {
        match self {
            Field::DisplayName => Some(126),
            Field::GivenName | Field::FamilyName => Some(75),
            Field::Nickname | Field::Username => Some(128),
            Field::Phone => Some(25),
            Field::Language => Some(35),
            Field::TimeZone => Some(50),
            Field::Country => Some(10),
            Field::PushToken => Some(4096),
            Field::Email | Field::Picture | Field::Attributes => None,
            Field::Remark | Field::WalletAddress | Field::AuthLocation => None,
        }
    }

    /// Checks a text against the rule of this field. Pictures and attributes have rules of their own.
    pub fn check(self, text: &str) -> Result<(), Rule> {
        if let Some(max) = self.max_length().filter(|max| text.chars().nth(*max).is_some()) {
            return Err(Rule::MaxLength(max));
        }
        match self {
            Field::Email if !Email(text).is_well_formed() => Err(Rule::EmailAddress),
            Field::Username if text.contains(is_hidden) => Err(Rule::NoControlCharacters),
            _ => Ok(()),
        }
    }
}

/// Checks for a control character, or one that shows nothing and leaves no space: the code points that Unicode calls
/// default-ignorable (DerivedCoreProperties, version 16), and U+2800 BRAILLE PATTERN BLANK. Two texts that differ only in
/// these look the same.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Checks for a text of white space and characters that show nothing: on a page it is no name.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}

/// Checks for a name of the IANA time zone database, link or not, in its exact spelling. `Factory` is none: it stands for
/// a zone that is not set.
pub fn is_time_zone(text: &str) -> bool {
    text != "Factory" && TimeZone::get(text).is_ok_and(|zone| zone.iana_name() == Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_exactly_the_longest_length_is_allowed() {
        for field in Field::ALL {
            let Some(max) = field.max_length() else { continue };
            assert_eq!(field.check(&"\u{e9}".repeat(max)), Ok(()), "{field:?}");
            assert_eq!(field.check(&"\u{e9}".repeat(max + 1)), Err(Rule::MaxLength(max)), "{field:?}");
        }
    }

    #[test]
    fn characters_without_a_shape_are_hidden() {
        for c in ['\0', '\n', '\u{85}', '\u{ad}', '\u{200b}', '\u{202e}', '\u{2060}', '\u{feff}', '\u{e0041}'] {
            assert!(is_hidden(c), "{c:?}");
        }
        for c in ['a', ' ', '\u{e9}', '\u{301}', '\u{3000}', '\u{5c71}', '\u{1f600}'] {
            assert!(!is_hidden(c), "{c:?}");
        }
    }
}

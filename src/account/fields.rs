use std::fmt;
use std::ops::{Index, IndexMut};

/// A personal field: a text, stored encrypted or plain, which some contracts show and some write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The name that others see.
    DisplayName,
    /// The given (first) name.
    GivenName,
    /// The family (last) name.
    FamilyName,
    /// A casual name.
    Nickname,
    /// The name to sign in with; written by operators.
    Username,
    /// The e-mail address as it was typed.
    Email,
    /// The phone number as it was typed.
    Phone,
    /// The preferred language, a BCP 47 tag where the writing contract checks it.
    Language,
    /// The time zone, an IANA name where the writing contract checks it.
    TimeZone,
    /// The country, an ISO 3166-1 code where the writing contract checks it.
    Country,
    /// The operators' remark, shown to the person and never written by them.
    Remark,
    /// The picture: an http(s) address, or the name of a stored picture.
    Picture,
    /// The attributes: one JSON object in compact form.
    Attributes,
    /// The token that push notifications go to; no contract shows it.
    PushToken,
    /// CL2C's wallet address; written by operators.
    WalletAddress,
    /// CL2C's place of authentication; written by operators.
    AuthLocation,
}

impl Field {
    /// Every field, in the order of the columns.
    pub const ALL: [Field; 16] = [
        Field::DisplayName,
        Field::GivenName,
        Field::FamilyName,
        Field::Nickname,
        Field::Username,
        Field::Email,
        Field::Phone,
        Field::Language,
        Field::TimeZone,
        Field::Country,
        Field::Remark,
        Field::Picture,
        Field::Attributes,
        Field::PushToken,
        Field::WalletAddress,
        Field::AuthLocation,
    ];

    /// The name in the database, in the history and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Field::DisplayName => "display_name",
            Field::GivenName => "given_name",
            Field::FamilyName => "family_name",
            Field::Nickname => "nickname",
            Field::Username => "username",
            Field::Email => "email",
            Field::Phone => "phone",
            Field::Language => "language",
            Field::TimeZone => "time_zone",
            Field::Country => "country",
            Field::Remark => "remark",
            Field::Picture => "picture",
            Field::Attributes => "attributes",
            Field::PushToken => "push_token",
            Field::WalletAddress => "wallet_address",
            Field::AuthLocation => "auth_location",
        }
    }

    /// The field with this name.
    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// Bounded text: never empty, no NUL, at most [`Text::MAX_BYTES`] bytes of UTF-8. The contract that writes a text enforces
/// stricter limits; the code that puts it into a header, a log or a page makes it safe there.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Box<str>);

/// Why a text cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It contains U+0000.
    #[error("must not contain NUL")]
    Nul,
    /// It is longer than [`Text::MAX_BYTES`].
    #[error("must be at most {} bytes", Text::MAX_BYTES)]
    TooLong,
    /// It is empty; a field is unset by clearing it.
    #[error("must not be empty")]
    Empty,
}

impl Text {
    /// The largest text of any field, in bytes; attributes need this much.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Checks the bounds and wraps the text.
    pub fn new(text: impl Into<Box<str>>) -> Result<Text, TextError> {
        let text = text.into();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > Text::MAX_BYTES {
            return Err(TextError::TooLong);
        }
        if text.contains('\0') {
            return Err(TextError::Nul);
        }
        Ok(Text(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows only the length: a personal value never reaches a log through `{:?}`.
impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Text({} bytes)", self.0.len())
    }
}

/// One optional text for each [`Field`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts([Option<Text>; Field::ALL.len()]);

impl Index<Field> for Texts {
    type Output = Option<Text>;

    fn index(&self, field: Field) -> &Option<Text> {
        &self.0[field as usize]
    }
}

impl IndexMut<Field> for Texts {
    fn index_mut(&mut self, field: Field) -> &mut Option<Text> {
        &mut self.0[field as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_list_is_the_order_of_the_columns() {
        for (position, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, position);
            assert_eq!(Field::from_name(field.name()), Some(field));
        }
    }

    #[test]
    fn a_text_is_bounded_and_has_no_nul() {
        assert_eq!(Text::new(""), Err(TextError::Empty));
        assert_eq!(Text::new("a\0b"), Err(TextError::Nul));
        assert_eq!(Text::new("x".repeat(Text::MAX_BYTES + 1)), Err(TextError::TooLong));
        assert!(Text::new("x".repeat(Text::MAX_BYTES)).is_ok());
    }

    #[test]
    fn a_text_does_not_show_itself_in_debug_output() {
        assert_eq!(format!("{:?}", Text::new("Jane Admin").unwrap()), "Text(10 bytes)");
    }
}

use std::borrow::Cow;
use std::fmt;

use super::PictureRule;
use super::attributes::{MAX_DEPTH, MAX_KEY};

/// One field that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name that the field has on the wire of the contract that refuses it.
    pub field: Cow<'static, str>,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// The rules that a contract may put on a field.
#[derive(Clone, PartialEq, Eq)]
pub enum Rule {
    /// It must be present and not blank.
    Required,
    /// At most this many Unicode scalar values.
    MaxLength(usize),
    /// A JSON string.
    Text,
    /// No control characters (at least no U+0000).
    NoControlCharacters,
    /// A JSON object.
    Object,
    /// No nesting deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Names of members of 1 to [`MAX_KEY`] characters.
    KeyLength,
    /// Numbers within the range of a double.
    NumberRange,
    /// A picture, or the address of one.
    Picture(PictureRule),
    /// Among the pictures that this installation stores, only the account's own.
    ForeignPicture,
    /// A match with the tenant's schema.
    Schema,
    /// No change of an attribute that the tenant's schema marks as read-only.
    ReadOnly,
    /// The form of a phone number.
    PhoneNumber,
    /// The form of an e-mail address.
    EmailAddress,
    /// Exactly this many ASCII digits.
    Digits(u8),
    /// The form of an account's identifier.
    Identifier,
    /// Not an address that another account has proved; contains it as it was sent.
    Registered(String),
}

/// Renders the field and the rule that it breaks, for operators.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.rule)
    }
}

/// Renders what the rule expects, without the field's value.
impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Required => formatter.write_str("required"),
            Rule::MaxLength(max) => write!(formatter, "expected at most {max} characters"),
            Rule::Text => formatter.write_str("expected a string"),
            Rule::NoControlCharacters => formatter.write_str("expected no control character"),
            Rule::Object => formatter.write_str("expected an object"),
            Rule::TooDeep => write!(formatter, "expected at most {MAX_DEPTH} levels"),
            Rule::KeyLength => write!(formatter, "expected names of 1 to {MAX_KEY} characters"),
            Rule::NumberRange => formatter.write_str("expected a number within the range of a double"),
            Rule::Picture(rule) => write!(formatter, "{rule}"),
            Rule::ForeignPicture => formatter.write_str("expected a picture of this account"),
            Rule::Schema => formatter.write_str("does not match the schema"),
            Rule::ReadOnly => formatter.write_str("read-only"),
            Rule::PhoneNumber => formatter.write_str("expected a phone number"),
            Rule::EmailAddress => formatter.write_str("expected an e-mail address"),
            Rule::Digits(length) => write!(formatter, "expected {length} digits"),
            Rule::Identifier => formatter.write_str("expected an account's identifier"),
            Rule::Registered(_) => formatter.write_str("already proved by another account"),
        }
    }
}

/// As for operators: the value that breaks a rule may be personal.
impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

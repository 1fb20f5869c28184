use std::borrow::Cow;
use std::fmt;

use super::PictureRule;
use super::attributes::{MAX_DEPTH, MAX_KEY};

/// One field that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the field in the contract that refuses it; for attributes that break the schema, the JSON Pointer (RFC
    /// 6901) of the place within them.
    pub field: Cow<'static, str>,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// A rule for the value of a field.
#[derive(Clone, PartialEq, Eq)]
pub enum Rule {
    /// The value must be present and not blank.
    Required,
    /// The value must have at most this many Unicode scalar values.
    MaxLength(usize),
    /// The value must be a JSON string.
    Text,
    /// The text must not contain control characters; every contract refuses at least U+0000.
    NoControlCharacters,
    /// The value must be a JSON object.
    Object,
    /// The value must have at most [`MAX_DEPTH`] levels.
    TooDeep,
    /// Names of members must have 1 to [`MAX_KEY`] characters.
    KeyLength,
    /// Numbers must be within the range of a double.
    NumberRange,
    /// The value must be a picture, or the address of one.
    Picture(PictureRule),
    /// A picture that this installation stores must be the account's own.
    ForeignPicture,
    /// The attributes must match the tenant's schema.
    Schema,
    /// The attribute must not change: the tenant's schema marks it as read-only.
    ReadOnly,
    /// The value must have the form of a phone number.
    PhoneNumber,
    /// The value must have the form of an e-mail address.
    EmailAddress,
    /// The value must be a code of this many digits, in whatever script and grouping.
    Digits(u8),
    /// The value must have the form of an account's identifier.
    Identifier,
    /// The address must not be proved by another account; contains the address as it was sent.
    Registered(String),
}

/// Renders the field and the rule that it breaks, for operators.
impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.rule)
    }
}

/// Describes the rule, or how it is broken, without the field's value.
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

/// Renders the same as `Display`: the value that breaks a rule may be personal.
impl fmt::Debug for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

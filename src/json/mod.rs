//! The server's JSON tree, which request bodies and stored attributes are parsed into and written from.
//!
//! It preserves what general trees lose: the order of members and the text of numbers. [`parse`] is strict, so that an
//! accepted text means the same to every later reader.

mod number;
mod object;
mod parse;
mod select;
mod write;

#[cfg(test)]
mod tests;

pub use number::{NotANumber, Number};
pub use object::Object;
pub(crate) use parse::parse_within;
pub use parse::{MAX_DEPTH, MAX_VALUES, Malformed, MalformedKind, parse, parse_unique};
pub use select::{Selected, Selection, parse_selected};

/// The byte order mark of UTF-8, which some writers put before a text and readers may ignore (RFC 8259 §8.1).
pub const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Returns a text without the byte order mark before it; only the first of several is one.
pub fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// One JSON value (RFC 8259).
///
/// Two objects are equal when they have equal members in any order; two numbers only when their texts are the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as the text it was sent in.
    Number(Number),
    /// A string, with its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, with its members in the order they were sent in.
    Object(Object),
}

impl Value {
    /// Returns the text of a string, `None` for any other kind of value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the members of an object, `None` for any other kind of value.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the members of an object, taken out of the value; any other kind of value is returned as the error.
    pub fn into_object(self) -> Result<Object, Value> {
        match self {
            Value::Object(object) => Ok(object),
            other => Err(other),
        }
    }

    /// Returns the name of this kind of value in JSON Schema: `null`, `boolean`, `number`, `string`, `array` or
    /// `object`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }

    /// Checks whether any string or key of this value contains U+0000, which PostgreSQL cannot store as text.
    pub fn contains_nul(&self) -> bool {
        match self {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(Value::contains_nul),
            Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || value.contains_nul()),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Returns how deep arrays and objects are nested: 0 for a scalar, 1 for `[]`, 2 for `[{}]`.
    ///
    /// [`parse`] returns at most [`MAX_DEPTH`]. Code that composes values must respect that limit too.
    pub fn depth(&self) -> usize {
        match self {
            Value::Array(items) => 1 + items.iter().map(Value::depth).fold(0, usize::max),
            Value::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).fold(0, usize::max),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Number(value.into())
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Value::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::Array(items)
    }
}

impl From<Object> for Value {
    fn from(members: Object) -> Self {
        Value::Object(members)
    }
}

/// `None` is `null`.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

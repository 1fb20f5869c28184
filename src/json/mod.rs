//! The one JSON tree of the product: what request bodies and stored attributes are read into and written from.
//!
//! It keeps what general trees lose: the order of members and the text of numbers. [`parse`] is strict, so that a text
//! which got in means the same to every later reader.

mod number;
mod object;
mod parse;
mod write;

#[cfg(test)]
mod tests;

pub use number::{NotANumber, Number};
pub use object::Object;
pub(crate) use parse::parse_within;
pub use parse::{MAX_DEPTH, MAX_VALUES, Malformed, MalformedKind, parse, parse_unique};

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
    /// A string, its escapes resolved.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, its members in the order they were sent in.
    Object(Object),
}

impl Value {
    /// The text of a string, `None` for any other kind of value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object, `None` for any other kind of value.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The members of an object, taken out of the value; any other kind of value is given back as the error.
    pub fn into_object(self) -> Result<Object, Value> {
        match self {
            Value::Object(object) => Ok(object),
            other => Err(other),
        }
    }

    /// The name that JSON Schema has for this kind of value: `null`, `boolean`, `number`, `string`, `array` or `object`.
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

    /// Whether U+0000 is in any string or key of this value, which PostgreSQL could not store as text.
    pub fn contains_nul(&self) -> bool {
        match self {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(Value::contains_nul),
            Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || value.contains_nul()),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// How many arrays and objects are nested at the deepest place: 0 for a scalar, 1 for `[]`, 2 for `[{}]`.
    ///
    /// [`parse`] gives at most [`MAX_DEPTH`]. Who puts values together must keep to that too.
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

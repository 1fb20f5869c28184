//! Serialization of values as compact JSON.

use std::fmt::{self, Display, Write};

use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Number, Object, Value};

impl Value {
    /// Returns the value as JSON without white space; [`parse`](super::parse()) reads it back as an equal value.
    ///
    /// Numbers keep their text, members their order, and strings escape only what RFC 8259, section 7, demands.
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

/// Writes the same text as [`Value::to_text`].
impl Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => out.write_str("null"),
            Value::Bool(true) => out.write_str("true"),
            Value::Bool(false) => out.write_str("false"),
            Value::Number(number) => out.write_str(number.as_str()),
            Value::String(text) => write_string(out, text),
            Value::Array(items) => write_array(out, items),
            Value::Object(members) => members.fmt(out),
        }
    }
}

/// Writes the same text as [`Value::to_text`].
impl Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('{')?;
        for (index, (key, value)) in self.iter().enumerate() {
            if index > 0 {
                out.write_char(',')?;
            }
            write_string(out, key)?;
            out.write_char(':')?;
            value.fmt(out)?;
        }
        out.write_char('}')
    }
}

fn write_array(out: &mut fmt::Formatter<'_>, items: &[Value]) -> fmt::Result {
    out.write_char('[')?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        item.fmt(out)?;
    }
    out.write_char(']')
}

fn write_string(out: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut written = 0;
    // Every escaped byte is ASCII, so the cuts fall between characters.
    for (index, byte) in text.bytes().enumerate().filter(|(_, byte)| matches!(byte, ..0x20 | b'"' | b'\\')) {
        out.write_str(&text[written..index])?;
        written = index + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\t' => out.write_str("\\t")?,
            b'\r' => out.write_str("\\r")?,
            0x08 => out.write_str("\\b")?,
            0x0c => out.write_str("\\f")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(&text[written..])?;
    out.write_char('"')
}

/// Numbers keep their text only with a text serializer of `serde_json`; no other one is meant to be used.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(members) => members.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.as_str()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn read(text: &str) -> Value {
        parse(text.as_bytes()).expect("the text is JSON")
    }

    #[test]
    fn a_value_is_written_without_white_space_in_its_order() {
        let value = read(r#" { "b" : [ 1 , null , true , false , [ ] , { } ] , "a" : "x" } "#);
        assert_eq!(value.to_text(), r#"{"b":[1,null,true,false,[],{}],"a":"x"}"#);
    }

    #[test]
    fn a_string_escapes_only_what_it_must() {
        let text = Value::from("\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}é\u{2028}😀");
        assert_eq!(text.to_text(), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é\u{2028}😀\"");
    }

    #[test]
    fn a_key_is_escaped_as_a_string_is() {
        let object: Object = [("a\"\n", 1i64)].into_iter().collect();
        assert_eq!(object.to_string(), r#"{"a\"\n":1}"#);
    }

    #[test]
    fn serde_writes_the_same_text() {
        let text = r#"{"z":[1.0,-0,1e2,9007199254740993,1e999,null,true,"\u0001é"],"a":{},"b":[]}"#;
        let value = read(text);
        assert_eq!(serde_json::to_string(&value).ok().as_deref(), Some(text));
        assert_eq!(serde_json::to_string(&value.as_object()).ok().as_deref(), Some(text));
    }
}

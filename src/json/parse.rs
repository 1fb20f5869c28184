//! A strict JSON parser with limits.

use std::str;

use super::{Number, Object, Value, number};

/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 64;

/// The most values in one text. Every item, member and container counts, including values that a later duplicate of
/// their key replaces.
///
/// Enough for an object of 300 000 members. A value takes far more memory than text, at worst about 200 bytes for the
/// seven of `{"a":…}`. With this limit the tree of a text of up to 3 MiB stays below 100 MiB; limited by its length
/// alone it could take more.
pub const MAX_VALUES: usize = 400_000;

/// Parses `bytes`, which must be exactly one value of RFC 8259, with JSON white space around it allowed.
///
/// Stricter than the RFC: refuses invalid UTF-8 and lone surrogates anywhere, a byte order mark, and a text beyond
/// [`MAX_DEPTH`] or [`MAX_VALUES`]. `\u0000` is accepted: see [`Value::contains_nul`]. The last member with the same
/// key counts. Takes time proportional to the length, which the caller must bound.
pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    read(bytes, MAX_DEPTH, false)
}

/// Parses `bytes` like [`parse`], but refuses duplicate keys in one object: for texts whose signer and reader must not
/// choose different ones (RFC 7515 §4, RFC 7519 §4).
pub fn parse_unique(bytes: &[u8]) -> Result<Value, Malformed> {
    read(bytes, MAX_DEPTH, true)
}

/// Parses like [`parse`], with another limit in place of [`MAX_DEPTH`]: for an envelope of a value that may be that
/// deep itself.
pub(crate) fn parse_within(bytes: &[u8], depth: usize) -> Result<Value, Malformed> {
    read(bytes, depth, false)
}

fn read(bytes: &[u8], depth: usize, unique: bool) -> Result<Value, Malformed> {
    let text = str::from_utf8(bytes)
        .map_err(|error| Malformed { offset: error.valid_up_to(), kind: MalformedKind::InvalidUtf8 })?;
    let mut parser = Parser { text, position: 0, values: 0, depth, unique };
    if text.starts_with('\u{feff}') {
        return Err(parser.malformed(MalformedKind::ByteOrderMark));
    }

    parser.skip_white_space();
    let value = parser.value(0)?;
    parser.skip_white_space();
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.malformed(MalformedKind::TrailingData)),
    }
}

/// Where and why a text is not JSON, for developers; it quotes nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed JSON at byte {offset}: {kind}")]
pub struct Malformed {
    /// The number of bytes before the error.
    pub offset: usize,
    /// The error at that offset.
    pub kind: MalformedKind,
}

/// The error in a text that is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKind {
    /// The text ends where more is required; an empty text too.
    #[error("the text ends before the value does")]
    UnexpectedEnd,
    /// Unexpected input; the value names what was expected.
    #[error("expected {0}")]
    Expected(&'static str),
    /// An incomplete number, such as `1.` or `-`.
    #[error("expected a digit of the number")]
    InvalidNumber,
    /// An unescaped character below U+0020 in a string.
    #[error("a control character in a string must be escaped")]
    ControlCharacter,
    /// A backslash that begins none of the escapes of RFC 8259, section 7.
    #[error("unknown escape: use \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u with four hexadecimal digits")]
    InvalidEscape,
    /// An escaped surrogate without its other half.
    #[error("a surrogate must be escaped as a pair, high before low")]
    LoneSurrogate,
    /// The bytes are not UTF-8.
    #[error("the text must be UTF-8")]
    InvalidUtf8,
    /// The text begins with U+FEFF.
    #[error("the text must not begin with a byte order mark")]
    ByteOrderMark,
    /// The value is followed by more than white space.
    #[error("the text must end after the value")]
    TrailingData,
    /// A key that occurs already in its object, where keys must be unique.
    #[error("a key may come only once in an object")]
    DuplicateKey,
    /// Arrays and objects are nested deeper than [`MAX_DEPTH`].
    #[error("at most {MAX_DEPTH} arrays and objects may be nested")]
    TooDeep,
    /// The text has more than [`MAX_VALUES`] values.
    #[error("at most {MAX_VALUES} values may be in one text")]
    TooManyValues,
}

/// `position` is always between two characters: it only ever moves past ASCII, or to ASCII.
struct Parser<'a> {
    text: &'a str,
    position: usize,
    values: usize,
    unique: bool,
    depth: usize,
}

impl Parser<'_> {
    /// Recursion is limited by `self.depth`; `depth` counts the containers around this value.
    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if self.values == MAX_VALUES {
            return Err(self.malformed(MalformedKind::TooManyValues));
        }
        self.values += 1;
        match self.peek() {
            Some(b'{') => self.object(depth + 1).map(Value::Object),
            Some(b'[') => self.array(depth + 1).map(Value::Array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object, Malformed> {
        let mut members = Object::new();
        self.open(depth)?;
        if self.take(b'}') {
            return Ok(members);
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in double quotes"));
            }
            let key = self.string()?;
            self.skip_white_space();
            if !self.take(b':') {
                return Err(self.expected("`:`"));
            }
            self.skip_white_space();
            if members.insert(key, self.value(depth)?).is_some() && self.unique {
                return Err(self.malformed(MalformedKind::DuplicateKey));
            }
            self.skip_white_space();
            if self.take(b'}') {
                // Most objects are small, and spare capacity would multiply the cost of each.
                members.shrink_to_fit();
                return Ok(members);
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
            self.skip_white_space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Malformed> {
        let mut items = Vec::new();
        self.open(depth)?;
        if self.take(b']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_white_space();
            if self.take(b']') {
                items.shrink_to_fit();
                return Ok(items);
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`"));
            }
            self.skip_white_space();
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth > self.depth {
            return Err(self.malformed(MalformedKind::TooDeep));
        }
        self.position += 1;
        self.skip_white_space();
        Ok(())
    }

    fn string(&mut self) -> Result<String, Malformed> {
        self.position += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text[self.position..];
            let plain = rest.bytes().take_while(|byte| !matches!(byte, ..0x20 | b'"' | b'\\')).count();
            string.push_str(&rest[..plain]);
            self.position += plain;
            match self.peek() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(self.malformed(MalformedKind::ControlCharacter)),
                None => return Err(self.malformed(MalformedKind::UnexpectedEnd)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let character = match self.text.as_bytes().get(self.position + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.escaped_code_point(),
            _ => return Err(self.malformed(MalformedKind::InvalidEscape)),
        };
        self.position += 2;
        Ok(character)
    }

    /// Reads one `\uXXXX`, or two that form a surrogate pair.
    fn escaped_code_point(&mut self) -> Result<char, Malformed> {
        let Some(first) = self.code_unit(self.position) else {
            return Err(self.malformed(MalformedKind::InvalidEscape));
        };
        let second = self.code_unit(self.position + 6);
        let units = [first, second.unwrap_or_default()];
        let Some(Ok(character)) = char::decode_utf16(units).next() else {
            return Err(self.malformed(MalformedKind::LoneSurrogate));
        };
        self.position += 6 * character.len_utf16();
        Ok(character)
    }

    /// Returns the UTF-16 code unit that the six bytes at `position` escape, if they do.
    fn code_unit(&self, position: usize) -> Option<u16> {
        let digits = self.text.as_bytes().get(position..position + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)? as u16))
    }

    fn number(&mut self) -> Result<Number, Malformed> {
        let rest = &self.text[self.position..];
        match number::length(rest.as_bytes()) {
            Ok(length) => {
                self.position += length;
                Ok(Number::from_measured(&rest[..length]))
            }
            Err(fault) => {
                self.position += fault;
                Err(self.or_end(MalformedKind::InvalidNumber))
            }
        }
    }

    fn literal(&mut self, literal: &'static str, value: Value) -> Result<Value, Malformed> {
        if !self.text[self.position..].starts_with(literal) {
            return Err(self.expected("a value"));
        }
        self.position += literal.len();
        Ok(value)
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn expected(&self, what: &'static str) -> Malformed {
        self.or_end(MalformedKind::Expected(what))
    }

    fn or_end(&self, kind: MalformedKind) -> Malformed {
        self.malformed(if self.peek().is_none() { MalformedKind::UnexpectedEnd } else { kind })
    }

    fn malformed(&self, kind: MalformedKind) -> Malformed {
        Malformed { offset: self.position, kind }
    }
}

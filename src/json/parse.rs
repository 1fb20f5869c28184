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
    let mut parser = Parser::new(bytes, depth, unique)?;
    parser.whole(|parser| parser.value(0, true))
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
    /// The text is longer than its reader allows.
    #[error("the text is too long")]
    TooLong,
    /// U+0000 in a name or a value that is not kept.
    #[error("a member that is not read must not contain U+0000")]
    Nul,
}

/// `position` is always between two characters: it only ever moves past ASCII, or to ASCII.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
    values: usize,
    unique: bool,
    depth: usize,
    /// The most bytes of the text, without those in `apart`.
    pub(super) limit: usize,
    /// Bytes before `position` that do not count towards the limit.
    pub(super) apart: usize,
}

/// Values are checked the same whether they are kept or not. One that is not kept is returned empty, allocates nothing, and
/// must not contain U+0000.
impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8], depth: usize, unique: bool) -> Result<Parser<'a>, Malformed> {
        let text = str::from_utf8(bytes)
            .map_err(|error| Malformed { offset: error.valid_up_to(), kind: MalformedKind::InvalidUtf8 })?;
        let parser = Parser { text, position: 0, values: 0, unique, depth, limit: usize::MAX, apart: 0 };
        match text.starts_with('\u{feff}') {
            true => Err(parser.malformed(MalformedKind::ByteOrderMark)),
            false => Ok(parser),
        }
    }

    /// Reads the whole text as one value, with white space around it.
    pub(super) fn whole<T>(
        &mut self,
        value: impl FnOnce(&mut Parser<'a>) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        self.skip_white_space();
        let value = value(self)?;
        self.skip_white_space();
        self.within_limit(self.position)?;
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.malformed(MalformedKind::TrailingData)),
        }
    }

    /// Recursion is limited by `self.depth`; `depth` counts the containers around this value.
    pub(super) fn value(&mut self, depth: usize, keep: bool) -> Result<Value, Malformed> {
        self.count()?;
        match self.peek() {
            Some(b'{') => self.object(depth + 1, keep).map(Value::Object),
            Some(b'[') => self.array(depth + 1, keep).map(Value::Array),
            Some(b'"') => self.string(keep).map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(keep),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    /// Counts a value.
    pub(super) fn count(&mut self) -> Result<(), Malformed> {
        self.within_limit(self.position)?;
        if self.values == MAX_VALUES {
            return Err(self.malformed(MalformedKind::TooManyValues));
        }
        self.values += 1;
        Ok(())
    }

    fn object(&mut self, depth: usize, keep: bool) -> Result<Object, Malformed> {
        let mut members = Object::new();
        self.members(depth, |parser| {
            let key = parser.key(keep)?;
            let value = parser.value(depth, keep)?;
            if keep && members.insert(key, value).is_some() && parser.unique {
                return Err(parser.malformed(MalformedKind::DuplicateKey));
            }
            Ok(())
        })?;
        // Most objects are small, and spare capacity would multiply the cost of each.
        members.shrink_to_fit();
        Ok(members)
    }

    /// Reads an object; `member` is called where each key begins, and reads the member.
    pub(super) fn members(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Parser<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.open(depth)?;
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            member(self)?;
            self.skip_white_space();
            if self.take(b'}') {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
            self.skip_white_space();
        }
    }

    /// Reads a key and what separates it from its value.
    pub(super) fn key(&mut self, keep: bool) -> Result<String, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        let key = self.string(keep)?;
        self.skip_white_space();
        if !self.take(b':') {
            return Err(self.expected("`:`"));
        }
        self.skip_white_space();
        Ok(key)
    }

    fn array(&mut self, depth: usize, keep: bool) -> Result<Vec<Value>, Malformed> {
        let mut items = Vec::new();
        self.open(depth)?;
        if self.take(b']') {
            return Ok(items);
        }
        loop {
            let item = self.value(depth, keep)?;
            if keep {
                items.push(item);
            }
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

    pub(super) fn string(&mut self, keep: bool) -> Result<String, Malformed> {
        self.position += 1;
        let mut string = String::new();
        loop {
            let plain = self.plain();
            self.within_limit(self.position + plain.len())?;
            self.position += plain.len();
            if keep {
                string.push_str(plain);
            }
            match self.peek() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(string);
                }
                Some(b'\\') => match self.escape()? {
                    '\0' if !keep => return Err(self.malformed(MalformedKind::Nul)),
                    character if keep => string.push(character),
                    _ => {}
                },
                Some(_) => return Err(self.malformed(MalformedKind::ControlCharacter)),
                None => return Err(self.malformed(MalformedKind::UnexpectedEnd)),
            }
        }
    }

    /// Returns the part of a string from here that stands for itself.
    pub(super) fn plain(&self) -> &'a str {
        let rest = &self.text[self.position..];
        &rest[..rest.bytes().take_while(|byte| !matches!(byte, ..0x20 | b'"' | b'\\')).count()]
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

    fn number(&mut self, keep: bool) -> Result<Value, Malformed> {
        let rest = &self.text[self.position..];
        match number::length(rest.as_bytes()) {
            Ok(length) => {
                self.within_limit(self.position + length)?;
                self.position += length;
                Ok(if keep { Value::Number(Number::from_measured(&rest[..length])) } else { Value::Null })
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

    /// Fails if the text up to a position is longer than allowed.
    fn within_limit(&self, end: usize) -> Result<(), Malformed> {
        match end - self.apart > self.limit {
            true => Err(self.malformed(MalformedKind::TooLong)),
            false => Ok(()),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
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

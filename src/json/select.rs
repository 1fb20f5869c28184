//! Parsing of an object of which only some members are read.

use std::borrow::Cow;

use super::parse::Parser;
use super::{MAX_DEPTH, Malformed, Object, Value};

/// Which members of an object are kept.
pub struct Selection<'s> {
    /// Decides by its name whether a member is kept.
    pub keep: fn(&str) -> bool,
    /// The member whose string may be long. It is returned apart, and not copied unless it has escapes.
    pub long: Option<&'s str>,
    /// The most bytes of the text, without the strings of `long`.
    pub limit: usize,
}

/// What a selection keeps of a text: an object with the members that are kept, or any other value; and the string of the long
/// member, which the object lacks then.
pub type Selected<'a> = (Value, Option<Cow<'a, str>>);

/// Parses `bytes` like [`parse`](super::parse()), and keeps only the members of the outermost object that are selected. All
/// others are checked by the same rules and must not contain U+0000, in their names neither; they take no memory.
///
/// Fails with [`MalformedKind::TooLong`](super::MalformedKind::TooLong), before it reads on, when the text is longer than the
/// selection allows.
pub fn parse_selected<'a>(bytes: &'a [u8], selection: &Selection<'_>) -> Result<Selected<'a>, Malformed> {
    let mut parser = Parser::new(bytes, MAX_DEPTH, false)?;
    parser.limit = selection.limit;
    parser.whole(|parser| match parser.peek() {
        Some(b'{') => parser.selected(selection),
        _ => Ok((parser.value(0, true)?, None)),
    })
}

impl<'a> Parser<'a> {
    fn selected(&mut self, selection: &Selection<'_>) -> Result<Selected<'a>, Malformed> {
        let (mut members, mut long) = (Object::new(), None);
        self.count()?;
        self.members(1, |parser| {
            let begin = parser.position;
            let key = parser.key(true)?;
            let is_long = selection.long == Some(key.as_str());
            let keep = is_long || (selection.keep)(&key);
            if !keep && key.contains('\0') {
                return Err(Malformed { offset: begin, kind: super::MalformedKind::Nul });
            }
            if is_long && parser.peek() == Some(b'"') {
                long = Some(parser.long_string()?);
                members.remove(&key);
                return Ok(());
            }
            let value = parser.value(1, keep)?;
            if is_long {
                long = None;
            }
            if keep {
                members.insert(key, value);
            }
            Ok(())
        })?;
        Ok((Value::Object(members), long))
    }

    /// Reads a string that does not count towards the limit.
    fn long_string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.count()?;
        let begin = self.position;
        self.position += 1;
        let plain = self.plain();
        self.position += plain.len();
        let string = if self.peek() == Some(b'"') {
            self.position += 1;
            Cow::Borrowed(plain)
        } else {
            self.position = begin;
            let limit = std::mem::replace(&mut self.limit, usize::MAX);
            let string = self.string(true)?;
            self.limit = limit;
            Cow::Owned(string)
        };
        self.apart += self.position - begin;
        Ok(string)
    }
}

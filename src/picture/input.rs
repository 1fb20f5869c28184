//! Classification of the text that a client sends as its picture, by its form alone.

use url::Url;

use super::data_uri::{self, Data};
use crate::account::{Picture, PictureRule};

/// The longest address of an external picture, in bytes.
const MAX_ADDRESS: usize = 2048;

/// The text that a client sent as its picture, classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureInput<'a> {
    /// An external picture; its address is shown as it is and never fetched.
    Address(&'a str),
    /// The text after `/pictures/` in an address of this installation: the name of a stored picture, if there is one of
    /// that name.
    Ours(&'a str),
    /// The picture itself.
    Data(Data<'a>),
}

/// Parses the text; `public_url` is the origin under which this installation serves its own pictures, without a
/// trailing slash. Takes time proportional to the text.
pub fn read<'a>(text: &'a str, public_url: &str) -> Result<PictureInput<'a>, PictureRule> {
    if strip_prefix(text, "data:").is_some() {
        return data_uri::read(text).map(PictureInput::Data);
    }
    check_address(text)?;
    let path = strip_prefix(text, public_url);
    Ok(match path.and_then(|path| path.strip_prefix(super::upload::PATH)) {
        Some(name) => PictureInput::Ours(name),
        None => PictureInput::Address(text),
    })
}

/// Checks a picture that an import or a command brings: an address as contracts take it, or the exact internal form of a
/// stored picture. Whether another account has that picture is checked when the account is written. The error is for
/// operators.
pub fn check(text: &str, public_url: &str) -> Result<(), &'static str> {
    let stored = matches!(Picture::of(text), Some(Picture::Stored { upload: Some(_), .. }));
    if stored || matches!(read(text, public_url), Ok(PictureInput::Address(_))) {
        Ok(())
    } else {
        Err("expected an http or https address of at most 2048 bytes, or stored:NAME:DIGEST as an export has it")
    }
}

/// Checks for an `http` or `https` URI (RFC 3986) with a host and without user information, which browsers accept too (URL
/// Standard).
fn check_address(text: &str) -> Result<(), PictureRule> {
    let rest = strip_prefix(text, "http://").or_else(|| strip_prefix(text, "https://"));
    let rest = rest.ok_or(PictureRule::NotAPicture)?;
    if text.len() > MAX_ADDRESS {
        return Err(PictureRule::AddressTooLong);
    }
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if is_written_in_uri_characters(rest) && is_host_and_port(authority) && Url::parse(text).is_ok() {
        Ok(())
    } else {
        Err(PictureRule::NotAPicture)
    }
}

/// RFC 3986 §2: unreserved and reserved characters, and percent-encoded bytes.
fn is_written_in_uri_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte),
    })
}

fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => (&authority[..colon], &authority[colon + 1..]),
        _ => (authority, ""),
    };
    let is_port = port.is_empty() || port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match literal {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['[', ']', ':', '@']),
    };
    is_port && is_host
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;

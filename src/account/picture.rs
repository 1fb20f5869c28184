use std::fmt;

/// A view on a stored picture field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture<'a> {
    /// Somewhere else: an http(s) address that is shown as it is and never fetched.
    Address(&'a str),
    /// Kept by this installation.
    Stored {
        /// The random name, with the ending of its type; it tells nothing about the content.
        name: &'a str,
        /// The SHA-256 of the uploaded bytes in hexadecimal digits, a dot, and how many bytes they are: the same upload again
        /// changes nothing, and the history tells what was uploaded without holding it.
        digest: &'a str,
    },
}

/// What the field of a picture of ours begins with; no address does.
const STORED: &str = "stored:";

impl<'a> Picture<'a> {
    /// Reads the field.
    pub fn of(text: &'a str) -> Picture<'a> {
        match text.strip_prefix(STORED).and_then(|stored| stored.split_once(':')) {
            Some((name, digest)) => Picture::Stored { name, digest },
            None => Picture::Address(text),
        }
    }
}

/// Writes the field.
impl fmt::Display for Picture<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Picture::Address(address) => formatter.write_str(address),
            Picture::Stored { name, digest } => write!(formatter, "{STORED}{name}:{digest}"),
        }
    }
}

/// The rules that a picture's text may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureRule {
    /// It is neither an `http` or `https` address nor a data URI in base64.
    #[error("expected an http or https address or a data URI in base64")]
    NotAPicture,
    /// It is an address of more than 2048 bytes.
    #[error("expected an address of at most 2048 bytes")]
    AddressTooLong,
    /// It is a data URI of no media type, or of one that is not read here.
    #[error("unsupported type of picture")]
    UnsupportedType,
    /// Its base64 is not what RFC 4648 §4 says, or empty.
    #[error("invalid base64")]
    InvalidBase64,
    /// It decodes to more than 2 MiB.
    #[error("expected a picture of at most 2 MiB")]
    TooLarge,
}

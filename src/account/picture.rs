use std::fmt;

/// A view of a stored picture field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture<'a> {
    /// An http(s) address on another server, which is shown as it is and never fetched.
    Address(&'a str),
    /// A picture that this installation stores.
    Stored {
        /// The random name, with the file extension of its type; it reveals nothing about the content.
        name: &'a str,
        /// The SHA-256 of the uploaded bytes in hexadecimal digits, a dot, and their number: uploading the same picture
        /// again changes nothing, and the history identifies the upload without containing it.
        digest: &'a str,
    },
}

/// The prefix of the field of a stored picture; no address has it.
const STORED: &str = "stored:";

impl<'a> Picture<'a> {
    /// Parses the field.
    pub fn of(text: &'a str) -> Picture<'a> {
        match text.strip_prefix(STORED).and_then(|stored| stored.split_once(':')) {
            Some((name, digest)) => Picture::Stored { name, digest },
            None => Picture::Address(text),
        }
    }
}

/// Renders the field.
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
    /// It is a data URI without a media type, or with an unsupported one.
    #[error("unsupported type of picture")]
    UnsupportedType,
    /// Its base64 is empty, or not valid by RFC 4648 §4.
    #[error("invalid base64")]
    InvalidBase64,
    /// It decodes to more than 2 MiB.
    #[error("expected a picture of at most 2 MiB")]
    TooLarge,
}

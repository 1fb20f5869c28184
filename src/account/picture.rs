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

/// The hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;
/// The most digits of a length: pictures have at most 2 MiB.
const LENGTH_DIGITS: usize = 7;

impl<'a> Picture<'a> {
    /// Parses the field; `None` for a text that is neither an address nor the name of a stored picture, as earlier versions
    /// copied it from claims.
    pub fn of(text: &'a str) -> Option<Picture<'a>> {
        let Some(stored) = text.strip_prefix(STORED) else { return Some(Picture::Address(text)) };
        let (name, digest) = stored.split_once(':')?;
        is_picture_name(name).then_some(Picture::Stored { name, digest })
    }

    /// Checks whether the digest of a stored picture has its exact form.
    pub fn has_digest(&self) -> bool {
        let Picture::Stored { digest, .. } = self else { return false };
        digest.split_once('.').is_some_and(|(hash, length)| {
            hash.len() == DIGEST_DIGITS
                && hash.bytes().all(is_digit)
                && (1..=LENGTH_DIGITS).contains(&length.len())
                && length.bytes().all(|byte| byte.is_ascii_digit())
        })
    }
}

/// Checks whether a text can be the name of a stored picture: 32 lower-case hexadecimal digits and an ending.
pub fn is_picture_name(text: &str) -> bool {
    let digits = text.strip_suffix(".png").or_else(|| text.strip_suffix(".jpg"));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(is_digit))
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
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

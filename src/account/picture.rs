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
        /// What was uploaded; `None` if the field does not identify it, as earlier versions copied it from claims.
        upload: Option<Upload<'a>>,
    },
}

/// Identifies the bytes that were uploaded: uploading the same picture again changes nothing, and the history identifies the
/// upload without containing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upload<'a> {
    /// The SHA-256 of the uploaded bytes, not of their base64, in lower-case hexadecimal digits.
    pub sha256: &'a str,
    /// The number of these bytes.
    pub bytes: u32,
}

/// The prefix of the field of a stored picture; no address has it.
const STORED: &str = "stored:";

/// The hexadecimal digits of a SHA-256.
const SHA256_DIGITS: usize = 64;
/// The most digits of a length: pictures have at most 2 MiB.
const LENGTH_DIGITS: usize = 7;

impl<'a> Picture<'a> {
    /// Parses the field; `None` for a text that is neither an address nor the name of a stored picture, as earlier versions
    /// copied it from claims.
    pub fn of(text: &'a str) -> Option<Picture<'a>> {
        let Some(stored) = text.strip_prefix(STORED) else { return Some(Picture::Address(text)) };
        let (name, upload) = stored.split_once(':')?;
        is_picture_name(name).then(|| Picture::Stored { name, upload: Upload::of(upload) })
    }
}

impl<'a> Upload<'a> {
    /// Parses the part of the field after the name, in its exact form.
    fn of(text: &'a str) -> Option<Upload<'a>> {
        let (sha256, bytes) = text.split_once('.')?;
        let is_number = (1..=LENGTH_DIGITS).contains(&bytes.len()) && bytes.bytes().all(|byte| byte.is_ascii_digit());
        let is_upload = sha256.len() == SHA256_DIGITS && sha256.bytes().all(is_digit) && is_number;
        is_upload.then(|| bytes.parse().ok()).flatten().map(|bytes| Upload { sha256, bytes })
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
            Picture::Stored { name, upload: None } => write!(formatter, "{STORED}{name}:"),
            Picture::Stored { name, upload: Some(Upload { sha256, bytes }) } => {
                write!(formatter, "{STORED}{name}:{sha256}.{bytes}")
            }
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

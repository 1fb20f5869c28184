//! Pictures.

/// Why a text cannot be a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureRule {
    /// It is neither an http(s) address nor a picture in a data URI.
    NotAPicture,
    /// The address is too long.
    AddressTooLong,
    /// The type is none that is taken in.
    UnsupportedType,
    /// The data is not strict Base64.
    InvalidBase64,
    /// The data is larger than what is taken in.
    TooLarge,
}

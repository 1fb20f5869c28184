//! The types of pictures: those accepted, the two that are written, and the names of stored pictures.

use data_url::mime::Mime;

use crate::account::is_picture_name;

/// The type of an uploaded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PNG (ISO/IEC 15948).
    Png,
    /// JPEG (ITU-T T.81).
    Jpeg,
    /// GIF87a or GIF89a.
    Gif,
    /// WebP (RFC 9649).
    WebP,
}

impl Kind {
    /// Returns the kind that bytes begin like. A declared type is not asked: libraries often declare another one.
    pub(super) fn of(bytes: &[u8]) -> Option<Kind> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Kind::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Kind::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::WebP),
            _ => None,
        }
    }
}

/// Checks for a media type under which pictures of these kinds are sent; `image/jpg` and `image/pjpeg` are common mistakes
/// for `image/jpeg`.
pub(super) fn is_image(media_type: &Mime) -> bool {
    media_type.type_ == "image" && ["png", "jpeg", "jpg", "pjpeg", "gif", "webp"].contains(&media_type.subtype.as_str())
}

/// The format of a stored picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// For pictures with transparency, and for drawings.
    Png,
    /// For photographs, which take a tenth of the space.
    Jpg,
}

impl Ending {
    /// Returns the name of a picture, from 128 random bits.
    pub(super) fn name(self, random: [u8; 16]) -> String {
        let ending = match self {
            Ending::Png => "png",
            Ending::Jpg => "jpg",
        };
        format!("{:032x}.{ending}", u128::from_be_bytes(random))
    }
}

/// Returns the media type of the picture with this name; `None` if the name is invalid.
pub fn media_type(name: &str) -> Option<&'static str> {
    match is_picture_name(name).then(|| name.rsplit_once('.'))?? {
        (_, "png") => Some("image/png"),
        (_, "jpg") => Some("image/jpeg"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_picture_is_digits_and_a_known_extension() {
        let name = Ending::Png.name([0xab; 16]);
        assert_eq!(name, "abababababababababababababababab.png");
        assert_eq!(media_type(&name), Some("image/png"));
        assert_eq!(media_type(&Ending::Jpg.name([0; 16])), Some("image/jpeg"));
    }

    #[test]
    fn other_texts_are_not_names_of_pictures() {
        let digits = "abababababababababababababababab";
        for name in [
            "",
            ".png",
            digits,
            &format!("{digits}.gif"),
            &format!("{digits}.PNG"),
            &format!("{digits}.png.png"),
            &format!("{digits}.png/"),
            &format!("{}.png", digits.to_uppercase()),
            &format!("{}.png", &digits[1..]),
            &format!("0{digits}.png"),
            "../secret.key",
            "..%2f..%2fsecret.key",
        ] {
            assert!(!is_picture_name(name) && media_type(name).is_none(), "{name}");
        }
    }
}

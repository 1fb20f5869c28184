//! Pictures in data URIs (RFC 2397), as libraries write them: with parameters, line breaks, percent-encoding, or without
//! padding.

use data_url::DataUrl;
use data_url::forgiving_base64::DecodeError;

use super::MAX_BYTES;
use super::kind::is_image;
use super::render::Unusable;
use crate::account::PictureRule;

/// A data URI whose form was checked; its bytes are decoded when a decoder of pictures is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a>(&'a str);

/// Checks a text that begins with `data:`. The type must be that of a picture, its parameters are ignored, and the bytes,
/// of which there are at most [`MAX_BYTES`], must be in the forgiving base64 of the Infra Standard: standard digits, with
/// white space anywhere and with or without padding. Which picture it is, the bytes alone decide.
pub(super) fn read(text: &str) -> Result<Data<'_>, PictureRule> {
    let (head, _) = text.split_once(',').ok_or(PictureRule::NotAPicture)?;
    let url = DataUrl::process(text).map_err(|_| PictureRule::NotAPicture)?;
    if !is_image(url.mime_type()) {
        return Err(PictureRule::UnsupportedType);
    }
    let coding = head.rsplit_once(';').map_or("", |(_, coding)| coding.trim());
    if !coding.eq_ignore_ascii_case("base64") {
        return Err(PictureRule::NotAPicture);
    }
    let mut length = 0;
    let decoded = url.decode(|bytes| {
        length += bytes.len();
        if length > MAX_BYTES { Err(()) } else { Ok(()) }
    });
    match decoded {
        // A fragment is no part of the bytes; no library writes one.
        Ok(None) if length > 0 => Ok(Data(text)),
        Err(DecodeError::WriteError(())) => Err(PictureRule::TooLarge),
        _ => Err(PictureRule::InvalidBase64),
    }
}

impl Data<'_> {
    /// Returns the text, for a decoder in another thread.
    pub(super) fn text(&self) -> &str {
        self.0
    }
}

/// Returns the bytes of a data URI that [`read`] accepted.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Unusable> {
    let url = DataUrl::process(text).map_err(|_| Unusable::because("no data URI"))?;
    let (bytes, _) = url.decode_to_vec().map_err(Unusable::because)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use proptest::prelude::*;

    use super::*;
    use crate::account::PictureRule::{InvalidBase64, NotAPicture, TooLarge, UnsupportedType};

    fn refused(text: &str) -> PictureRule {
        read(text).expect_err(text)
    }

    #[test]
    fn the_forms_that_libraries_write_are_taken() {
        for text in [
            "data:image/png;base64,AAAA",
            "DATA:IMAGE/PNG;BASE64,AAAA",
            "data:image/jpeg;base64,AAAA",
            "data:image/jpg;base64,AAAA",
            "data:image/pjpeg;base64,AAAA",
            "data:image/gif;base64,AAAA",
            "data:image/webp;base64,AAAA",
            "data:image/png;name=a.png;base64,AAAA",
            "data:image/png;charset=utf-8;base64,AAAA",
            "data:image/png; base64,AAAA",
            "data:image/png;base64 ,AAAA",
            "data:image/png;base64,AA\r\nAA\r\n",
            "data:image/png;base64,AAAA\n",
            "data:image/png;base64,AA",
            "data:image/png;base64,AAA",
            "data:image/png;base64,AA%3D%3D",
            "data:image/png;base64,AA%2BA%0AAAAA",
            "data:image/png;base64,+/+/",
        ] {
            assert!(read(text).is_ok(), "{text:?}: {:?}", read(text));
        }
    }

    #[test]
    fn other_media_types_are_refused() {
        for text in [
            "data:,AAAA",
            "data:;base64,AAAA",
            "data:text/plain;base64,AAAA",
            "data:image/svg+xml;base64,AAAA",
            "data:image/svg+xml,<svg/>",
            "data:image/bmp;base64,AAAA",
            "data:png;base64,AAAA",
            "data:image/*;base64,AAAA",
        ] {
            assert_eq!(refused(text), UnsupportedType, "{text:?}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in
            ["data:image/png,AAAA", "data:image/png;base64", "data:image/png;,AAAA", "data:image/png;base64;x,AAAA"]
        {
            assert_eq!(refused(text), NotAPicture, "{text:?}");
        }
    }

    #[test]
    fn other_alphabets_and_incomplete_base64_are_refused() {
        for data in
            ["", "=", "==", "A", "AAAAA", "A===", "AAAA=", "AA=A", "AA-_", "AAA\u{e4}", "AAAA,AAAA", "AAAA#a", "AA%zz"]
        {
            assert_eq!(refused(&format!("data:image/png;base64,{data}")), InvalidBase64, "{data:?}");
        }
    }

    #[test]
    fn two_mebibytes_are_accepted_and_one_byte_more_is_refused() {
        let data = |length: usize| format!("data:image/png;base64,{}", STANDARD.encode(vec![0; length]));
        assert!(read(&data(MAX_BYTES)).is_ok());
        for more in 1..=3 {
            assert_eq!(refused(&data(MAX_BYTES + more)), TooLarge);
        }
    }

    proptest! {
        #[test]
        fn base64_of_any_bytes_decodes_to_them(bytes in proptest::collection::vec(any::<u8>(), 1..100), at in 0usize..100) {
            for mut data in [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes)] {
                data.insert(at % data.len(), '\n');
                let text = format!("data:image/gif;base64,{data}");
                prop_assert!(read(&text).is_ok());
                prop_assert_eq!(&decode(&text).unwrap(), &bytes);
            }
        }

        #[test]
        fn what_is_accepted_can_be_decoded(data in "[A-Za-z0-9+/=_ %#-]{0,12}") {
            let text = format!("data:image/png;base64,{data}");
            if read(&text).is_ok() {
                prop_assert!(!decode(&text).unwrap().is_empty());
            }
        }
    }
}

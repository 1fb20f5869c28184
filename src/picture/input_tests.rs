use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::account::PictureRule::{AddressTooLong, InvalidBase64, NotAPicture, TooLarge, UnsupportedType};

const HERE: &str = "https://id.example.com";

fn refused(text: &str) -> PictureRule {
    match read(text, HERE) {
        Err(rule) => rule,
        Ok(sent) => panic!("{text:?} was taken: {sent:?}"),
    }
}

fn kind(text: &str) -> Kind {
    match read(text, HERE) {
        Ok(PictureInput::Data(data)) => data.kind,
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn an_address_is_accepted_unchanged() {
    for text in [
        "http://example.com",
        "https://example.com/a.png",
        "HTTPS://EXAMPLE.COM/A.PNG",
        "https://example.com:8443/a?b=c&d[]=e#f",
        "https://example.com:/a",
        "https://[2001:db8::1]/a",
        "https://[2001:db8::1]:443/a",
        "https://example.com/%E5%9B%BE.png",
        "https://example.com/a@b",
        "https://id.example.com",
        "https://id.example.com/picturesque/a.png",
        "https://id.example.com.evil.example/pictures/a.png",
    ] {
        assert_eq!(read(text, HERE), Ok(PictureInput::Address(text)));
    }
}

#[test]
fn a_text_that_is_not_an_address_is_refused() {
    for text in [
        "",
        " ",
        "a.png",
        "/a.png",
        "//example.com/a.png",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "http:example.com",
        "http:/example.com",
        "http://",
        "https:///a.png",
        "https://:80/a.png",
        "https://?a",
        "https://user@example.com/a.png",
        "https://user:pass@example.com/a.png",
        "https://example.com/a b.png",
        " https://example.com/a.png",
        "https://example.com/a.png\n",
        "https://example.com/\u{0}",
        "https://example.com/图.png",
        "https://example.com/%4",
        "https://example.com/%zz",
        "https://example.com/<a>",
        "https://example.com\\a.png",
        "https://example.com:80a/",
        "https://example.com:65536/",
        "https://[2001:db8::1/a",
        "https://[example.com]/a",
        "https://a[b]/",
        "data:image/png;base64",
        "data",
    ] {
        assert_eq!(refused(text), NotAPicture, "{text:?}");
    }
}

#[test]
fn an_address_has_at_most_2048_bytes() {
    let address = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    let longest = address(2048);
    assert_eq!(read(&longest, HERE), Ok(PictureInput::Address(&longest)));
    assert_eq!(refused(&address(2049)), AddressTooLong);
    assert_eq!(refused(&format!("javascript:{}", "a".repeat(3000))), NotAPicture);
}

#[test]
fn an_address_of_this_installation_names_a_picture() {
    for (text, name) in [
        ("https://id.example.com/pictures/abc.png", "abc.png"),
        ("HTTPS://ID.example.com/pictures/abc.png", "abc.png"),
        ("https://id.example.com/pictures/", ""),
        ("https://id.example.com/pictures/abc.png?x", "abc.png?x"),
        ("https://id.example.com/pictures/../secret.key", "../secret.key"),
    ] {
        assert_eq!(read(text, HERE), Ok(PictureInput::Ours(name)));
    }
}

#[test]
fn scheme_type_and_coding_may_be_in_any_case() {
    assert_eq!(kind("data:image/png;base64,AAAA"), Kind::Png);
    assert_eq!(kind("DATA:IMAGE/PNG;BASE64,AAAA"), Kind::Png);
    assert_eq!(kind("data:image/jpeg;base64,AAAA"), Kind::Jpeg);
    assert_eq!(kind("data:image/JPG;base64,AAAA"), Kind::Jpeg);
    assert_eq!(kind("data:image/gif;base64,AAAA"), Kind::Gif);
    assert_eq!(kind("data:image/webp;base64,AAAA"), Kind::WebP);
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
        "data:image/png ;base64,AAAA",
        "data: image/png;base64,AAAA",
        "data:png;base64,AAAA",
        "data:image/*;base64,AAAA",
    ] {
        assert_eq!(refused(text), UnsupportedType, "{text:?}");
    }
}

#[test]
fn other_forms_of_data_uris_are_refused() {
    for text in [
        "data:image/png,AAAA",
        "data:image/png;charset=utf-8;base64,AAAA",
        "data:image/png;base64;,AAAA",
        "data:image/png;base64 ,AAAA",
        "data:image/png;base64;base64,AAAA",
        "data:image/png;,AAAA",
    ] {
        assert_eq!(refused(text), NotAPicture, "{text:?}");
    }
}

#[test]
fn base64_is_standard_padded_and_without_white_space() {
    for data in ["AA==", "AAA=", "AAAA", "+/+/"] {
        kind(&format!("data:image/png;base64,{data}"));
    }
    for data in [
        "",
        "=",
        "==",
        "====",
        "A",
        "AA",
        "AAA",
        "A===",
        "AAAA=",
        "AA=A",
        "AAA==",
        "AAAAA===",
        "AA-_",
        "AA A",
        "AAAA ",
        " AAAA",
        "AA\nAA",
        "AAA\u{e4}",
        "AB==",
        "AAB=",
        "AAA%3D",
        "AAAA,AAAA",
        "AAAA#",
    ] {
        assert_eq!(refused(&format!("data:image/png;base64,{data}")), InvalidBase64, "{data:?}");
    }
}

#[test]
fn two_mebibytes_are_accepted_and_one_byte_more_is_refused() {
    let data = |length: usize| format!("data:image/png;base64,{}", STANDARD.encode(vec![0; length]));
    kind(&data(MAX_BYTES));
    assert_eq!(refused(&data(MAX_BYTES + 1)), TooLarge);
    assert_eq!(refused(&data(MAX_BYTES + 2)), TooLarge);
    assert_eq!(refused(&data(MAX_BYTES + 3)), TooLarge);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), start in 0usize..6) {
        let starts = ["", "data:", "data:image/png;base64,", "https://", "https://id.example.com/pictures/", "http://["];
        let _ = read(&format!("{}{text}", starts[start]), HERE);
    }

    #[test]
    fn a_data_uri_is_accepted_exactly_if_its_base64_decodes(data in "[A-Za-z0-9+/=_ -]{0,12}") {
        let decodes = !data.is_empty() && STANDARD.decode(&data).is_ok();
        prop_assert_eq!(read(&format!("data:image/png;base64,{data}"), HERE).is_ok(), decodes);
    }

    #[test]
    fn base64_of_any_bytes_is_accepted_and_decodes_to_them(bytes in proptest::collection::vec(any::<u8>(), 1..100)) {
        let text = format!("data:image/gif;base64,{}", STANDARD.encode(&bytes));
        prop_assert!(matches!(read(&text, HERE), Ok(PictureInput::Data(data)) if STANDARD.decode(data.base64).unwrap() == bytes));
    }
}

use proptest::prelude::*;

use super::*;
use crate::account::PictureRule::{AddressTooLong, NotAPicture};

const HERE: &str = "https://id.example.com";

fn refused(text: &str) -> PictureRule {
    match read(text, HERE) {
        Err(rule) => rule,
        Ok(sent) => panic!("{text:?} was taken: {sent:?}"),
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
fn hosts_that_browsers_refuse_are_no_addresses() {
    for text in
        ["https://%EF%BF%BD/a.png", "https://xn--a/a.png", "https://a%2Fb/", "https://1.2.3.256/", "https://a..%00/"]
    {
        assert_eq!(refused(text), NotAPicture, "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), start in 0usize..6) {
        let starts = ["", "data:", "data:image/png;base64,", "https://", "https://id.example.com/pictures/", "http://["];
        let _ = read(&format!("{}{text}", starts[start]), HERE);
    }
}

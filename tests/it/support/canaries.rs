//! Values that must not appear somewhere, in any spelling.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The forms in which a text may contain a value: as it is, escaped in JSON, percent-encoded, in Base64, as `{:?}` shows bytes,
/// and in hexadecimal.
pub(crate) fn spellings(value: &str) -> Vec<(&'static str, String)> {
    let bytes: Vec<String> = value.bytes().map(|byte| byte.to_string()).collect();
    let escaped = serde_json::to_string(value).unwrap();
    let mut spellings = vec![
        ("as it is", value.to_owned()),
        ("escaped in JSON", escaped[1..escaped.len() - 1].to_owned()),
        ("in percent-encoding", value.replace('@', "%40").replace('+', "%2B").replace(' ', "%20")),
        ("as bytes", bytes.join(", ")),
        ("in hexadecimal digits", value.bytes().map(|byte| format!("{byte:02x}")).collect()),
    ];
    // The last characters depend on what follows.
    for (name, encoded) in
        [("in Base64", STANDARD_NO_PAD.encode(value)), ("in Base64 for URLs", URL_SAFE_NO_PAD.encode(value))]
    {
        spellings.push((name, encoded[..encoded.len() - 2].to_owned()));
    }
    spellings
}

/// Fails with the name of the first value that a text contains, and the line that contains it.
#[track_caller]
pub(crate) fn assert_absent<'a>(values: impl IntoIterator<Item = (&'static str, &'a str)>, text: &str) {
    for (name, value) in values {
        assert!(value.len() > 5, "{name} is too short to be recognised");
        for (spelling, spelt) in spellings(value) {
            if text.contains(&spelt) {
                let line = text.lines().find(|line| line.contains(&spelt));
                panic!("{name} is there {spelling}: {}", line.unwrap_or_default());
            }
        }
    }
}

/// Fails when a text contains a secret or a part of it: a hash is not the beginning of a secret, and a line of the log does not
/// show one shortened.
#[track_caller]
pub(crate) fn assert_no_part(secrets: &[(&'static str, String)], text: &str) {
    assert_absent(secrets.iter().map(|(name, secret)| (*name, secret.as_str())), text);
    for (name, secret) in secrets.iter().filter(|(_, secret)| secret.len() > 32) {
        let parts = secret.as_bytes().chunks_exact(16).map(|part| std::str::from_utf8(part).unwrap());
        assert_absent(parts.map(|part| (*name, part)), text);
    }
}

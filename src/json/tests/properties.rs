//! Properties of every value and every text, with `serde_json` for comparison.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::json::{MalformedKind, Number, Value, parse};

/// A piece of a text that resembles JSON: a whole token, a truncated one, or syntax of other notations.
fn piece() -> impl Strategy<Value = &'static str> {
    let tokens = r#"{ } [ ] , : " "" "a" "a": \ \n \u0000 \u12 \ud83d \ude00 "\ud83d\ude00" / // ' é 😀"#;
    let scalars = "0 - 1 12.5 . e E+ 1e5 1e999 + true false null nul NaN";
    let spaces_and_controls = [" ", "\n", "\t", "\u{c}", "\0", "\u{1f}", "\u{7f}", "\u{a0}", "\u{feff}"];
    let pieces = tokens.split(' ').chain(scalars.split(' ')).chain(spaces_and_controls);
    select(pieces.collect::<Vec<_>>())
}

fn text() -> impl Strategy<Value = String> {
    let special: Vec<char> = "\"\\/\0\n\u{8}\u{1f}\u{7f}\u{2028}\u{feff}😀".chars().collect();
    vec(prop_oneof![any::<char>(), select(special)], 0..8).prop_map(String::from_iter)
}

fn digits() -> impl Strategy<Value = String> {
    vec(prop::char::range('0', '9'), 1..20).prop_map(String::from_iter)
}

fn number() -> impl Strategy<Value = Number> {
    let integer =
        prop_oneof![Just("0".to_owned()), (1..10u8, digits()).prop_map(|(first, rest)| format!("{first}{rest}"))];
    let fraction = option::of(digits().prop_map(|digits| format!(".{digits}")));
    let exponent = (select(vec!["e", "E", "e+", "E-"]), digits()).prop_map(|(mark, digits)| mark.to_owned() + &digits);
    let sign = select(vec!["", "-"]);
    (sign, integer, fraction, option::of(exponent)).prop_map(|(sign, integer, fraction, exponent)| {
        let text = format!("{sign}{integer}{}{}", fraction.unwrap_or_default(), exponent.unwrap_or_default());
        text.parse().expect("the parts follow the grammar")
    })
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((text(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The text of a value with one piece in place of a few of its bytes.
pub(super) fn damaged(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<u8>> {
    (value, any::<prop::sample::Index>(), 0..3usize, piece()).prop_map(|(value, index, removed, piece)| {
        let mut text = value.to_text().into_bytes();
        let start = index.index(text.len());
        let end = text.len().min(start + removed);
        text.splice(start..end, piece.bytes());
        text
    })
}

/// The parsers differ on purpose in only two respects: `serde_json` refuses numbers beyond a double, and [`parse`] has
/// a lower depth limit.
fn agrees_with_serde_json(bytes: &[u8]) -> Result<(), TestCaseError> {
    match (parse(bytes), serde_json::from_slice::<serde_json::Value>(bytes)) {
        (Ok(ours), Ok(theirs)) => {
            let read_back: serde_json::Value = serde_json::from_str(&ours.to_text())?;
            prop_assert_eq!(read_back, theirs);
        }
        (Ok(_), Err(theirs)) => prop_assert!(theirs.to_string().starts_with("number out of range"), "{}", theirs),
        (Err(ours), Ok(_)) => prop_assert_eq!(ours.kind, MalformedKind::TooDeep),
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_written_value_is_read_back_as_it_was(value in value()) {
        let text = value.to_text();
        let read = parse(text.as_bytes());
        prop_assert_eq!(read.as_ref().map(Value::to_text), Ok(text));
        prop_assert_eq!(read, Ok(value));
    }

    #[test]
    fn serde_writes_every_value_identically(value in value()) {
        prop_assert_eq!(serde_json::to_string(&value)?, value.to_text());
    }

    #[test]
    fn serde_json_agrees_about_written_values(value in value()) {
        agrees_with_serde_json(value.to_text().as_bytes())?;
    }

    #[test]
    fn serde_json_agrees_about_damaged_texts(bytes in damaged(value())) {
        agrees_with_serde_json(&bytes)?;
    }

    #[test]
    fn serde_json_agrees_about_texts_near_to_json(pieces in vec(piece(), 0..12)) {
        agrees_with_serde_json(pieces.concat().as_bytes())?;
    }

    #[test]
    fn serde_json_agrees_about_the_inside_of_a_string(pieces in vec(piece(), 0..6)) {
        agrees_with_serde_json(format!("\"{}\"", pieces.concat()).as_bytes())?;
    }

    #[test]
    fn serde_json_agrees_about_numbers(characters in vec(select(vec!['0', '1', '-', '+', '.', 'e', 'E']), 0..8)) {
        agrees_with_serde_json(String::from_iter(characters).as_bytes())?;
    }

    #[test]
    fn serde_json_agrees_about_any_bytes(bytes in vec(any::<u8>(), 0..64)) {
        agrees_with_serde_json(&bytes)?;
    }

    #[test]
    fn a_text_cut_anywhere_is_refused_or_whole(value in value(), index in any::<prop::sample::Index>()) {
        let text = value.to_text();
        let cut = &text.as_bytes()[..index.index(text.len())];
        agrees_with_serde_json(cut)?;
        if matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_)) {
            prop_assert!(parse(cut).is_err());
        }
    }
}

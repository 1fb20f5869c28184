//! Objects of which only some members are kept.

use std::borrow::Cow;

use proptest::prelude::*;

use super::properties::{damaged, value};
use crate::json::MalformedKind::{LoneSurrogate, Nul, TooDeep, TooLong, TooManyValues, TrailingData};
use crate::json::{MAX_VALUES, MalformedKind, Object, Selected, Selection, Value, parse, parse_selected};

const ALL: usize = usize::MAX;

fn is_known(name: &str) -> bool {
    ["a", "long", ""].contains(&name)
}

fn selected(text: &str, limit: usize) -> Result<Selected<'_>, MalformedKind> {
    let selection = Selection { keep: is_known, long: Some("long"), limit };
    parse_selected(text.as_bytes(), &selection).map_err(|malformed| malformed.kind)
}

fn kept(text: &str) -> (String, Option<String>) {
    let (members, long) = selected(text, ALL).unwrap();
    (members.to_text(), long.map(Cow::into_owned))
}

#[test]
fn only_known_members_are_kept_in_their_order() {
    let (members, long) = kept(r#"{"b":[1,{"a":2}],"a":{"b":1},"c":"x","":null}"#);
    assert_eq!((&*members, long), (r#"{"a":{"b":1},"":null}"#, None));
}

#[test]
fn the_last_member_of_a_name_counts() {
    assert_eq!(kept(r#"{"a":1,"b":2,"a":3}"#).0, r#"{"a":3}"#);
    assert_eq!(kept(r#"{"long":"x","long":"y"}"#), ("{}".to_owned(), Some("y".to_owned())));
    assert_eq!(kept(r#"{"long":"x","long":1}"#), (r#"{"long":1}"#.to_owned(), None));
    assert_eq!(kept(r#"{"long":1,"long":"x"}"#), ("{}".to_owned(), Some("x".to_owned())));
}

#[test]
fn a_long_string_is_copied_only_if_it_has_escapes() {
    let text = r#"{"long":"data:image/png;base64,AA/A"}"#;
    let (_, long) = selected(text, ALL).unwrap();
    assert!(matches!(long, Some(Cow::Borrowed("data:image/png;base64,AA/A"))));
    let (_, long) = selected(r#"{"long":"AA\/A"}"#, ALL).unwrap();
    assert!(matches!(long, Some(Cow::Owned(text)) if text == "AA/A"));
}

#[test]
fn another_value_than_an_object_is_returned_whole() {
    for text in ["null", "1", r#""x""#, r#"[1,"x",{"b":1}]"#] {
        assert_eq!(kept(text).0, text);
    }
    assert_eq!(selected(r#"["\ud800"]"#, ALL), Err(LoneSurrogate));
    assert_eq!(selected("{} {}", ALL), Err(TrailingData));
}

#[test]
fn what_is_not_kept_follows_the_same_rules_and_has_no_nul() {
    let deep = format!(r#"{{"b":{}{}}}"#, "[".repeat(64), "]".repeat(64));
    for (text, kind) in [
        (r#"{"b":"\ud800"}"#, LoneSurrogate),
        (r#"{"b":["\u0000"]}"#, Nul),
        (r#"{"b":{"\u0000":1}}"#, Nul),
        (r#"{"b\u0000":1}"#, Nul),
        (r#"{"b":"\u0000","b":1}"#, Nul),
        (&deep, TooDeep),
    ] {
        assert_eq!(selected(text, ALL), Err(kind), "{text}");
    }
    assert_eq!(kept(r#"{"a":"\u0000","long":"\u0000"}"#).1, Some("\0".to_owned()));
}

#[test]
fn many_members_that_are_not_kept_are_counted_and_take_no_memory() {
    let members =
        |count: usize| format!("{{{}}}", (0..count).map(|at| format!(r#""x{at:x}":0"#)).collect::<Vec<_>>().join(","));
    let (object, _) = selected(&members(MAX_VALUES - 1), ALL).unwrap();
    assert_eq!(object, Value::Object(Object::new()));
    assert_eq!(selected(&members(MAX_VALUES), ALL), Err(TooManyValues));
}

#[test]
fn the_limit_is_of_all_but_the_long_string() {
    let text = r#"{"long":"0123456789", "a": 1}"#;
    let rest = text.len() - r#""0123456789""#.len();
    assert!(selected(text, rest).is_ok());
    assert_eq!(selected(text, rest - 1), Err(TooLong));
    assert_eq!(selected(&format!("{text} "), rest), Err(TooLong));
    for text in [r#"{"b":"0123456789"}"#, r#"{"a":"0123456789"}"#, r#"{"long":[1234567890]}"#, r#"{"0123456789":1}"#] {
        assert_eq!(selected(text, 10), Err(TooLong), "{text}");
    }
}

#[test]
fn a_text_beyond_the_limit_is_not_read_to_its_end() {
    let text = format!(r#"{{"b":[{}"#, "0,".repeat(1000));
    let selection = Selection { keep: is_known, long: None, limit: 100 };
    assert!(parse_selected(text.as_bytes(), &selection).unwrap_err().offset <= 101);
}

/// The members of a whole value that a selection keeps.
fn restricted(whole: Value) -> (Value, Option<String>) {
    let mut long = None;
    let value = match whole {
        Value::Object(mut members) => {
            if let Some(Value::String(text)) = members.get("long") {
                long = Some(text.clone());
                members.remove("long");
            }
            members.retain(|name, _| is_known(name));
            Value::Object(members)
        }
        other => other,
    };
    (value, long)
}

fn agrees_with_the_whole(bytes: &[u8]) -> Result<(), TestCaseError> {
    let selection = Selection { keep: is_known, long: Some("long"), limit: ALL };
    match (parse_selected(bytes, &selection), parse(bytes)) {
        (Ok((value, long)), Ok(whole)) => {
            prop_assert_eq!((value, long.map(Cow::into_owned)), restricted(whole));
        }
        (Err(ours), _) if ours.kind == Nul => {}
        (Err(ours), Err(whole)) => prop_assert_eq!(ours, whole),
        (ours, whole) => prop_assert!(false, "{:?} is not {:?}", ours, whole),
    }
    Ok(())
}

/// An object with members of known and of unknown names.
fn object() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["a", "long", "", "b", "c", "a\u{0}"]);
    prop::collection::vec((name, value()), 0..6).prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn what_is_kept_is_the_whole_restricted_to_it(object in object()) {
        agrees_with_the_whole(object.to_text().as_bytes())?;
    }

    #[test]
    fn a_damaged_text_is_refused_in_the_same_place_as_by_the_whole(bytes in damaged(object())) {
        agrees_with_the_whole(&bytes)?;
    }

    #[test]
    fn other_values_are_checked_like_the_whole(bytes in damaged(value())) {
        agrees_with_the_whole(&bytes)?;
    }
}

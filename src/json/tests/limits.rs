//! The limits of depth and size, and the queries on a whole tree.

use crate::json::MalformedKind::{TooDeep, TooManyValues};
use crate::json::{MAX_DEPTH, MAX_VALUES, Malformed, MalformedKind, Value, parse};

fn read(text: &str) -> Value {
    parse(text.as_bytes()).expect("the text is JSON within the limits")
}

fn refused(offset: usize, kind: MalformedKind) -> Result<Value, Malformed> {
    Err(Malformed { offset, kind })
}

fn nested(open: &str, core: &str, close: &str, times: usize) -> String {
    format!("{}{core}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn arrays_nest_to_the_limit_and_no_deeper() {
    let deepest = read(&nested("[", "1", "]", MAX_DEPTH));
    assert_eq!(deepest.depth(), 64);
    let too_deep = parse(nested("[", "", "]", MAX_DEPTH + 1).as_bytes());
    assert_eq!(too_deep, refused(64, TooDeep));
}

#[test]
fn objects_nest_to_the_limit_and_no_deeper() {
    let deepest = read(&nested(r#"{"":"#, "1", "}", MAX_DEPTH));
    assert_eq!(deepest.depth(), 64);
    let too_deep = parse(nested(r#"{"":"#, "{}", "}", MAX_DEPTH).as_bytes());
    assert_eq!(too_deep, refused(256, TooDeep));
}

#[test]
fn a_text_of_nothing_but_brackets_is_refused_for_its_depth() {
    let result = parse(&vec![b'['; 3 << 20]);
    assert_eq!(result, refused(64, TooDeep));
}

#[test]
fn values_side_by_side_do_not_add_depth() {
    let value = read(r#"[[],[[]],{"a":[],"b":{"c":1}}]"#);
    assert_eq!(value.depth(), 3);
    assert_eq!(Value::from("[[]]").depth(), 0);
}

#[test]
fn a_text_contains_values_to_the_limit_and_not_one_more() {
    let items = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    assert!(parse(items(MAX_VALUES - 1).as_bytes()).is_ok());
    let too_many = parse(items(MAX_VALUES).as_bytes());
    assert_eq!(too_many, refused(2 * MAX_VALUES - 1, TooManyValues));
}

#[test]
fn values_replaced_by_a_duplicate_count_too() {
    let text = format!("{{{}}}", vec![r#""":0"#; MAX_VALUES].join(","));
    assert_eq!(parse(text.as_bytes()).map_err(|error| error.kind), Err(TooManyValues));
}

#[test]
fn an_object_of_three_hundred_thousand_members_is_read_in_order() {
    let members: Vec<String> = (0..300_000).rev().map(|key| format!(r#""{key:x}":0"#)).collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(read(&text).to_text(), text);
}

#[test]
fn nul_is_found_in_strings_and_keys_anywhere() {
    for text in [r#""\u0000""#, r#"["a",{"b":["c\u0000"]}]"#, r#"{"a":{"b\u0000":1}}"#] {
        assert!(read(text).contains_nul(), "{text}");
    }
}

#[test]
fn an_escaped_backslash_before_u0000_is_not_nul() {
    assert!(!read(r#"{"\\u0000":["\\u0000","\u0001",0,null]}"#).contains_nul());
}

#[test]
fn only_an_object_has_members_and_only_a_string_has_text() {
    let object = read(r#"{"a":"b"}"#);
    let member = object.as_object().and_then(|members| members.get("a"));
    assert_eq!(member.and_then(Value::as_str), Some("b"));
    assert_eq!(object.as_str(), None);
    let array = read("[{}]");
    assert_eq!(array.as_object(), None);
    assert_eq!(array.clone().into_object(), Err(array));
}

#[test]
fn every_kind_has_the_name_that_json_schema_gives_it() {
    let kinds = ["null", "true", "1.0", r#""""#, "[]", "{}"].map(|text| read(text).kind());
    assert_eq!(kinds, ["null", "boolean", "number", "string", "array", "object"]);
}

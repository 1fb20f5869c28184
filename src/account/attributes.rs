//! The attributes: one JSON object per person, merged and never overwritten.

use std::sync::{Arc, OnceLock};

use super::Text;
use crate::json::{self, Object, Value};

/// The deepest nesting of attributes, including the outermost object.
pub const MAX_DEPTH: usize = 16;
/// The longest name of a member, in Unicode scalar values.
pub const MAX_KEY: usize = 128;
/// The largest attributes, in bytes of their compact form.
pub const MAX_BYTES: usize = 64 * 1024;

/// The attributes of one account: stored as the text of a JSON object, and parsed once, on first use.
///
/// Text that is not a JSON object is kept as it is and never read as an empty one: overwriting it would lose its content.
#[derive(Clone, Default)]
pub struct Attributes {
    text: Option<Text>,
    parsed: OnceLock<Arc<Object>>,
}

/// The stored attributes are not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON object")]
pub struct Unreadable;

impl Attributes {
    /// Wraps attributes as they are stored; `None` while there are none.
    pub fn stored(text: Option<Text>) -> Attributes {
        Attributes { text, parsed: OnceLock::new() }
    }

    /// Converts an object to attributes; `None` when it has more than [`MAX_BYTES`] in compact form. An empty object is
    /// stored as no attributes.
    pub fn of(object: Object) -> Option<Attributes> {
        if object.is_empty() {
            return Some(Attributes::default());
        }
        let text = object.to_string();
        if text.len() > MAX_BYTES {
            return None;
        }
        let text = Text::new(text).ok()?;
        Some(Attributes { text: Some(text), parsed: OnceLock::from(Arc::new(object)) })
    }

    /// The stored text; `None` while there are no attributes.
    pub fn text(&self) -> Option<&Text> {
        self.text.as_ref()
    }

    /// The attributes as an object, empty while there are none.
    pub fn object(&self) -> Result<&Object, Unreadable> {
        if let Some(parsed) = self.parsed.get() {
            return Ok(parsed);
        }
        let parsed = match &self.text {
            None => Object::new(),
            Some(text) => json::parse(text.as_str().as_bytes())
                .ok()
                .and_then(|value| value.into_object().ok())
                .ok_or(Unreadable)?,
        };
        Ok(self.parsed.get_or_init(|| Arc::new(parsed)))
    }
}

/// Attributes are equal when their texts are.
impl PartialEq for Attributes {
    fn eq(&self, other: &Attributes) -> bool {
        self.text == other.text
    }
}

/// Shows only the length of the text.
impl std::fmt::Debug for Attributes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(formatter)
    }
}

/// Why a merge patch cannot be applied to attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It nests deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A member has an empty name, or one longer than [`MAX_KEY`].
    KeyLength,
    /// A number is beyond the range of a double (RFC 8259 §6): other readers would lose it.
    NumberRange,
    /// A name or a text contains U+0000.
    Nul,
}

/// Checks a client's merge patch. Returns the first error in the order of the text, with a JSON Pointer (RFC 6901) to its
/// place: to the enclosing object when a name is wrong, empty for [`Unfit::TooDeep`].
pub fn check(patch: &Object) -> Result<(), (Unfit, String)> {
    check_object(patch, 1, &mut String::new())
}

fn check_object(object: &Object, depth: usize, pointer: &mut String) -> Result<(), (Unfit, String)> {
    if depth > MAX_DEPTH {
        return Err((Unfit::TooDeep, String::new()));
    }
    for (key, value) in object {
        if !(1..=MAX_KEY).contains(&key.chars().count()) {
            return Err((Unfit::KeyLength, pointer.clone()));
        }
        if key.contains('\0') {
            return Err((Unfit::Nul, pointer.clone()));
        }
        let length = pointer.len();
        push(pointer, key);
        check_value(value, depth, pointer)?;
        pointer.truncate(length);
    }
    Ok(())
}

fn check_value(value: &Value, depth: usize, pointer: &mut String) -> Result<(), (Unfit, String)> {
    match value {
        Value::Object(object) => check_object(object, depth + 1, pointer),
        Value::Array(_) if depth + 1 > MAX_DEPTH => Err((Unfit::TooDeep, String::new())),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                let length = pointer.len();
                push(pointer, &index.to_string());
                check_value(value, depth + 1, pointer)?;
                pointer.truncate(length);
            }
            Ok(())
        }
        Value::Number(number) if !number.as_str().parse().is_ok_and(f64::is_finite) => {
            Err((Unfit::NumberRange, pointer.clone()))
        }
        Value::String(text) if text.contains('\0') => Err((Unfit::Nul, pointer.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Merges a patch into attributes by JSON Merge Patch (RFC 7396 §2): objects member by member, null removes a member,
/// anything else replaces it. Members keep their order; new ones are appended.
pub fn merge(target: &mut Object, patch: &Object) {
    for (key, value) in patch {
        match value {
            Value::Null => {}
            Value::Object(inner) => {
                let mut merged = match target.get_mut(key) {
                    Some(Value::Object(current)) => std::mem::take(current),
                    _ => Object::new(),
                };
                merge(&mut merged, inner);
                target.insert(key, merged);
            }
            other => drop(target.insert(key, other.clone())),
        }
    }
    // In one pass: removing members one by one would move the remaining ones each time.
    target.retain(|key, _| patch.get(key) != Some(&Value::Null));
}

/// Returns the members that differ between two objects, as they were before and as they are after. Objects are compared member
/// by member, everything else as a whole; an absent member is absent, which null is not.
///
/// The two are never larger than the objects themselves, whatever their names and their nesting. The change can be undone with
/// them: where both have an object, its members changed; otherwise the one replaced the other.
pub fn differences(before: &Object, after: &Object) -> (Object, Object) {
    let (mut old, mut new) = (Object::new(), Object::new());
    for (key, value) in before {
        match (value, after.get(key)) {
            (Value::Object(before), Some(Value::Object(after))) => {
                let (inner_old, inner_new) = differences(before, after);
                if !inner_old.is_empty() || !inner_new.is_empty() {
                    old.insert(key.as_str(), inner_old);
                    new.insert(key.as_str(), inner_new);
                }
            }
            (value, Some(other)) if value == other => {}
            (value, other) => {
                old.insert(key.as_str(), value.clone());
                if let Some(other) = other {
                    new.insert(key.as_str(), other.clone());
                }
            }
        }
    }
    for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(key)) {
        new.insert(key.as_str(), value.clone());
    }
    (old, new)
}

/// Appends a member's name to a JSON Pointer.
fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::parse;

    fn object(text: &str) -> Object {
        parse(text.as_bytes()).unwrap().into_object().unwrap()
    }

    fn merged(target: &str, patch: &str) -> String {
        let mut target = object(target);
        merge(&mut target, &object(patch));
        target.to_string()
    }

    /// The RFC's algorithm for any patch; [`merge`] is its case of two objects.
    fn merge_any(target: Value, patch: Value) -> Value {
        match patch {
            Value::Object(patch) => {
                let mut target = target.into_object().unwrap_or_default();
                merge(&mut target, &patch);
                Value::Object(target)
            }
            other => other,
        }
    }

    #[test]
    fn the_examples_of_rfc_7396_appendix_a_pass() {
        for (original, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, r#"{}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let value = |text: &str| parse(text.as_bytes()).unwrap();
            assert_eq!(merge_any(value(original), value(patch)).to_text(), result, "{original} + {patch}");
        }
    }

    #[test]
    fn numbers_and_the_order_of_members_are_kept_exactly() {
        assert_eq!(
            merged(r#"{"z":9007199254740993,"a":1.0,"m":-0}"#, r#"{"a":1e2,"b":2.50}"#),
            r#"{"z":9007199254740993,"a":1e2,"m":-0,"b":2.50}"#
        );
    }

    #[test]
    fn unfit_attributes_are_reported_with_their_place() {
        let deep = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert_eq!(check(&object(&deep(16))), Ok(()));
        assert_eq!(check(&object(&deep(17))), Err((Unfit::TooDeep, String::new())));
        assert_eq!(check(&object(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(15), "]".repeat(15)))), Ok(()));
        let arrays = format!(r#"{{"a":{}1{}}}"#, "[".repeat(16), "]".repeat(16));
        assert_eq!(check(&object(&arrays)), Err((Unfit::TooDeep, String::new())));
        assert_eq!(check(&object(r#"{"a":{"":1}}"#)), Err((Unfit::KeyLength, "/a".into())));
        assert_eq!(check(&object(&format!(r#"{{"{}":1}}"#, "k".repeat(128)))), Ok(()));
        assert_eq!(check(&object(&format!(r#"{{"{}":1}}"#, "k".repeat(129)))), Err((Unfit::KeyLength, String::new())));
        assert_eq!(check(&object(r#"{"a":[0,{"b/c":1e400}]}"#)), Err((Unfit::NumberRange, "/a/1/b~1c".into())));
        assert_eq!(check(&object(r#"{"a":"x\u0000"}"#)), Err((Unfit::Nul, "/a".into())));
        assert_eq!(check(&object(r#"{"a\u0000":1}"#)), Err((Unfit::Nul, String::new())));
    }

    #[test]
    fn differences_are_the_members_that_changed_before_and_after() {
        for (before, after, old, new) in [
            (
                r#"{"a":{"b":1,"c":[1]},"d":2}"#,
                r#"{"a":{"b":1,"c":[2]},"e":3}"#,
                r#"{"a":{"c":[1]},"d":2}"#,
                r#"{"a":{"c":[2]},"e":3}"#,
            ),
            (r#"{"a":null,"b":1}"#, r#"{"b":null}"#, r#"{"a":null,"b":1}"#, r#"{"b":null}"#),
            (r#"{"a":{}}"#, r#"{"a":{"b":1}}"#, r#"{"a":{}}"#, r#"{"a":{"b":1}}"#),
            ("{}", r#"{"a":{"b":1}}"#, "{}", r#"{"a":{"b":1}}"#),
            (r#"{"a":{"b":1}}"#, r#"{"a":[{"b":1}]}"#, r#"{"a":{"b":1}}"#, r#"{"a":[{"b":1}]}"#),
            (r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"a":1}"#, r#"{"a":1.0}"#),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, "{}", "{}"),
        ] {
            let (found_old, found_new) = differences(&object(before), &object(after));
            assert_eq!((found_old.to_string(), found_new.to_string()), (old.to_owned(), new.to_owned()));
        }
    }

    #[test]
    fn differences_of_many_members_below_long_names_are_as_small_as_the_objects() {
        let wrap = |value: u8| {
            let members: Vec<String> = (0..1000).map(|index| format!(r#""{index}":{value}"#)).collect();
            let name = format!(r#"{{"{}":"#, "n".repeat(MAX_KEY));
            format!("{}{{{}}}{}", name.repeat(MAX_DEPTH - 1), members.join(","), "}".repeat(MAX_DEPTH - 1))
        };
        let (before, after) = (wrap(1), wrap(2));
        let (old, new) = differences(&object(&before), &object(&after));
        assert_eq!((old.to_string(), new.to_string()), (before, after));
    }

    /// Takes back the change from `new` to `old`, as a reader of the history can.
    fn undo(target: &mut Object, old: &Object, new: &Object) {
        for (key, value) in old {
            match (value, new.get(key), target.get_mut(key)) {
                (Value::Object(old), Some(Value::Object(new)), Some(Value::Object(target))) => undo(target, old, new),
                _ => drop(target.insert(key.as_str(), value.clone())),
            }
        }
        target.retain(|key, _| !new.contains_key(key) || old.contains_key(key));
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf =
            prop_oneof![Just(serde_json::Value::Null), any::<u8>().prop_map(Into::into), "[a-c]".prop_map(Into::into)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                proptest::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The algorithm of RFC 7396 §2, word for word, on another library's tree.
    fn model(target: &mut serde_json::Value, patch: &serde_json::Value) {
        let serde_json::Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = serde_json::json!({});
        }
        let Some(members) = target.as_object_mut() else { return };
        for (name, value) in patch {
            if value.is_null() {
                members.remove(name);
            } else {
                model(members.entry(name).or_insert(serde_json::Value::Null), value);
            }
        }
    }

    proptest! {
        #[test]
        fn merging_follows_the_rfc(target in values(), patch in values()) {
            let ours = merge_any(parse(target.to_string().as_bytes()).unwrap(), parse(patch.to_string().as_bytes()).unwrap());
            let mut theirs = target;
            model(&mut theirs, &patch);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&ours.to_text()).unwrap(), theirs);
        }

        #[test]
        fn differences_are_empty_exactly_when_the_objects_are_equal(before in values(), after in values()) {
            let as_object = |value: serde_json::Value| parse(value.to_string().as_bytes()).unwrap().into_object().unwrap_or_default();
            let (before, after) = (as_object(before), as_object(after));
            let (old, new) = differences(&before, &after);
            prop_assert_eq!(old.is_empty() && new.is_empty(), before == after);
        }

        #[test]
        fn a_change_can_be_undone_and_repeated_from_its_differences(before in values(), after in values()) {
            let as_object = |value: serde_json::Value| parse(value.to_string().as_bytes()).unwrap().into_object().unwrap_or_default();
            let (before, after) = (as_object(before), as_object(after));
            let (old, new) = differences(&before, &after);
            prop_assert!(old.to_string().len() <= before.to_string().len());
            prop_assert!(new.to_string().len() <= after.to_string().len());
            let mut undone = after.clone();
            undo(&mut undone, &old, &new);
            prop_assert_eq!(&undone, &before);
            undo(&mut undone, &new, &old);
            prop_assert_eq!(undone, after);
        }
    }
}

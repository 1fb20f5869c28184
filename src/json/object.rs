//! The members of an object, in order.

use indexmap::IndexMap;
use indexmap::map::{IntoIter, Iter};

use super::Value;

/// The members of a JSON object, in insertion order.
///
/// Each key occurs once: when it is inserted again, it keeps its first place and takes the last value. Equality ignores
/// order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(IndexMap<String, Value>);

impl Object {
    /// Creates an object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks whether there is a member of this name, even if its value is `null`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns the value of a member.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Returns the value of a member, to be changed in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// Sets a member: in its present place if it exists, else at the end. Returns the previous value.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes a member and returns its value; the others keep their order.
    ///
    /// Takes time proportional to the members after it: to remove many, use [`retain`](Self::retain).
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// Keeps only the members for which `keep` returns true, in order, in one pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain(|key, value| keep(key, value));
    }

    /// Iterates over the members in order.
    pub fn iter(&self) -> Iter<'_, String, Value> {
        self.0.iter()
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.0.shrink_to_fit();
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        Object(members.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a String, &'a Value);
    type IntoIter = Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(object: &Object) -> Vec<&str> {
        object.iter().map(|(key, _)| key.as_str()).collect()
    }

    #[test]
    fn a_key_that_comes_again_keeps_its_first_place_and_takes_the_last_value() {
        let object: Object = [("a", 1i64), ("b", 2i64), ("a", 3i64)].into_iter().collect();
        assert_eq!(keys(&object), ["a", "b"]);
        assert_eq!(object.get("a"), Some(&Value::from(3)));
    }

    #[test]
    fn removing_a_member_leaves_the_others_in_their_order() {
        let mut object: Object = [("a", 1i64), ("b", 2i64), ("c", 3i64), ("d", 4i64)].into_iter().collect();
        assert_eq!(object.remove("b"), Some(Value::from(2)));
        assert_eq!(object.remove("b"), None);
        assert_eq!(keys(&object), ["a", "c", "d"]);
    }

    #[test]
    fn retaining_members_leaves_them_in_their_order() {
        let mut object: Object = [("a", 1i64), ("b", 2i64), ("c", 3i64), ("d", 4i64)].into_iter().collect();
        object.retain(|key, _| key != "a" && key != "c");
        assert_eq!(keys(&object), ["b", "d"]);
    }

    #[test]
    fn a_null_member_counts_as_present() {
        let mut object = Object::new();
        assert_eq!(object.insert("a", Value::Null), None);
        assert!(object.contains_key("a"));
        assert_eq!(object.get_mut("a"), Some(&mut Value::Null));
        assert_eq!(object.insert("a", "x"), Some(Value::Null));
        assert_eq!(object.len(), 1);
    }

    #[test]
    fn equality_ignores_the_order_of_members() {
        let one: Object = [("a", 1i64), ("b", 2i64)].into_iter().collect();
        let other: Object = [("b", 2i64), ("a", 1i64)].into_iter().collect();
        assert_eq!(one, other);
    }
}

//! The schema of a tenant's attributes: a JSON Schema (2020-12) that the whole object is validated against on every change.

mod document;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value as View;

use super::{Error, Fault, Rule};
use crate::json::{self, Object, Value};
use document::Document;

/// The largest schema, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The largest compiled pattern, in bytes; a schema with a larger one is refused.
const MAX_PATTERN_BYTES: usize = 1024 * 1024;
/// The most faults that are reported at once: an array of thousands can break a rule at each of its items.
const MAX_FAULTS: usize = 32;

/// A schema that was checked and compiled.
pub struct Schema {
    text: String,
    validator: Validator,
    properties: BTreeMap<String, Property>,
}

/// An attribute that a schema defines directly under its `properties`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The JSON types that `type` allows; empty when it is absent.
    pub types: Vec<String>,
    /// The value of `format`; only `date`, `date-time`, `email` and `uri` are asserted.
    pub format: Option<String>,
    /// Whether only operators may change it.
    pub read_only: bool,
    /// Whether responses omit it.
    pub write_only: bool,
}

/// Why a document cannot be a tenant's schema, with advice for the operator who sets it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub(super) String);

/// The rules for the attributes of a tenant's accounts, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Rules {
    /// Not looked up yet; must be looked up before the change is made.
    #[default]
    Unknown,
    /// The tenant has no schema.
    Free,
    /// The tenant's schema.
    Schema(Arc<Schema>),
}

impl Schema {
    /// Compiles a document. Patterns run on an engine without backtracking, so that none can be made slow, and references
    /// never leave the document. The document must not define the `reserved` names, because contracts use them.
    pub fn compile(text: &str, reserved: &[&str]) -> Result<Schema, Refused> {
        if text.len() > MAX_BYTES {
            return Err(Refused(format!("larger than {MAX_BYTES} bytes; shorten it")));
        }
        let parsed =
            json::parse_unique(json::without_mark(text.as_bytes())).map_err(|error| Refused(error.to_string()))?;
        let Value::Object(parsed) = parsed else {
            return Err(Refused(format!("expected a JSON object, found: {}", parsed.kind())));
        };
        let text = parsed.to_string();
        let mut view: View = serde_json::from_str(&text).map_err(|error| Refused(error.to_string()))?;
        let document = Document::read(&view)?;
        let properties = document.properties(reserved)?;
        for place in document.unasserted_formats() {
            view.pointer_mut(&place).and_then(View::as_object_mut).map(|schema| schema.remove("format"));
        }
        let patterns = PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(patterns)
            .should_validate_formats(true)
            .build(&view)
            .map_err(|error| uncompiled(&error))?;
        Ok(Schema { text, validator, properties })
    }

    /// The schema as it was set, in compact form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The attributes that it defines, by name.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.properties.iter().map(|(name, property)| (name.as_str(), property))
    }

    /// The attribute that it defines with this name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(name)
    }

    /// Validates attributes and returns each fault with the JSON Pointer (RFC 6901) of its place as the field; an empty
    /// list means that the attributes are valid.
    pub fn faults(&self, attributes: &Object) -> Vec<Fault> {
        // Only attributes that were not written through a contract can contain a number beyond the range of a double.
        let Ok(view) = serde_json::from_str(&attributes.to_string()) else {
            return vec![Fault { field: "".into(), rule: Rule::Schema }];
        };
        let mut places = BTreeSet::new();
        let errors = self.validator.iter_errors(&view).map(|error| error.instance_path().to_string());
        // One fault per place: several keywords that reject the same value need only one correction.
        let places = errors.filter(|place| places.insert(place.clone())).take(MAX_FAULTS);
        places.map(|place| Fault { field: place.into(), rule: Rule::Schema }).collect()
    }

    /// The faults of read-only attributes that differ.
    fn touched(&self, before: &Object, after: &Object) -> Vec<Fault> {
        let read_only = self.properties().filter(|(_, property)| property.read_only).map(|(name, _)| name);
        let touched = read_only.filter(|name| before.get(name) != after.get(name));
        touched.map(|name| Fault { field: pointer(name).into(), rule: Rule::ReadOnly }).collect()
    }
}

impl Rules {
    /// Refuses an invalid change of attributes with [`Error::Attributes`]. Read-only attributes are protected only from the
    /// account's owner.
    pub fn check(&self, before: &Object, after: &Object, by_owner: bool) -> Result<(), Error> {
        let Rules::Schema(schema) = self else { return Ok(()) };
        let mut faults = if by_owner { schema.touched(before, after) } else { Vec::new() };
        let touched: BTreeSet<_> = faults.iter().map(|fault| fault.field.clone()).collect();
        faults.extend(schema.faults(after).into_iter().filter(|fault| !touched.contains(&fault.field)));
        faults.truncate(MAX_FAULTS);
        if faults.is_empty() { Ok(()) } else { Err(Error::Attributes(faults)) }
    }

    /// Attributes as responses show them: without the write-only ones.
    pub fn shown<'a>(&self, attributes: &'a Object) -> Cow<'a, Object> {
        let Rules::Schema(schema) = self else { return Cow::Borrowed(attributes) };
        let mut shown = attributes.clone();
        shown.retain(|name, _| !schema.property(name).is_some_and(|property| property.write_only));
        Cow::Owned(shown)
    }
}

/// Two schemas are equal when their texts are.
impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Schema").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// Renders the library's error, with a hint at what patterns do not support here.
fn uncompiled(error: &jsonschema::ValidationError<'_>) -> Refused {
    let pointer = error.instance_path().to_string();
    let hint = if pointer.ends_with("/pattern") || pointer.contains("/patternProperties") {
        "; patterns have no look-around and no back-references, and are compiled into at most 1 MiB"
    } else {
        ""
    };
    Refused(format!("at {}: {error}{hint}", place(&pointer)))
}

/// Renders a place in the document for a person: the empty JSON Pointer would be unclear.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the top" } else { pointer }
}

/// The JSON Pointer of a member at the top.
fn pointer(name: &str) -> String {
    format!("/{}", escaped(name))
}

/// Escapes a name for a JSON Pointer (RFC 6901 §3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;

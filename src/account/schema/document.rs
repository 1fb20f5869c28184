//! The schemas inside a schema: their places, their references, and which of them this server accepts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value as View};

use super::{Property, Refused, escaped, place};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Formats that are asserted; any other is only an annotation.
const ASSERTED: [&str; 4] = ["date", "date-time", "email", "uri"];
/// The longest chain of schemas that may apply to the same value.
const MAX_CHAIN: usize = 32;
/// The most schemas that may apply to the same value.
const MAX_APPLIED: usize = 1000;
/// The most patterns in a document; each is compiled.
const MAX_PATTERNS: usize = 64;
/// Keywords that relocate names and references; a local JSON Pointer does the same.
const REFUSED: [&str; 6] =
    ["$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef", "$vocabulary"];

/// The form in which a keyword contains schemas.
enum Subschemas {
    One,
    List,
    Members,
}
use Subschemas::{List, Members, One};

/// The keywords that contain schemas, and whether those apply to the same value as the schema around them (JSON Schema
/// 2020-12, core §10 and §8.2.4).
const KEYWORDS: [(&str, Subschemas, bool); 20] = [
    ("allOf", List, true),
    ("anyOf", List, true),
    ("oneOf", List, true),
    ("not", One, true),
    ("if", One, true),
    ("then", One, true),
    ("else", One, true),
    ("dependentSchemas", Members, true),
    ("prefixItems", List, false),
    ("items", One, false),
    ("contains", One, false),
    ("properties", Members, false),
    ("patternProperties", Members, false),
    ("additionalProperties", One, false),
    ("propertyNames", One, false),
    ("unevaluatedItems", One, false),
    ("unevaluatedProperties", One, false),
    ("contentSchema", One, false),
    ("$defs", Members, false),
    ("definitions", Members, false),
];

/// A document with every schema in it, by JSON Pointer.
pub(super) struct Document<'a> {
    schemas: BTreeMap<String, &'a View>,
    /// For each schema, the others that apply to the same value, by JSON Pointer.
    applied: HashMap<String, Vec<String>>,
}

impl<'a> Document<'a> {
    /// Finds the schemas in a document, and refuses the document if this server does not accept one of them.
    pub(super) fn read(root: &'a View) -> Result<Document<'a>, Refused> {
        let mut document = Document { schemas: BTreeMap::new(), applied: HashMap::new() };
        document.enter(String::new(), root);
        for (pointer, schema) in document.schemas.clone() {
            document.check(&pointer, schema)?;
        }
        let mut measured = HashMap::new();
        let pointers: Vec<String> = document.schemas.keys().cloned().collect();
        for pointer in &pointers {
            document.measure(pointer, 0, &mut measured)?;
        }
        if document.schemas.values().map(|schema| patterns(schema)).sum::<usize>() > MAX_PATTERNS {
            return Err(Refused(format!("more than {MAX_PATTERNS} patterns; simplify the schema")));
        }
        Ok(document)
    }

    fn enter(&mut self, pointer: String, schema: &'a View) {
        self.schemas.insert(pointer.clone(), schema);
        let mut applied = Vec::new();
        for (keyword, subschemas, in_place) in &KEYWORDS {
            let Some(value) = schema.get(keyword) else { continue };
            let held: Vec<(String, &View)> = match subschemas {
                One => vec![(format!("{pointer}/{keyword}"), value)],
                List => {
                    let items = value.as_array().into_iter().flatten().enumerate();
                    items.map(|(index, item)| (format!("{pointer}/{keyword}/{index}"), item)).collect()
                }
                Members => {
                    let members = value.as_object().into_iter().flatten();
                    members.map(|(name, item)| (format!("{pointer}/{keyword}/{}", escaped(name)), item)).collect()
                }
            };
            for (inner, schema) in held {
                if *in_place {
                    applied.push(inner.clone());
                }
                self.enter(inner, schema);
            }
        }
        applied.extend(reference(schema).map(str::to_owned));
        self.applied.insert(pointer, applied);
    }

    fn check(&self, pointer: &str, schema: &View) -> Result<(), Refused> {
        let Some(members) = schema.as_object() else { return Ok(()) };
        let refused = |reason: String| Err(Refused(format!("at {}: {reason}", place(pointer))));
        if let Some(keyword) = REFUSED.into_iter().find(|keyword| members.contains_key(*keyword)) {
            return refused(format!("{keyword} is not supported; refer to a schema by \"$ref\": \"#/$defs/NAME\""));
        }
        if let Some(dialect) = members.get("$schema").filter(|dialect| dialect.as_str() != Some(DIALECT)) {
            return refused(format!("$schema is {dialect}; only \"{DIALECT}\" is supported"));
        }
        if !pointer.is_empty() && members.contains_key("$id") {
            return refused("$id is allowed only at the top level".to_owned());
        }
        if let Some(given) = members.get("$ref") {
            match reference(schema) {
                None => {
                    return refused(format!(
                        "$ref {given} is not a JSON Pointer within this document; copy the schema into $defs and \
                         refer to it by \"#/$defs/NAME\""
                    ));
                }
                Some(target) if !self.schemas.contains_key(target) => {
                    return refused(format!("$ref {given} names no schema of this document"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Measures the longest chain of schemas that apply to the same value, and how many apply in all. Refuses a cycle,
    /// which would never end.
    fn measure(
        &self,
        pointer: &str,
        depth: usize,
        measured: &mut HashMap<String, Option<(usize, usize)>>,
    ) -> Result<(usize, usize), Refused> {
        match measured.get(pointer) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => {
                return Err(Refused(format!(
                    "at {}: the references form a cycle that never descends into the value; remove one of them",
                    place(pointer)
                )));
            }
            None => {}
        }
        let too_much = || {
            Refused(format!(
                "at {}: more than {MAX_CHAIN} nested schemas, or {MAX_APPLIED} in total, apply to the same value; \
                 simplify the schema",
                place(pointer)
            ))
        };
        if depth == MAX_CHAIN {
            return Err(too_much());
        }
        measured.insert(pointer.to_owned(), None);
        let (mut chain, mut applied) = (0, 1_usize);
        for inner in self.applied.get(pointer).into_iter().flatten() {
            let (its_chain, its_applied) = self.measure(inner, depth + 1, measured)?;
            chain = chain.max(its_chain);
            applied = applied.saturating_add(its_applied);
        }
        chain += 1;
        if chain > MAX_CHAIN || applied > MAX_APPLIED {
            return Err(too_much());
        }
        measured.insert(pointer.to_owned(), Some((chain, applied)));
        Ok((chain, applied))
    }

    /// The places of schemas whose format is only an annotation.
    pub(super) fn unasserted_formats(&self) -> Vec<String> {
        let remarks = |schema: &View| {
            schema.get("format").and_then(View::as_str).is_some_and(|format| !ASSERTED.contains(&format))
        };
        self.schemas.iter().filter(|(_, schema)| remarks(schema)).map(|(pointer, _)| pointer.clone()).collect()
    }

    /// Returns the attributes directly under `properties`. Refuses `reserved` names, and `readOnly` and `writeOnly` in any
    /// other place, where they would not be enforced.
    pub(super) fn properties(&self, reserved: &[&str]) -> Result<BTreeMap<String, Property>, Refused> {
        let top = self.chain("");
        if top.iter().any(|schema| schema.get("type").is_some_and(|kind| !allows_objects(kind))) {
            return Err(Refused("attributes are an object: \"type\" at the top must be \"object\"".to_owned()));
        }
        let mut properties = BTreeMap::new();
        let mut marked_here = BTreeSet::new();
        for pointer in self.chain_places("") {
            let members = self.schemas.get(&pointer).and_then(|schema| schema.get("properties"));
            for name in members.and_then(View::as_object).into_iter().flat_map(Map::keys) {
                if reserved.contains(&name.as_str()) {
                    return Err(Refused(format!(
                        "property \"{name}\" has a name that contracts use themselves; rename it"
                    )));
                }
                let place = format!("{pointer}/properties/{}", escaped(name));
                marked_here.extend(self.chain_places(&place));
                properties.insert(name.clone(), property(&self.chain(&place)));
            }
        }
        for pointer in self.schemas.keys().filter(|pointer| !marked_here.contains(*pointer)) {
            let chain = self.chain(pointer);
            if let Some(keyword) = ["readOnly", "writeOnly"].into_iter().find(|keyword| is_marked(&chain, keyword)) {
                return Err(Refused(format!(
                    "at {}: {keyword} has an effect only on a top-level property; remove it here",
                    place(pointer)
                )));
            }
        }
        Ok(properties)
    }

    /// The place of a schema and those of the schemas that it refers to, in order. There are no cycles:
    /// [`Document::measure`] refuses them.
    fn chain_places(&self, pointer: &str) -> Vec<String> {
        let mut places = vec![pointer.to_owned()];
        while let Some(next) = places.last().and_then(|last| reference(self.schemas.get(last)?)) {
            places.push(next.to_owned());
        }
        places
    }

    fn chain(&self, pointer: &str) -> Vec<&'a View> {
        self.chain_places(pointer).iter().filter_map(|place| self.schemas.get(place).copied()).collect()
    }
}

/// The JSON Pointer of a schema's local `$ref`; `None` when there is none, or it is percent-encoded or not a pointer.
fn reference(schema: &View) -> Option<&str> {
    let pointer = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
    ((pointer.is_empty() || pointer.starts_with('/')) && !pointer.contains('%')).then_some(pointer)
}

fn property(chain: &[&View]) -> Property {
    let types = chain.iter().find_map(|schema| match schema.get("type")? {
        View::String(one) => Some(vec![one.clone()]),
        View::Array(several) => Some(several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()),
        _ => None,
    });
    let format = chain.iter().find_map(|schema| schema.get("format")?.as_str());
    Property {
        types: types.unwrap_or_default(),
        format: format.map(str::to_owned),
        read_only: is_marked(chain, "readOnly"),
        write_only: is_marked(chain, "writeOnly"),
    }
}

/// The number of patterns that a schema itself has.
fn patterns(schema: &View) -> usize {
    let of_names = schema.get("patternProperties").and_then(View::as_object).map_or(0, Map::len);
    usize::from(schema.get("pattern").is_some()) + of_names
}

fn is_marked(chain: &[&View], keyword: &str) -> bool {
    chain.iter().any(|schema| schema.get(keyword) == Some(&View::Bool(true)))
}

fn allows_objects(kind: &View) -> bool {
    match kind {
        View::String(one) => one == "object",
        View::Array(several) => several.iter().any(|one| one == "object"),
        // Not a valid type; the meta-schema reports it.
        _ => true,
    }
}

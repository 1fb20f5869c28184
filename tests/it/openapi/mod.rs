//! The OpenAPI documents of the contracts, the page that shows them, and whether the server conforms to them.

mod answers;
mod documents;
mod failures;
mod generators;
mod linters;
mod patterns;
mod peer;
mod successes;
mod viewer;

use serde_json::{Value, json};

use crate::support::Answer;

/// The contracts that have a document.
const DOCUMENTED: [&str; 4] = ["system", "cl2c", "rivergen", "ciam"];

/// A contract's document.
struct Document(Value);

impl Document {
    fn of(contract: &str) -> Document {
        Document(serde_json::from_str(&text(contract)).unwrap())
    }

    /// Every path with its operations by method.
    fn paths(&self) -> impl Iterator<Item = (&String, &serde_json::Map<String, Value>)> {
        self.0["paths"].as_object().unwrap().iter().map(|(path, item)| (path, item.as_object().unwrap()))
    }

    /// The documented response for a method, a path and a status; null if there is none. `HEAD` has the responses of `GET`;
    /// `OPTIONS` has one for all paths, and is refused as any other method of the path.
    fn response(&self, method: &str, path: &str, status: u16) -> &Value {
        let item = &self.0["paths"][path];
        let operation = match method {
            "OPTIONS" if status == 204 => return &self.0["components"]["responses"]["Options"],
            "OPTIONS" => item.as_object().unwrap().values().next().unwrap(),
            "HEAD" => &item["get"],
            method => &item[method.to_lowercase()],
        };
        &operation["responses"][status.to_string()]
    }

    /// Lists how the headers and body of an answer differ from the documented response, except for identifiers and times.
    fn faults(&self, described: &Value, answer: &Answer) -> Vec<String> {
        let mut faults = Vec::new();
        if described.is_null() {
            return vec!["the status is not documented".to_owned()];
        }
        let headers = described["headers"].as_object().unwrap();
        for (name, header) in headers {
            let header = header.get("$ref").map_or(header, |_| &self.0["components"]["headers"][name]);
            if header["required"] == true && !answer.headers.contains_key(name.as_str()) {
                faults.push(format!("{name} is missing"));
            }
        }
        for name in answer.headers.keys().map(|name| name.as_str()) {
            let known = headers.keys().any(|header| header.eq_ignore_ascii_case(name));
            if !known && !["content-type", "content-length", "date", "connection"].contains(&name) {
                faults.push(format!("{name} is not documented"));
            }
        }
        let described = &described["content"][answer.header("content-type")];
        match (described.is_null(), answer.body.is_empty()) {
            (true, true) => {}
            (true, false) => faults.push(format!("the media type {} is not documented", answer.header("content-type"))),
            (false, _) if answer.status.is_success() => faults.extend(self.unlike_the_schema(described, answer)),
            (false, _) => faults.extend(unlike_every_example(&described["examples"], answer)),
        }
        faults
    }

    /// Lists how the body of a successful answer differs from its documented schema. An answer to `HEAD` has no body.
    fn unlike_the_schema(&self, described: &Value, answer: &Answer) -> Vec<String> {
        if answer.body.is_empty() {
            return Vec::new();
        }
        // References in a document start at its root.
        let schema = json!({"components": self.0["components"], "allOf": [described["schema"]]});
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        validator.iter_errors(&answer.json()).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }
}

/// Returns a message unless an error response equals one of the examples, except for identifiers and times.
fn unlike_every_example(examples: &Value, answer: &Answer) -> Option<String> {
    let body = with_masked_ids(answer.json());
    let alike = examples.as_object().unwrap().values().any(|example| with_masked_ids(example["value"].clone()) == body);
    (!alike).then(|| format!("no example is like {}", answer.body))
}

/// Masks what differs in every answer: identifiers and times.
fn with_masked_ids(mut body: Value) -> Value {
    for name in ["errorId", "instance"] {
        if let Some(id) = body.get_mut(name) {
            *id = Value::Null;
        }
    }
    if let Some(timestamp) = body.pointer_mut("/error/timestamp") {
        *timestamp = Value::Null;
    }
    body
}

/// A contract's document as the server and the command give it.
fn text(contract: &str) -> String {
    let mut all = selfsame::contract::openapi::documented();
    let contract = all.find(|documented| documented.name() == contract).unwrap();
    selfsame::contract::openapi::document(contract).unwrap()
}

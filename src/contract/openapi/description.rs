use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::{Components, Info, License, OpenApi, OpenApiVersion, RefOr, Schema, Server};

use super::answers::{Answers, example};
use super::headers;
use super::specimen::{Ending, unavailable};
use crate::account::RequestFault;
use crate::http::ErrorRenderer;
use crate::json::{self, Object, Value};

/// The parts of a contract's document.
pub(in crate::contract) struct Description {
    /// The contract's title.
    pub(in crate::contract) title: &'static str,
    /// The introduction to the operations, in CommonMark.
    pub(in crate::contract) introduction: String,
    /// The document that the annotations of the routes yield.
    pub(in crate::contract) annotated: OpenApi,
    /// The security scheme that the annotations name.
    pub(in crate::contract) security: (&'static str, SecurityScheme),
    /// The schemas of responses, by name.
    pub(in crate::contract) schemas: Vec<(String, RefOr<Schema>)>,
    /// The contract's error renderer.
    pub(in crate::contract) render_error: ErrorRenderer,
    /// Returns the name of the schema of error responses with a status.
    pub(in crate::contract) refusal: fn(StatusCode) -> &'static str,
    /// The operations, each with the identifier from its annotation.
    pub(in crate::contract) operations: Vec<Operation>,
}

/// The parts of an operation that its annotation cannot contain.
pub(in crate::contract) struct Operation {
    /// The identifier in the annotation.
    pub(in crate::contract) id: &'static str,
    /// Example bodies: what each does, and its text.
    pub(in crate::contract) requests: Vec<(&'static str, &'static str)>,
    /// Its responses apart from `endings`: when each is given, the name of its body's schema, and the response.
    pub(in crate::contract) answers: fn() -> Vec<(&'static str, &'static str, Response)>,
    /// The errors that it can end in.
    pub(in crate::contract) endings: Vec<Ending>,
}

impl Description {
    /// Builds the document.
    pub(in crate::contract) fn draw(mut self) -> Object {
        self.annotate();
        let mut document = tree(&self.annotated);
        if let Some(Value::Object(components)) = document.get_mut("components") {
            components.insert("responses", self.of_paths());
            components.insert("headers", headers::of_every_answer());
        }
        if let Some(Value::Object(paths)) = document.get_mut("paths") {
            let drawn: Object = std::mem::take(paths).into_iter().map(|(path, item)| (path, self.path(item))).collect();
            *paths = drawn;
        }
        document
    }

    /// Adds the parts that the library can represent.
    fn annotate(&mut self) {
        let api = &mut self.annotated;
        api.openapi = OpenApiVersion::Version31;
        api.info = Info::new(self.title, env!("CARGO_PKG_VERSION"));
        api.info.description = Some(format!("{}\n\n{OF_PATHS}", self.introduction));
        let mut licence = License::new(env!("CARGO_PKG_LICENSE"));
        licence.identifier = Some(env!("CARGO_PKG_LICENSE").to_owned());
        api.info.license = Some(licence);
        api.servers = Some(vec![Server::new("/")]);
        let components = api.components.get_or_insert_with(Components::new);
        components.schemas.extend(self.schemas.drain(..));
        components.add_security_scheme(self.security.0, self.security.1.clone());
    }

    fn answers(&self) -> Answers {
        Answers::new(self.render_error, self.refusal)
    }

    /// Returns the responses to requests that match no operation; OpenAPI has no place for them but the components.
    fn of_paths(&self) -> Object {
        let only = |ending| {
            let mut answers = self.answers();
            answers.refuse(vec![ending]);
            answers.only()
        };
        let mut responses = Object::new();
        responses.insert(
            "MethodNotAllowed",
            only(("any other method", RequestFault::MethodNotAllowed("GET, HEAD, OPTIONS").into())),
        );
        responses.insert("NotFound", only(("any other path", RequestFault::NotFound.into())));
        responses
    }

    /// Completes a Path Item Object: adds the responses of annotated operations, then the methods that every path has.
    fn path(&self, item: Value) -> Value {
        let Value::Object(mut item) = item else { return item };
        let methods: Vec<String> = item.iter().map(|(method, _)| method.clone()).collect();
        for method in &methods {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                self.complete(operation);
            }
        }
        let mut allow: Vec<String> = methods.iter().map(|method| method.to_ascii_uppercase()).collect();
        if let Some(head) = item.get("get").and_then(head) {
            item.insert("head", head);
            let behind = allow.iter().position(|method| method == "GET").map_or(0, |get| get + 1);
            allow.insert(behind, "HEAD".to_owned());
        }
        allow.push("OPTIONS".to_owned());
        let first = methods.first().and_then(|method| item.get(method)).and_then(Value::as_object);
        let options = self.options(first, &allow.join(", "));
        item.insert("options", options);
        Value::Object(item)
    }

    fn complete(&self, operation: &mut Object) {
        let id = operation.get("operationId").and_then(Value::as_str);
        let Some(known) = self.operations.iter().find(|known| Some(known.id) == id) else { return };
        let mut answers = self.answers();
        for (when, schema, response) in (known.answers)() {
            answers.add(when, schema, response);
        }
        answers.refuse(known.endings.clone());
        operation.insert("responses", answers.object());
        add_parameter(operation);
        if let Some(Value::Object(body)) = operation.get_mut("requestBody")
            && let Some(Value::Object(content)) = body.get_mut("content")
            && let Some(Value::Object(json)) = content.get_mut("application/json")
        {
            let examples = known.requests.iter().filter_map(|(what, text)| {
                json::parse(text.as_bytes()).ok().map(|body| (*what, Value::from(example(body))))
            });
            json.insert("examples", examples.collect::<Object>());
        }
    }

    /// Returns the Operation Object of `OPTIONS`, which needs no credentials.
    fn options(&self, first: Option<&Object>, allow: &str) -> Object {
        let mut answers = self.answers();
        answers.add("", "", (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response());
        answers.refuse(vec![unavailable()]);
        let mut options = Object::new();
        options.insert("tags", first.and_then(|first| first.get("tags")).cloned().unwrap_or(Value::Array(Vec::new())));
        options.insert("summary", "The methods of this path");
        options.insert("operationId", format!("{}Options", id(first)));
        let path_parameters = first.and_then(|first| first.get("parameters")).map(in_path);
        options.insert("parameters", path_parameters.unwrap_or_default());
        add_parameter(&mut options);
        options.insert("responses", answers.object());
        options.insert("security", Vec::<Value>::new());
        options
    }
}

/// The end of every document's introduction.
const OF_PATHS: &str = "Another method on one of these paths is answered 405 (`components.responses.MethodNotAllowed`), \
                        another path below the same prefix 404 (`components.responses.NotFound`).";

/// Returns the Operation Object of `HEAD`: that of `GET` without the response body.
fn head(get: &Value) -> Option<Object> {
    let mut head = get.as_object()?.clone();
    let id = format!("{}Head", id(Some(&head)));
    head.insert("summary", "As GET, without the body");
    head.insert("operationId", id);
    if let Some(Value::Object(responses)) = head.get_mut("responses") {
        responses.retain(|_, response| {
            if let Value::Object(response) = response {
                response.remove("content");
            }
            true
        });
    }
    Some(head)
}

fn id(operation: Option<&Object>) -> &str {
    operation.and_then(|operation| operation.get("operationId")).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the path parameters as arbitrary strings, since `OPTIONS` does not read them.
fn in_path(parameters: &Value) -> Vec<Value> {
    let Value::Array(parameters) = parameters else { return Vec::new() };
    let parameters = parameters.iter().filter_map(Value::as_object);
    let in_path = parameters.filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("path"));
    in_path
        .map(|parameter| {
            let mut parameter = parameter.clone();
            parameter.insert("schema", Object::from_iter([("type", "string")]));
            Value::Object(parameter)
        })
        .collect()
}

/// Adds the header that every operation takes.
fn add_parameter(operation: &mut Object) {
    let parameter = Value::Object(tree(&headers::request_id()));
    match operation.get_mut("parameters") {
        Some(Value::Array(parameters)) => parameters.push(parameter),
        _ => drop(operation.insert("parameters", vec![parameter])),
    }
}

/// Converts a value of the library to this project's JSON tree, which keeps the order of members in the examples.
fn tree(value: &impl serde::Serialize) -> Object {
    let text = serde_json::to_vec(value).expect("the library's values are JSON");
    json::parse(&text).ok().and_then(|value| value.into_object().ok()).expect("the library's values are objects")
}

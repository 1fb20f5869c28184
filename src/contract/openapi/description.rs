use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::SecurityScheme;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, Info, License, OpenApi, OpenApiVersion, RefOr, Schema, Server};

use super::answers::{Answers, example};
use super::headers;
use super::specimen::Ending;
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
    /// The tags of the operations in display order, each with its description.
    pub(in crate::contract) tags: &'static [(&'static str, &'static str)],
    /// The schemas of responses, by name.
    pub(in crate::contract) schemas: Vec<(String, RefOr<Schema>)>,
    /// What the library cannot represent: members to add to a schema, with its place below `components.schemas`.
    pub(in crate::contract) additions: Vec<(&'static str, Object)>,
    /// The contract's error renderer.
    pub(in crate::contract) render_error: ErrorRenderer,
    /// Returns the name of the schema of error responses with a status.
    pub(in crate::contract) refusal: fn(StatusCode) -> &'static str,
    /// The operations in display order, each with the identifier from its annotation.
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
            if let Some(Value::Object(schemas)) = components.get_mut("schemas") {
                for (place, members) in std::mem::take(&mut self.additions) {
                    add(schemas, place, members);
                }
            }
        }
        if let Some(Value::Object(paths)) = document.get_mut("paths") {
            let items = std::mem::take(paths).into_iter();
            let mut items: Vec<(String, Object)> =
                items.filter_map(|(path, item)| Some((path, self.path(item.into_object().ok()?)))).collect();
            items.sort_by_key(|(_, item)| self.position(item));
            *paths = items.into_iter().collect();
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
        let tag =
            |(name, description): &(&str, &str)| TagBuilder::new().name(*name).description(Some(*description)).build();
        api.tags = Some(self.tags.iter().map(tag).collect());
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
        responses
            .insert("MethodNotAllowed", only(("any other method", RequestFault::MethodNotAllowed(METHODS).into())));
        responses.insert("NotFound", only(("any other path", RequestFault::NotFound.into())));
        let mut options = self.answers();
        options.add("", "", (StatusCode::NO_CONTENT, [(ALLOW, METHODS)]).into_response());
        responses.insert("Options", options.only());
        responses
    }

    /// Completes the operations of a Path Item Object.
    fn path(&self, mut item: Object) -> Object {
        let methods: Vec<String> = item.iter().map(|(method, _)| method.clone()).collect();
        for method in &methods {
            if let Some(Value::Object(operation)) = item.get_mut(method) {
                self.complete(operation);
            }
        }
        item
    }

    /// Returns the position of a path: that of the first of its operations in `operations`.
    fn position(&self, item: &Object) -> usize {
        let ids = item.iter().filter_map(|(_, operation)| operation.as_object()?.get("operationId")?.as_str());
        let positions = ids.filter_map(|id| self.operations.iter().position(|operation| operation.id == id));
        positions.min().unwrap_or(usize::MAX)
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
}

/// An example of the methods that a path answers to.
const METHODS: &str = "GET, HEAD, OPTIONS";

/// The end of every document's introduction.
const OF_PATHS: &str = "`HEAD` is answered wherever `GET` is, with the same status and headers and no body. `OPTIONS` is answered on every \
                        path, without credentials (`components.responses.Options`). Another method on one of these paths is answered \
                        405 (`components.responses.MethodNotAllowed`), another path below the same prefix 404 \
                        (`components.responses.NotFound`).";

/// Returns a schema as it is written; the text is an object in JSON.
pub(in crate::contract) fn schema(text: &str) -> Object {
    json::parse(text.as_bytes()).ok().and_then(|value| value.into_object().ok()).expect("a schema is an object in JSON")
}

/// Adds members to the schema at a place such as `Update/properties/name`; a schema that does not exist is created.
fn add(schemas: &mut Object, place: &str, members: Object) {
    let (name, rest) = place.split_once('/').map_or((place, None), |(name, rest)| (name, Some(rest)));
    if !schemas.contains_key(name) {
        schemas.insert(name, Object::new());
    }
    let Some(Value::Object(inner)) = schemas.get_mut(name) else { return };
    match rest {
        Some(rest) => add(inner, rest, members),
        None => members.into_iter().for_each(|(name, value)| drop(inner.insert(name, value))),
    }
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

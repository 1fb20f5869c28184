//! Converts the contract's actual responses into Response Objects.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::headers;
use super::specimen::Ending;
use crate::account::Error;
use crate::http::{ErrorContext, ErrorRenderer, rendered};
use crate::json::{self, Object, Value};
use crate::language::Language;

/// The responses of one operation, by status.
pub(super) struct Answers {
    render_error: ErrorRenderer,
    refusal: fn(StatusCode) -> &'static str,
    by_status: BTreeMap<u16, Vec<Answer>>,
}

/// One response: when it is given, the name of its body's schema, its headers and its body.
struct Answer {
    when: String,
    schema: &'static str,
    headers: HeaderMap,
    body: Option<Value>,
}

impl Answers {
    /// Creates an empty set. `refusal` returns the name of the schema of error responses with a status.
    pub(super) fn new(render_error: ErrorRenderer, refusal: fn(StatusCode) -> &'static str) -> Answers {
        Answers { render_error, refusal, by_status: BTreeMap::new() }
    }

    /// Adds a response. Responses with the same headers and body are merged into one, which lists when each is given.
    pub(super) fn add(&mut self, when: &str, schema: &'static str, response: Response) {
        let (parts, body) = response.into_parts();
        let (headers, body) = (parts.headers, value(body));
        let answers = self.by_status.entry(parts.status.as_u16()).or_default();
        match answers.iter_mut().find(|answer| answer.body == body && answer.headers == headers) {
            Some(same) => same.when = format!("{}; {when}", same.when),
            None => answers.push(Answer { when: when.to_owned(), schema, headers, body }),
        }
    }

    /// Adds the contract's response to each error.
    pub(super) fn refuse(&mut self, endings: Vec<Ending>) {
        for (when, error) in endings {
            let response = example_of(&error, self.render_error);
            let schema = (self.refusal)(response.status());
            self.add(when, schema, response);
        }
    }

    /// Returns the Responses Object.
    pub(super) fn object(&self) -> Object {
        self.by_status.iter().map(|(status, answers)| (status.to_string(), response(*status, answers))).collect()
    }

    /// Returns the Response Object of the only status.
    pub(super) fn only(&self) -> Object {
        self.by_status.first_key_value().map(|(status, answers)| response(*status, answers)).unwrap_or_default()
    }
}

/// Renders an error with a fixed error context, for a document.
pub(in crate::contract) fn example_of(error: &Error, render_error: ErrorRenderer) -> Response {
    let context = ErrorContext {
        language: Language::English,
        request_id: "12345".to_owned(),
        error_id: Uuid::from_u128(0x12345),
        now: Timestamp::UNIX_EPOCH,
    };
    rendered(error, &context, render_error)
}

fn response(status: u16, answers: &[Answer]) -> Object {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut response = Object::from_iter([("description", reason.unwrap_or_default())]);
    response.insert("headers", headers_of(answers));
    let content = content(answers);
    if !content.is_empty() {
        response.insert("content", content);
    }
    response
}

/// Returns every header that one of the responses has, required if all of them have it.
fn headers_of(answers: &[Answer]) -> Object {
    let mut seen: BTreeMap<&str, (&HeaderName, Vec<&str>, usize)> = BTreeMap::new();
    for (name, value) in answers.iter().flat_map(|answer| &answer.headers) {
        let (_, values, count) = seen.entry(name.as_str()).or_insert((name, Vec::new(), 0));
        *count += 1;
        if let Ok(value) = value.to_str()
            && !values.contains(&value)
        {
            values.push(value);
        }
    }
    // The media type is documented with the body, and `Connection` is not part of the contract.
    seen.retain(|name, _| ![header::CONTENT_TYPE.as_str(), header::CONNECTION.as_str()].contains(name));
    let own = seen.into_values().map(|(name, values, count)| {
        (headers::written(name), Value::from(headers::object(name, &values, count == answers.len())))
    });
    own.chain(headers::references()).collect()
}

/// Returns the bodies by media type, with each response as an example.
fn content(answers: &[Answer]) -> Object {
    let mut content = Object::new();
    for answer in answers {
        let Some(body) = &answer.body else { continue };
        let media_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default();
        if !content.contains_key(media_type) {
            let reference = format!("#/components/schemas/{}", answer.schema);
            let mut of_type = Object::new();
            of_type.insert("schema", Object::from_iter([("$ref", reference)]));
            of_type.insert("examples", Object::new());
            content.insert(media_type, of_type);
        }
        if let Some(Value::Object(of_type)) = content.get_mut(media_type)
            && let Some(Value::Object(examples)) = of_type.get_mut("examples")
        {
            examples.insert(answer.when.as_str(), example(body.clone()));
        }
    }
    content
}

/// Returns an Example Object.
pub(super) fn example(value: Value) -> Object {
    Object::from_iter([("value", value)])
}

/// Returns the body as a JSON tree that keeps the order of members, as text if it is not JSON, or `None` if there is no
/// body. The bodies of examples are in memory, so the first poll returns them completely.
fn value(body: axum::body::Body) -> Option<Value> {
    let read = pin!(body.collect()).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(collected)) = read else { return None };
    let bytes = collected.to_bytes();
    let text = || std::str::from_utf8(&bytes).ok().filter(|text| !text.is_empty()).map(Value::from);
    json::parse(&bytes).ok().or_else(text)
}

//! The headers of requests and answers, in words and as schemas.

use axum::http::{HeaderName, header};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required};

use crate::json::{Object, Value};

/// The header that a request may name itself with, and that every answer names it with.
const REQUEST_ID: &str = "X-Request-Id";
/// The header that a client asks for a language with.
pub(in crate::contract) const ACCEPT_LANGUAGE: &str = "Accept-Language";

/// A request header that may be any text, or text of at most so many characters.
pub(in crate::contract) fn request_header(
    name: &str,
    required: Required,
    max_length: Option<usize>,
    description: String,
) -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(utoipa::openapi::Type::String)
        .min_length(max_length.map(|_| 1))
        .max_length(max_length);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// The request header that every operation takes.
pub(super) fn request_id() -> Parameter {
    let description = "What the request is called in the answer, the log and the history: 1 to 128 letters, digits and \
                       `-._~`. Anything else is replaced by a new name.";
    request_header(REQUEST_ID, Required::False, None, description.to_owned())
}

/// What an answer's header means, and what its value is made of.
pub(super) fn meaning(name: &HeaderName) -> Option<(&'static str, &'static str)> {
    let meaning = match name.as_str() {
        "accept-encoding" => ("string", "The one content coding that request bodies may have."),
        "accept-patch" => ("string", "The one media type that a change may have."),
        "allow" => ("string", "The methods that the path answers to."),
        "cache-control" => ("string", "Whether and for whom the answer may be kept."),
        "content-language" => ("string", "The language of the texts."),
        "etag" => ("string", "The version of what is shown."),
        "pragma" => ("string", "Always `no-cache`, for caches that know nothing else."),
        "retry-after" => ("integer", "After how many seconds to try again."),
        "vary" => ("string", "The request headers that the answer depends on."),
        "www-authenticate" => ("string", "How to authenticate."),
        "x-content-type-options" => ("string", "Always `nosniff`."),
        "x-ratelimit-limit" => ("integer", "How many requests may be made in the time of the limit."),
        "x-ratelimit-remaining" => ("integer", "How many may be made now."),
        "x-ratelimit-reset" => ("integer", "When the next one may be made, in seconds since 1970 UTC."),
        "x-sc-version" => ("string", "The version of the envelope that the body is."),
        "x-request-id" => ("string", "What the request is called."),
        _ => return None,
    };
    Some(meaning)
}

/// The Header Objects of what the server gives every answer, whatever the contract says; `components.headers` holds them.
pub(super) fn of_every_answer() -> Object {
    let [options, id] = [header::X_CONTENT_TYPE_OPTIONS, HeaderName::from_static("x-request-id")];
    let objects = [(options, "nosniff"), (id, "12345")];
    objects.into_iter().map(|(name, value)| (written(&name), object(&name, &[value], true))).collect()
}

/// References to them.
pub(super) fn references() -> impl Iterator<Item = (String, Value)> {
    of_every_answer().into_iter().map(|(name, _)| {
        let reference = format!("#/components/headers/{name}");
        (name, Value::Object(Object::from_iter([("$ref", reference)])))
    })
}

/// The Header Object of an answer's header with the values that it was seen with.
pub(super) fn object(name: &HeaderName, values: &[&str], always: bool) -> Object {
    let (kind, description) = meaning(name).unwrap_or(("string", ""));
    let value = |text: &&str| match text.parse::<i64>() {
        Ok(number) if kind == "integer" => Value::from(number),
        _ => Value::from(*text),
    };
    let mut schema = Object::from_iter([("type", kind)]);
    schema.insert("examples", values.iter().map(value).collect::<Vec<Value>>());
    let mut object = Object::from_iter([("description", description)]);
    object.insert("required", always);
    object.insert("schema", schema);
    object
}

/// A header's name as it is usually written: `WWW-Authenticate`, `ETag`, `Retry-After`.
pub(super) fn written(name: &HeaderName) -> String {
    match name.as_str() {
        "etag" => "ETag".to_owned(),
        "www-authenticate" => "WWW-Authenticate".to_owned(),
        "x-sc-version" => "X-SC-Version".to_owned(),
        "x-ratelimit-limit" => "X-RateLimit-Limit".to_owned(),
        "x-ratelimit-remaining" => "X-RateLimit-Remaining".to_owned(),
        "x-ratelimit-reset" => "X-RateLimit-Reset".to_owned(),
        name => name.split('-').map(capitalised).collect::<Vec<String>>().join("-"),
    }
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_are_written_as_people_know_them() {
        let names = ["etag", "www-authenticate", "retry-after", "vary"].map(HeaderName::from_static);
        assert_eq!(names.each_ref().map(written), ["ETag", "WWW-Authenticate", "Retry-After", "Vary"]);
    }
}

//! The headers of requests and responses: descriptions and schemas.

use axum::http::{HeaderName, header};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required};

use crate::json::{Object, Value};

/// The header with the request's identifier, optional in requests and present in every response.
const REQUEST_ID: &str = "X-Request-Id";
/// The header in which a client names its preferred languages.
pub(in crate::contract) const ACCEPT_LANGUAGE: &str = "Accept-Language";

/// Describes a request header of any text, or of 1 to `max_length` characters.
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

/// Describes the request header that every operation takes.
pub(super) fn request_id() -> Parameter {
    let description = "What the client calls the request. It is kept with a change in the history, up to 128 characters. The \
                       identifier of the request in the answer, the log and the history is the server's own, or that of a \
                       trusted proxy.";
    request_header(REQUEST_ID, Required::False, None, description.to_owned())
}

/// Returns the type of a response header's value, and the header's meaning.
pub(super) fn meaning(name: &HeaderName) -> Option<(&'static str, &'static str)> {
    let meaning = match name.as_str() {
        "accept-encoding" => ("string", "The one content coding that request bodies may have."),
        "accept-patch" => ("string", "The one media type that a change may have."),
        "allow" => ("string", "The methods that the path answers to."),
        "cache-control" => ("string", "Whether and by which caches the answer may be stored."),
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

/// Returns the Header Objects of the headers that the server adds to every response, for `components.headers`.
pub(super) fn of_every_answer() -> Object {
    let [options, id] = [header::X_CONTENT_TYPE_OPTIONS, HeaderName::from_static("x-request-id")];
    let objects = [(options, "nosniff"), (id, "12345")];
    objects.into_iter().map(|(name, value)| (written(&name), object(&name, &[value], true))).collect()
}

/// Returns references to the headers of every response.
pub(super) fn references() -> impl Iterator<Item = (String, Value)> {
    of_every_answer().into_iter().map(|(name, _)| {
        let reference = format!("#/components/headers/{name}");
        (name, Value::Object(Object::from_iter([("$ref", reference)])))
    })
}

/// Returns the Header Object of a response header, with the values seen as examples.
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

/// Returns a header's name in its usual case: `WWW-Authenticate`, `ETag`, `Retry-After`.
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
    fn header_names_are_written_in_their_usual_case() {
        let names = ["etag", "www-authenticate", "retry-after", "vary"].map(HeaderName::from_static);
        assert_eq!(names.each_ref().map(written), ["ETag", "WWW-Authenticate", "Retry-After", "Vary"]);
    }
}

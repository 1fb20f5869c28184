//! Reading a request's body: media type, coding, size, time, JSON, in this order.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use tokio::time::sleep;

use super::in_flight::{InFlight, source};
use crate::account::{BodyFault, Cause, Error, RequestFault};
use crate::app::App;
use crate::config::Server;
use crate::headers::Single;
use crate::json::{self, Malformed, MalformedKind, Object, Selection, Value};
use crate::limit::Permit;

/// What a body counts at least towards `server.max_unread_bytes`: what a request that waits for its body costs.
pub(super) const MIN_UNREAD: usize = 16 * 1024;
/// Header fields of a response for which room is made at once: a map that grows field by field is moved several times.
const HEADERS: usize = 12;

/// Reads a JSON object of at most `limit` bytes.
pub async fn object(app: &App, request: Request, limit: usize) -> Result<Object, Error> {
    object_of(&json_bytes(app, request, limit).await?)
}

/// Reads a body of at most `limit` bytes of JSON, which is not parsed yet.
pub async fn json_bytes(app: &App, request: Request, limit: usize) -> Result<Bytes, Error> {
    is_json(request.headers())?;
    bytes(app, request, limit).await
}

/// Reads a JSON object of at most `limit` bytes, and keeps the members for which `keep` returns true. All others must be
/// well-formed and contain no U+0000: nothing stores it, so it can only do harm.
pub async fn members(app: &App, request: Request, limit: usize, keep: fn(&str) -> bool) -> Result<Object, Error> {
    members_of(&json_bytes(app, request, limit).await?, keep)
}

/// Reads bytes as a JSON object, and keeps the same members as [`members`].
pub fn members_of(bytes: &[u8], keep: fn(&str) -> bool) -> Result<Object, Error> {
    selected(bytes, &Selection { keep, long: None, limit: usize::MAX }).map(|(members, _)| members)
}

/// Reads bytes as a JSON object, and keeps what is selected. Fails with [`RequestFault::BodyTooLarge`] when they are more than
/// the selection allows.
pub fn selected<'a>(bytes: &'a [u8], selection: &Selection<'_>) -> Result<(Object, Option<Cow<'a, str>>), Error> {
    let bytes = json::without_mark(bytes);
    if bytes.is_empty() {
        return Err(BodyFault::Empty.into());
    }
    match json::parse_selected(bytes, selection) {
        Ok((value, long)) => Ok((object_in(Ok(value))?, long)),
        Err(Malformed { kind: MalformedKind::TooLong, .. }) => Err(RequestFault::BodyTooLarge.into()),
        Err(_) => Err(BodyFault::Malformed.into()),
    }
}

/// Drops the members of a parsed body for which `keep` returns false; they must contain no U+0000, as in [`members`].
pub fn keep_members(mut object: Object, keep: fn(&str) -> bool) -> Result<Object, Error> {
    let hidden = |(name, value): (&String, &Value)| !keep(name) && (name.contains('\0') || value.contains_nul());
    if object.iter().any(hidden) {
        return Err(BodyFault::Malformed.into());
    }
    object.retain(|name, _| keep(name));
    Ok(object)
}

/// Reads bytes as a JSON object.
pub fn object_of(bytes: &[u8]) -> Result<Object, Error> {
    let bytes = json::without_mark(bytes);
    if bytes.is_empty() {
        return Err(BodyFault::Empty.into());
    }
    object_in(json::parse(bytes))
}

/// Returns the object of a parsed value.
pub fn object_in(parsed: Result<Value, Malformed>) -> Result<Object, Error> {
    match parsed {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null) => Err(BodyFault::Null.into()),
        Ok(_) => Err(BodyFault::NotAnObject.into()),
        Err(_) => Err(BodyFault::Malformed.into()),
    }
}

/// Refuses an object with U+0000 in a member that the contract does not know: nothing stores it, so it can only do harm.
pub fn refuse_nul_outside(object: &Object, known: &[&str]) -> Result<(), Error> {
    let hidden =
        |(name, value): (&str, &Value)| name.contains('\0') || (!known.contains(&name) && value.contains_nul());
    if object.iter().any(|(name, value)| hidden((name, value))) { Err(BodyFault::Malformed.into()) } else { Ok(()) }
}

/// Refuses a body that is not `application/json` in UTF-8, or that has a content coding.
pub fn is_json(headers: &HeaderMap) -> Result<(), Error> {
    let mut parts = media_type(headers)?.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value.trim().trim_matches('"')));
    if !json || !charset {
        return Err(RequestFault::MediaType.into());
    }
    refuse_coding(headers)
}

/// Checks for UTF-8 by its name, or by the name without the hyphen that several libraries write.
fn is_utf8(charset: &str) -> bool {
    ["utf-8", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name))
}

/// Returns the only `Content-Type` of a request, including its parameters.
pub fn media_type(headers: &HeaderMap) -> Result<&str, Error> {
    let media_type = Single::of(headers, header::CONTENT_TYPE).once().and_then(|value| value.to_str().ok());
    media_type.ok_or(Error::Request(RequestFault::MediaType))
}

/// Refuses a body that has a content coding. An empty element of the list is none (RFC 9110 §5.6.1).
pub fn refuse_coding(headers: &HeaderMap) -> Result<(), Error> {
    let lines = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let plain = codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"));
    if plain { Ok(()) } else { Err(Error::Request(RequestFault::ContentEncoding)) }
}

/// Reads a body of at most `limit` bytes and any media type, within the time that `server.body_timeout` and
/// `server.min_body_rate` allow. Until it is complete, it counts towards `server.max_unread_bytes`.
pub async fn bytes(app: &App, request: Request, limit: usize) -> Result<Bytes, Error> {
    let (parts, body) = request.into_parts();
    let announced = announced(&parts.headers);
    if announced.is_some_and(|length| length > limit) {
        return Err(RequestFault::BodyTooLarge.into());
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let least = announced.unwrap_or_default().max(MIN_UNREAD);
    let unread = app.unread_bytes().take(source(&parts.extensions), least)?;
    let in_flight = parts.extensions.get::<InFlight>();
    if let Some(in_flight) = in_flight {
        in_flight.begin_reading();
    }
    let incoming = Incoming { body, limit, announced, unread, in_flight, settings: &app.config().server };
    let bytes = incoming.read().await?;
    if let Some(in_flight) = in_flight {
        in_flight.end_reading()?;
    }
    Ok(bytes)
}

/// A body that is being received.
struct Incoming<'a> {
    body: Body,
    limit: usize,
    announced: Option<usize>,
    unread: Permit,
    in_flight: Option<&'a InFlight>,
    settings: &'a Server,
}

impl Incoming<'_> {
    async fn read(mut self) -> Result<Bytes, Error> {
        let mut deadline = pin!(sleep(self.settings.body_timeout));
        let shortest = deadline.deadline();
        deadline.as_mut().reset(shortest + self.allow(self.announced.unwrap_or_default()));
        // Copied: a chunk may be a few bytes of a large buffer, which it would keep in memory.
        let mut received = BytesMut::new();
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.body.frame() => frame,
                () = deadline.as_mut() => return Err(RequestFault::BodyTooSlow.into()),
            };
            let data = match frame {
                None => return Ok(received.freeze()),
                // The client disconnected, or its chunked coding is malformed.
                Some(Err(_)) => return Err(BodyFault::Malformed.into()),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            if data.len() > self.limit - received.len() {
                return Err(RequestFault::BodyTooLarge.into());
            }
            received.extend_from_slice(&data);
            if self.announced.is_none() {
                self.unread.grow_to(received.len())?;
                deadline.as_mut().reset(shortest + self.allow(received.len()));
            }
        }
    }

    /// Returns what this many bytes add to the time limit of the body, and allows the request the same.
    fn allow(&self, length: usize) -> Duration {
        let time = time_of(length, self.settings);
        if let Some(in_flight) = self.in_flight {
            in_flight.allow(time);
        }
        time
    }
}

/// Returns the time that this many bytes of a body add to `server.body_timeout`.
pub(super) fn time_of(length: usize, settings: &Server) -> Duration {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let rate = u64::try_from(settings.min_body_rate).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(length.saturating_mul(1000) / rate)
}

/// Returns the length of the body that a request announces, in bytes.
pub fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

/// Serializes a value as a JSON body. Returns [`Error::Internal`] if that fails: as a part of a response, the error makes it
/// a 500, whatever the other parts are.
pub fn json(value: &impl serde::Serialize) -> Result<Response, Error> {
    let body = serde_json::to_vec(value).map_err(|error| Error::Internal(Cause::new(error)))?;
    let mut response = Response::new(Body::from(body));
    response.headers_mut().reserve(HEADERS);
    Ok(response)
}

/// Formats a timestamp in UTC as `2026-01-15T08:00:00Z`, truncated to whole seconds.
pub fn seconds(moment: Timestamp) -> String {
    DateTimePrinter::new().precision(Some(0)).timestamp_to_string(&moment)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use serde::ser::{Error as _, Serialize, Serializer};

    use super::*;

    struct Unwritable;

    impl Serialize for Unwritable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("provoked by a test"))
        }
    }

    #[test]
    fn a_value_that_cannot_be_serialized_is_an_internal_error_and_never_an_empty_response() {
        let answer = ([(header::CONTENT_TYPE, "application/json")], json(&Unwritable)).into_response();
        let carried = answer.extensions().get::<Error>().map(Error::to_string);
        assert_eq!(carried.as_deref(), Some("internal error: provoked by a test"));
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}

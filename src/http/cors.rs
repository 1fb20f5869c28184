//! Cross-origin requests (the Fetch standard's CORS protocol), for the origins that the operator lists and no others.
//!
//! The usual CORS layer answers every `OPTIONS` itself; here the endpoints answer 204 with `Allow` to every origin, and an
//! allowed origin gets CORS headers as well.

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::config::ANY_PORT;

/// The request headers that the contracts name, and those that libraries in a page add to its requests: the mark of scripted
/// requests, and the trace headers of W3C, Sentry, Zipkin (B3), Jaeger, Datadog and New Relic.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, \
     X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id, X-Requested-With, traceparent, tracestate, \
     baggage, sentry-trace, b3, X-B3-TraceId, X-B3-SpanId, X-B3-ParentSpanId, X-B3-Sampled, X-B3-Flags, uber-trace-id, \
     x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, newrelic",
);
/// The response headers that a page needs; in a response without a body, the challenge contains all information.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
     X-RateLimit-Reset, X-Request-Id, X-SC-Version",
);
/// How long a browser may cache a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Returns the request's origin if the operator lists it, compared exactly, as browsers send it (RFC 6454 §6.2), or with any
/// port.
pub(super) fn allowed_origin(request: &HeaderMap, listed: &[String]) -> Option<HeaderValue> {
    let origin = request.get(header::ORIGIN)?;
    let is_listed = |listed: &String| match listed.strip_suffix(ANY_PORT) {
        None => listed.as_bytes() == origin.as_bytes(),
        Some(host) => origin.as_bytes().strip_prefix(host.as_bytes()).is_some_and(is_port),
    };
    listed.iter().any(is_listed).then(|| origin.clone())
}

/// Checks for nothing, or for a port behind its colon.
fn is_port(rest: &[u8]) -> bool {
    let digits = rest.strip_prefix(b":");
    rest.is_empty() || digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// Adds the CORS headers for an allowed origin.
pub fn allow(origin: HeaderValue, method: &Method, response: &mut HeaderMap) {
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if method != Method::OPTIONS {
        response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    } else if let Some(methods) = response.get(header::ALLOW).cloned() {
        response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        response.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
}

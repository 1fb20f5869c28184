//! Cross-origin requests (the Fetch standard's CORS protocol), for the origins that the operator lists and no others.
//!
//! The usual layer answers every `OPTIONS` by itself; here they answer 204 with `Allow` whoever asks, and an allowed origin
//! is told more.

use axum::http::{HeaderMap, HeaderValue, Method, header};

/// The request headers that the contracts name.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, \
     X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id",
);
/// The response headers that a page needs: without a body, a challenge says everything.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
     X-RateLimit-Reset, X-Request-Id, X-SC-Version",
);
/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The request's origin, if the operator lists it; compared exactly, as browsers send it (RFC 6454 §6.2).
pub(super) fn allowed_origin(request: &HeaderMap, listed: &[String]) -> Option<HeaderValue> {
    let origin = request.get(header::ORIGIN)?;
    listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// Tells an allowed origin's browser what its page may do.
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

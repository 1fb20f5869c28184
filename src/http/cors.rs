//! Cross-origin requests (the Fetch standard's CORS protocol), for the origins that the operator lists and no others.
//!
//! The usual CORS layer answers every `OPTIONS` itself; here the endpoints answer 204 with `Allow` to every origin, and an
//! allowed origin gets CORS headers as well.

use axum::http::{HeaderMap, HeaderValue, Method, header};

/// The request headers that the contracts name.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, \
     X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id",
);
/// The response headers that a page needs; in a response without a body, the challenge contains all information.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, \
     X-RateLimit-Reset, X-Request-Id, X-SC-Version",
);
/// How long a browser may cache a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Returns the request's origin if the operator lists it, compared exactly, as browsers send it (RFC 6454 §6.2).
pub(super) fn allowed_origin(request: &HeaderMap, listed: &[String]) -> Option<HeaderValue> {
    let origin = request.get(header::ORIGIN)?;
    listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
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

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

use crate::account::{Error, RequestFault};
use crate::app::App;

/// Completes the methods of one path: `OPTIONS` returns 204 with `Allow` (RFC 9110 §9.3.7), and every other method is
/// refused with `Allow` (§15.5.6). `allow` lists the methods of the path, including `HEAD` and `OPTIONS`.
pub fn endpoint(methods: MethodRouter<App>, allow: &'static str) -> MethodRouter<App> {
    methods
        .options(async move || (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(allow))]))
        .fallback(async move || Error::Request(RequestFault::MethodNotAllowed(allow)).into_response())
}

/// Like [`endpoint`], for annotated methods, which the contract's OpenAPI document includes.
pub(crate) fn annotated(methods: UtoipaMethodRouter<App>, allow: &'static str) -> UtoipaMethodRouter<App> {
    methods.map(|methods| endpoint(methods, allow))
}

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

use crate::account::{Error, RequestFault};
use crate::app::App;

/// Completes the methods of one path: `OPTIONS` answers 204 with `Allow` (RFC 9110 §9.3.7), every other method is refused
/// with it (§15.5.6). `allow` lists what the path answers to, `HEAD` and `OPTIONS` included.
pub fn endpoint(methods: MethodRouter<App>, allow: &'static str) -> MethodRouter<App> {
    methods
        .options(async move || (StatusCode::NO_CONTENT, [(ALLOW, HeaderValue::from_static(allow))]))
        .fallback(async move || Error::Request(RequestFault::MethodNotAllowed(allow)).into_response())
}

/// The same for methods that are annotated, so that the contract's document knows them.
pub(crate) fn annotated(methods: UtoipaMethodRouter<App>, allow: &'static str) -> UtoipaMethodRouter<App> {
    methods.map(|methods| endpoint(methods, allow))
}

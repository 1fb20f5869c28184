//! The mailbox of `dev`, as a page or as JSON.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::account::{Cause, Error, RequestFault};
use crate::app::App;
use crate::http::{Public, body};
use crate::outbox::mailbox::Mail;

/// The page shows untrusted text, so it loads nothing and runs nothing.
const CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Page {
    mails: Vec<Mail>,
}

/// Returns every message, the newest first: as JSON if `Accept` names it, otherwise as a page.
pub(super) async fn show(_: Public, State(app): State<App>, headers: HeaderMap) -> Result<Response, Error> {
    let mails = app.outbox().mailbox().ok_or(RequestFault::NotFound)?.mails();
    let mut accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let as_json = accepted.any(|value| value.to_ascii_lowercase().contains("application/json"));
    let (kind, body) = if as_json {
        ("application/json", body::json(&mails)?.into_body())
    } else {
        (
            "text/html; charset=utf-8",
            Page { mails }.render().map_err(|error| Error::Internal(Cause::new(error)))?.into(),
        )
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, HeaderValue::from_static("Accept")),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    ];
    Ok((headers, body).into_response())
}

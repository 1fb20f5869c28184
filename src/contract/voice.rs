//! One error, answered in each contract's own words: whatever fails below a contract's router leaves as an [`Error`] in the
//! response's extensions, and the contract turns it into bytes here, once.

use std::any::Any;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use crate::account::{Cause, Error};
use crate::app::App;
use crate::language::Language;
use crate::serve::RequestId;

/// After how many seconds a refused client should try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What a contract may need of the request to word a refusal.
pub struct Asked {
    /// The language that the client prefers among ours.
    pub language: Language,
    /// The request's identifier, as the client is told.
    pub request_id: String,
}

/// Says an error in a contract's words.
pub type Voice = fn(&Error, &Asked) -> Response;

/// Lets an error leave through the response's extensions; the status is only seen if no contract speaks.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives routes their contract's voice, and bounds what each request may take: its time, and its place among the requests
/// in flight.
pub fn speak(routes: Router<App>, app: &App, voice: Voice) -> Router<App> {
    let bounded = from_fn_with_state(app.clone(), bounded);
    speak_unbounded(routes.fallback(async || Error::NotFound).layer(bounded), voice)
}

/// Gives routes a voice and nothing else: for what must be answered even when every place is taken.
pub fn speak_unbounded(routes: Router<App>, voice: Voice) -> Router<App> {
    let caught = CatchPanicLayer::custom(panicked);
    routes.layer(caught).layer(from_fn_with_state(voice, speak_for))
}

async fn speak_for(State(voice): State<Voice>, request: Request, next: Next) -> Response {
    let asked = Asked::read(&request);
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<Error>() else {
        return response;
    };
    log(&error);
    let mut response = voice(&error, &asked);
    if let Error::Unavailable(_) = error {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    // What is left of a body that nobody reads any more would be taken for the next request.
    if let Error::BodyTooSlow | Error::BodyTooLarge = error {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn bounded(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(_place) = app.requests().try_acquire() else {
        return Error::Unavailable(Cause::new("too many requests are in flight")).into_response();
    };
    match tokio::time::timeout(app.config().server.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(elapsed) => Error::Unavailable(Cause::new(elapsed)).into_response(),
    }
}

/// Causes go to the log and nowhere else.
fn log(error: &Error) {
    match error {
        Error::Internal(cause) => tracing::error!(%cause, "the request failed by our fault"),
        Error::Unavailable(cause) => tracing::warn!(%cause, "the request could not be served now"),
        _ => {}
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // What was panicked with may hold personal values; the panic hook has logged where it happened.
    Error::Internal(Cause::new("a handler panicked")).into_response()
}

impl Asked {
    fn read(request: &Request) -> Asked {
        let request_id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
        Asked { language: language(request.headers()), request_id: request_id.unwrap_or_default() }
    }
}

/// The language that a request prefers among ours.
pub fn language(headers: &HeaderMap) -> Language {
    Language::negotiate(headers.get_all(header::ACCEPT_LANGUAGE).iter().map(HeaderValue::as_bytes))
}

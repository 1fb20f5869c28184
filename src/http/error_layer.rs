//! Rendering of errors in each contract's form: a failure below a contract's router leaves as an [`Error`] in the response's
//! extensions, and the contract renders it here, once.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::{RequestId, in_flight};
use crate::account::{Cause, ChannelFault, Error, RequestFault};
use crate::app::App;
use crate::language::Language;
use crate::telemetry::{self, Stopwatch};

/// `Retry-After` of a request that cannot be served now, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// What a contract may need of the request to render an error.
pub struct ErrorContext {
    /// The supported language that the client prefers.
    pub language: Language,
    /// The request's identifier, which the client receives too.
    pub request_id: String,
    /// A new identifier for the error, which is also logged.
    pub error_id: Uuid,
    /// The time at which the error is rendered.
    pub now: Timestamp,
}

/// Renders an error as the contract's response.
pub type ErrorRenderer = fn(&Error, &ErrorContext) -> Response;

/// Puts an error into the response's extensions; the status is sent only if no contract renders the error.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Adds their contract's error renderer to routes, and limits the time of each request and the number of requests in flight.
/// `name` is the contract's name in the metrics.
pub fn with_error_layer(
    routes: Router<App>,
    app: &App,
    name: &'static str,
    render_error: ErrorRenderer,
) -> Router<App> {
    let routes = routes.fallback(async || Error::Request(RequestFault::NotFound).into_response());
    layered(routes, app, ErrorLayer { name, render_error, limits_in_flight: true })
}

/// Adds an error renderer to routes and nothing else, for paths that must be served even at the limit of requests in flight.
pub fn with_error_layer_only(
    routes: Router<App>,
    app: &App,
    name: &'static str,
    render_error: ErrorRenderer,
) -> Router<App> {
    layered(routes, app, ErrorLayer { name, render_error, limits_in_flight: false })
}

/// What is done around the routes of a contract. One layer does it all, since the router copies every layer for each request.
#[derive(Clone, Copy)]
struct ErrorLayer {
    name: &'static str,
    render_error: ErrorRenderer,
    limits_in_flight: bool,
}

fn layered(routes: Router<App>, app: &App, layer: ErrorLayer) -> Router<App> {
    routes.layer(from_fn_with_state((app.clone(), layer), error_layer))
}

async fn error_layer(State((app, layer)): State<(App, ErrorLayer)>, request: Request, next: Next) -> Response {
    let took = Stopwatch::start();
    let method = telemetry::method(request.method());
    let context = RequestContext::read(&request);
    let answering = async {
        if layer.limits_in_flight { in_flight::limited(&app, request, next).await } else { next.run(request).await }
    };
    // The panic's payload may contain personal data; the panic hook has logged where it happened.
    let panicked = |_| Error::Internal(Cause::new("a handler panicked")).into_response();
    let response = AssertUnwindSafe(answering).catch_unwind().await.unwrap_or_else(panicked);
    let response = render_carried(response, context, &app, layer.render_error);
    telemetry::request(layer.name, method, response.status(), took);
    response
}

/// Renders the error that a response carries. A 5xx response that carries no error has no cause and is an internal error.
fn render_carried(mut response: Response, context: RequestContext, app: &App, render_error: ErrorRenderer) -> Response {
    let status = response.status();
    let error = match response.extensions_mut().remove::<Error>() {
        Some(error) => error,
        None if status.is_server_error() => {
            Error::Internal(Cause::new(format!("a handler answered {status} without an error")))
        }
        None => return response,
    };
    render_and_log(error, &context.of_error(app), render_error)
}

/// Renders an error as the contract's response and logs it in one line, with its cause if the status is 5xx.
pub(crate) fn render_and_log(error: Error, context: &ErrorContext, render_error: ErrorRenderer) -> Response {
    let mut response = rendered(&error, context, render_error);
    let error = match response.extensions_mut().remove::<Error>() {
        None => error,
        Some(unwritten) => {
            let failed = Error::Internal(Cause::new(format!("{error}; its answer was not written: {unwritten}")));
            response = rendered(&failed, context, render_error);
            failed
        }
    };
    log(&error, response.status(), context);
    response
}

/// Renders an error as the contract's response, with the header that it has in every contract.
pub(crate) fn rendered(error: &Error, context: &ErrorContext, render_error: ErrorRenderer) -> Response {
    let mut response = render_error(error, context);
    if let Some((name, value)) = common_header(error) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Returns the header that an error has in every contract. Challenges, `Accept-Patch` and the like depend on the contract.
fn common_header(error: &Error) -> Option<(HeaderName, HeaderValue)> {
    match error {
        Error::Unavailable(_) => Some((header::RETRY_AFTER, RETRY_AFTER)),
        Error::Request(fault) => match fault {
            RequestFault::MethodNotAllowed(allow) => Some((header::ALLOW, HeaderValue::from_static(allow))),
            RequestFault::ContentEncoding => Some((header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            RequestFault::RateLimited(early) => Some((header::RETRY_AFTER, retry_after(early.wait))),
            RequestFault::DayUsedUp(used_up) => Some((header::RETRY_AFTER, retry_after(used_up.wait))),
            // The unread rest of the body would be taken for the next request; an intermediary that takes another host for the
            // request's may send those of other clients on this connection.
            RequestFault::BodyTooLarge | RequestFault::BodyTooSlow | RequestFault::Host => {
                Some((header::CONNECTION, HeaderValue::from_static("close")))
            }
            RequestFault::NotFound | RequestFault::MediaType | RequestFault::Body(_) => None,
        },
        _ => None,
    }
}

/// Returns the status with which contracts refuse a request (RFC 9110 §15.5, RFC 6585 §4).
pub fn status_of(fault: &RequestFault) -> StatusCode {
    match fault {
        RequestFault::NotFound => StatusCode::NOT_FOUND,
        RequestFault::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
        RequestFault::MediaType | RequestFault::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RequestFault::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RequestFault::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        RequestFault::Host | RequestFault::Body(_) => StatusCode::BAD_REQUEST,
        RequestFault::RateLimited(_) | RequestFault::DayUsedUp(_) => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// `Retry-After` in whole seconds, rounded up.
pub fn retry_after(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

/// Logs an error with its cause, which appears only in the log. The status decides: an error that a contract does not
/// render, since it cannot occur there, becomes a 500 and needs a cause like any other.
fn log(error: &Error, status: StatusCode, ErrorContext { error_id, .. }: &ErrorContext) {
    if !status.is_server_error() {
        tracing::debug!(%error_id, %error, "request refused");
        return;
    }
    let cause = match error {
        Error::Internal(cause) | Error::Unavailable(cause) => cause.to_string(),
        Error::Channel(ChannelFault::PublicKey(_)) => error.to_string(),
        other => format!("not expected here: {other}"),
    };
    match status {
        StatusCode::SERVICE_UNAVAILABLE => tracing::warn!(%error_id, cause, "service unavailable"),
        _ => tracing::error!(%error_id, cause, "internal error"),
    }
}

impl ErrorContext {
    /// Reads the context from a request.
    pub(crate) fn read(app: &App, request: &Request) -> ErrorContext {
        RequestContext::read(request).of_error(app)
    }
}

/// The part of an [`ErrorContext`] that comes from the request. The rest is added when an error is rendered: most requests
/// end without one, and drawing an identifier is the expensive part.
pub(crate) struct RequestContext {
    language: Language,
    request_id: String,
}

impl RequestContext {
    /// Reads it from a request.
    pub(crate) fn read(request: &Request) -> RequestContext {
        let request_id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
        RequestContext { language: language(request.headers()), request_id: request_id.unwrap_or_default() }
    }

    /// Completes the context of an error, which happens now.
    pub(crate) fn of_error(self, app: &App) -> ErrorContext {
        let RequestContext { language, request_id } = self;
        ErrorContext { language, request_id, error_id: app.new_id(), now: app.now() }
    }
}

/// Returns the supported language that a request prefers.
pub fn language(headers: &HeaderMap) -> Language {
    Language::negotiate(headers.get_all(header::ACCEPT_LANGUAGE).iter().map(HeaderValue::as_bytes))
}

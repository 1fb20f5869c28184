//! What happens to every request, whatever it asks for.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::{cors, remainder, source};
use crate::account::history::Occasion;
use crate::account::{Contract, Error};
use crate::app::App;
use crate::telemetry::{Stopwatch, traces};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest identifier that is taken over from a client, in bytes.
const MAX_REQUEST_ID: usize = 128;
/// The longest `User-Agent` that is kept in the history, in Unicode scalar values.
const MAX_USER_AGENT: usize = 256;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The address that a request is counted for: the peer's, or whom a trusted proxy names.
#[derive(Clone, Copy, Debug)]
pub struct Source(pub IpAddr);

/// What a request is called in answers, logs and the history.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// The identifier: RFC 3986 unreserved characters, so that it is a relative reference and needs no escaping anywhere.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(headers: &HeaderMap, app: &App) -> RequestId {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let fit = |id: &&str| {
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(unreserved)
        };
        RequestId(given.filter(fit).map_or_else(|| app.new_id().to_string(), str::to_owned))
    }
}

/// Names the request, logs what became of it, and keeps connections honest.
pub(super) async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), &app);
    let close = must_close(&request);
    let path = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str()).to_owned();
    let span = tracing::info_span!("request", id = id.as_str(), method = %request.method(), path);
    request.extensions_mut().insert(id.clone());
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let source = source::of(peer, request.headers(), &app.config().server);
        request.extensions_mut().insert(Source(source));
    }
    let method = request.method().clone();
    let origins = &app.config().server.cors_origins;
    let origin = cors::allowed_origin(request.headers(), origins);

    let took = Stopwatch::start();
    let trace = traces::begin(&request);
    let request = remainder::read_to_the_end(request);
    let mut response = next.run(request).instrument(span.clone()).await;
    let microseconds = u64::try_from(took.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), microseconds, "answered"));
    if let Some(trace) = trace {
        trace.end(response.status());
    }

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin {
        cors::allow(origin, &method, headers);
    }
    if !origins.is_empty() {
        // Answers differ by origin, also towards those that are not allowed.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A request with both `Transfer-Encoding` and `Content-Length` may be an attempt at smuggling, and its connection must end
/// with the answer (RFC 9112 §6.1). By the time a request arrives here the HTTP library has dropped the length, so every
/// request in HTTP/1.1 transfer coding ends its connection.
fn must_close(request: &Request) -> bool {
    request.version() < Version::HTTP_2 && request.headers().contains_key(header::TRANSFER_ENCODING)
}

/// The circumstances of a change that a request makes for its account's owner.
pub fn occasion(contract: Contract, request: &Request) -> Occasion {
    let id = request.extensions().get::<RequestId>().map(RequestId::as_str).unwrap_or_default();
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Occasion {
        source_address: request.extensions().get::<Source>().map(|Source(address)| address.to_string()),
        user_agent: agent.map(|agent| agent.chars().take(MAX_USER_AGENT).collect()),
        ..Occasion::owner(contract, id)
    }
}

/// Counts a request for where it came from, before anybody looks at its credentials.
pub fn count_source(app: &App, parts: &Parts) -> Result<(), Error> {
    parts.extensions.get::<Source>().map_or(Ok(()), |Source(address)| app.limits().address(*address))
}

/// The same for a whole request.
pub fn count_source_of(app: &App, request: &Request) -> Result<(), Error> {
    request.extensions().get::<Source>().map_or(Ok(()), |Source(address)| app.limits().address(*address))
}

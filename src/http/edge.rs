//! What every request passes through.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Version, header};
use axum::response::Response;
use tracing::Instrument;

use super::request::{Peer, REQUEST_ID, RequestId, Source};
use super::{body, cors, remainder, source};
use crate::app::App;
use crate::telemetry::{Stopwatch, traces};

/// Assigns the request's identifier and source, has it answered, logs and traces the response, adds the common headers, and
/// closes the connection where it must.
pub async fn pass<Answering>(app: &App, mut request: Request, answer: impl FnOnce(Request) -> Answering) -> Response
where
    Answering: Future<Output = Response>,
{
    let peer: Option<Peer> = request.extensions().get().copied();
    let (id, client_id) = RequestId::of(request.headers(), peer, app);
    let close = must_close(&request, app.config().server.max_drained_bytes);
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!("request", id = id.as_str(), method = %request.method(), path);
    request.extensions_mut().insert(id.clone());
    if let Some(client_id) = client_id {
        request.extensions_mut().insert(client_id);
    }
    if let Some(Peer(peer)) = peer {
        let source = source::of(peer, request.headers(), &app.config().server);
        request.extensions_mut().insert(Source(source));
    }
    let method = request.method().clone();
    let origins = &app.config().server.cors_origins;
    let origin = cors::allowed_origin(request.headers(), origins);

    let took = Stopwatch::start();
    let trace = traces::begin(&request);
    let request = remainder::read_to_the_end(app, request);
    let mut response = answer(request).instrument(span.clone()).await;
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
        // Responses differ by origin, also for origins that are not allowed.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Checks whether the connection must close after the response. A request with both `Transfer-Encoding` and `Content-Length`
/// may be request smuggling and must close it (RFC 9112 §6.1). hyper has dropped the length by now, so every HTTP/1.1
/// request with a transfer coding does. A body that is not even drained to its end closes it, too.
fn must_close(request: &Request, drained: usize) -> bool {
    request.version() < Version::HTTP_2
        && (request.headers().contains_key(header::TRANSFER_ENCODING)
            || body::announced(request.headers()).is_some_and(|length| length > drained))
}

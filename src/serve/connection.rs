//! One connection: its requests, and the limits that end it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Version, header};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt;

use super::activity::Activity;
use crate::config::Server;
use crate::http::{HealthOnly, KeepOpen, Peer};

/// Most requests that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 64;
/// Most bytes of an answer that an HTTP/2 connection holds ready to send.
const MAX_UNSENT: usize = 64 * 1024;
/// Interval of pings on a silent HTTP/2 connection, and how long it may take to answer one.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Time limit of a connection that is open for health only.
const HEALTH_LIMIT: Duration = Duration::from_secs(2);

/// How a connection is served.
pub(super) struct Connection<'a> {
    pub(super) routes: &'a Router,
    pub(super) peer: Peer,
    /// Whether only health is answered.
    pub(super) health_only: bool,
    /// `Strict-Transport-Security` of the answers, over TLS.
    pub(super) hsts: Option<HeaderValue>,
    pub(super) limits: Limits,
}

/// The time limits of a connection.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// For the TLS handshake, and without a request or an unsent answer.
    pub(super) idle: Duration,
    /// For an answer that the client does not read.
    pub(super) unread: Duration,
}

impl Limits {
    pub(super) fn new(settings: &Server, health_only: bool) -> Limits {
        let most = if health_only { HEALTH_LIMIT } else { Duration::MAX };
        Limits { idle: settings.header_timeout.min(most), unread: settings.write_timeout.min(most) }
    }
}

impl Connection<'_> {
    /// Serves the connection until the client or a limit ends it, or, once `stopping` changes, until its last response.
    pub(super) async fn serve<Stream>(
        self,
        server: &Builder<TokioExecutor>,
        stream: Stream,
        mut stopping: watch::Receiver<bool>,
    ) where
        Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let activity = Activity::new();
        let service = service_fn(|request| self.answer(&activity, request));
        let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
        let mut is_ending = false;
        loop {
            let idle = if is_ending { self.limits.unread } else { self.limits.idle };
            tokio::select! {
                biased;
                // A connection breaks for reasons on the client's side, so the error is ignored.
                _ = connection.as_mut() => return,
                _ = stopping.changed(), if !is_ending => {}
                () = activity.begun(), if self.health_only && !is_ending => {}
                // A client that has sent no request yet, or that does not close its connection, is cut off.
                () = activity.idle(idle, is_ending) => if is_ending || !activity.has_begun() { return },
                () = activity.stalled(self.limits.unread) => return,
            }
            connection.as_mut().graceful_shutdown();
            is_ending = true;
        }
    }

    fn answer(
        &self,
        activity: &Arc<Activity>,
        mut request: hyper::Request<Incoming>,
    ) -> impl Future<Output = Result<hyper::Response<Body>, Infallible>> + use<> {
        let open = activity.begin();
        request.extensions_mut().insert(self.peer);
        let closes = self.health_only && request.version() < Version::HTTP_2;
        if self.health_only {
            request.extensions_mut().insert(HealthOnly);
        } else if !request.body().is_end_stream() {
            request.extensions_mut().insert(KeepOpen::new(activity.receive()));
        }
        let hsts = self.hsts.clone();
        let answering = self.routes.clone().oneshot(request.map(Body::new));
        async move {
            let mut response = answering.await?;
            if closes {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if let Some(hsts) = hsts {
                response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, hsts);
            }
            Ok(response.map(|body| open.answered(body)))
        }
    }
}

/// Returns what all connections of a listener have in common.
pub(super) fn builder(settings: &Server) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(settings.max_header_bytes)
        .max_headers(settings.max_headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(settings.max_header_bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(MAX_UNSENT)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    builder
}

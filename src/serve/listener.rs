use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::Tls;
use crate::config;
use crate::http::Peer;

/// Pause after an accept failed, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most requests that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 64;
/// Interval of pings on a silent HTTP/2 connection, and how long it may take to answer one.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The outcome of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every request in flight was answered.
    Clean,
    /// Some requests were cut off after `server.shutdown_timeout`.
    Cut,
}

/// How the connections of one listener are served.
pub(super) struct Connections {
    pub(super) settings: config::Server,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) routes: Router,
}

impl Connections {
    /// Accepts connections until `stop` completes, then closes each after its last response.
    pub(super) async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Stop {
        let this = Arc::new(self);
        let server = Arc::new(builder(&this.settings));
        let places = Arc::new(Semaphore::new(this.settings.max_connections));
        let open = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            // A full server accepts no further connection: clients wait in the system's queue instead of in this process.
            let accepted = async {
                let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
                listener.accept().await.map(|accepted| (place, accepted))
            };
            let (place, (stream, peer)) = tokio::select! {
                () = &mut stop => break,
                accepted = accepted => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
            };
            let (this, server, watcher) = (this.clone(), server.clone(), open.watcher());
            tokio::spawn(async move {
                this.connection(&server, stream, Peer(peer), watcher).await;
                drop(place);
            });
        }
        drop(listener);
        tokio::select! {
            () = open.shutdown() => Stop::Clean,
            () = tokio::time::sleep(this.settings.shutdown_timeout) => Stop::Cut,
        }
    }

    async fn connection(&self, server: &Builder<TokioExecutor>, stream: TcpStream, peer: Peer, watcher: Watcher) {
        // Responses are written whole; waiting to fill a segment would only delay them.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        // A client that does not read its responses is cut off.
        stream.set_write_timeout(Some(self.settings.write_timeout));
        let stream = Box::pin(stream);
        match &self.tls {
            None => self.serve_http(server, stream, peer, watcher).await,
            Some(tls) => {
                let shaken = tokio::time::timeout(self.settings.header_timeout, tls.acceptor().accept(stream)).await;
                if let Ok(Ok(stream)) = shaken {
                    self.serve_http(server, stream, peer, watcher).await;
                }
            }
        }
    }

    async fn serve_http<Stream>(&self, server: &Builder<TokioExecutor>, stream: Stream, peer: Peer, watcher: Watcher)
    where
        Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let begun = Arc::new(Notify::new());
        let silent = silent(begun.clone(), self.settings.header_timeout);
        let service = self.routes.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            begun.notify_one();
            request.extensions_mut().insert(peer);
            request.map(axum::body::Body::new)
        });
        let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        tokio::select! {
            // A connection breaks for reasons on the client's side, so the error is ignored.
            _ = watcher.watch(connection) => {}
            () = silent => {}
        }
    }
}

/// Completes when a connection has not begun its first request within `limit`. hyper's own limit applies only once the HTTP
/// version is known, and not to HTTP/2: until then a silent client could keep its connection open.
async fn silent(begun: Arc<Notify>, limit: Duration) {
    if tokio::time::timeout(limit, begun.notified()).await.is_ok() {
        std::future::pending().await
    }
}

fn builder(settings: &config::Server) -> Builder<TokioExecutor> {
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
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    builder
}

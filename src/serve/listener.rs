use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::health::Readiness;
use super::{Peer, routes, upkeep};
use crate::app::App;
use crate::config;

/// How long to wait after the system refused a connection, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Requests that one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 64;
/// How often a silent HTTP/2 connection is asked whether it lives, and how long it may take to answer.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// What a stop came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every request that was begun was answered.
    Clean,
    /// Some were cut off when their time was up.
    Cut,
}

/// Serves until `stop` completes, then answers what was begun: readiness ends first, then the listener, then each
/// connection with its last answer.
pub async fn run(app: App, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<Stop> {
    let settings = app.config().server.clone();
    let readiness = Readiness::default();
    let service = routes(&app, readiness.clone());
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(settings.max_connections));
    let upkeep = tokio::spawn(upkeep::run(app));
    let server = builder(&settings);

    readiness.begin();
    let mut stop = std::pin::pin!(async {
        stop.await;
        readiness.end();
        tokio::time::sleep(settings.drain_delay).await;
    });
    loop {
        // A full server takes no further connection: clients wait in the system's queue instead of in ours.
        let accepted = async {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|accepted| (place, accepted))
        };
        let (place, (stream, peer)) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let begun = Arc::new(Notify::new());
        let service = with_peer(service.clone(), Peer(peer), begun.clone());
        let connection =
            server.serve_connection_with_upgrades(stream_of(stream, &settings), TowerToHyperService::new(service));
        let connection = connections.watch(connection.into_owned());
        let silent = silent(begun, settings.header_timeout);
        tokio::spawn(async move {
            tokio::select! {
                // What breaks a connection is the client's business and says nothing about us.
                _ = connection => {}
                () = silent => {}
            }
            drop(place);
        });
    }
    drop(listener);
    upkeep.abort();
    tokio::select! {
        () = connections.shutdown() => Ok(Stop::Clean),
        () = tokio::time::sleep(settings.shutdown_timeout) => Ok(Stop::Cut),
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

/// Completes when a connection has not begun its first request in time. The library's own limit counts only once it knows
/// which version of HTTP is spoken, and in HTTP/2 not at all: until then a client that says nothing would be waited for.
async fn silent(begun: Arc<Notify>, limit: Duration) {
    if tokio::time::timeout(limit, begun.notified()).await.is_ok() {
        std::future::pending().await
    }
}

/// A client that does not take its answers is cut off.
fn stream_of(stream: TcpStream, settings: &config::Server) -> TokioIo<std::pin::Pin<Box<TimeoutStream<TcpStream>>>> {
    // Answers are written whole; waiting to fill a segment would only delay them.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(settings.write_timeout));
    TokioIo::new(Box::pin(stream))
}

/// Tells each request who sent it, and `begun` that there is one.
fn with_peer(
    routes: Router,
    peer: Peer,
    begun: Arc<Notify>,
) -> impl tower::Service<
    hyper::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    routes.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        begun.notify_one();
        request.extensions_mut().insert(peer);
        request.map(axum::body::Body::new)
    })
}

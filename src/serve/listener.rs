use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_io_timeout::TimeoutStream;

use super::Tls;
use super::admission::{Admission, Admitted};
use super::connection::{Connection, Limits, builder};
use crate::config;
use crate::http::Peer;

/// Pause after an accept failed, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    pub(super) admission: Admission,
}

impl Connections {
    /// Accepts connections until `stop` completes, then closes each after its last response.
    pub(super) async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Stop {
        let this = Arc::new(self);
        let server = Arc::new(builder(&this.settings));
        // Each connection has a receiver, so that the sender sees the end of the last one.
        let (stopping, _) = watch::channel(false);
        let mut stop = pin!(stop);
        loop {
            let (free, stream, peer) = tokio::select! {
                () = &mut stop => break,
                accepted = this.accept(&listener) => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "connection not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
            };
            let Some(admitted) = this.admission.admit(peer.ip()) else {
                // Reset: the system need not remember the connection.
                let _ = stream.set_zero_linger();
                continue;
            };
            let (this, server, stopping) = (this.clone(), server.clone(), stopping.subscribe());
            tokio::spawn(async move {
                this.connection(&server, stream, Peer(peer), &admitted, stopping).await;
                drop((admitted, free));
            });
        }
        drop(listener);
        stopping.send_replace(true);
        tokio::select! {
            () = stopping.closed() => Stop::Clean,
            () = tokio::time::sleep(this.settings.shutdown_timeout) => Stop::Cut,
        }
    }

    /// Accepts a connection, unless the server is full: clients then wait in the system's queue instead of in this process.
    async fn accept(&self, listener: &TcpListener) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
        let free = self.admission.free().await;
        let (stream, peer) = listener.accept().await?;
        Ok((free, stream, peer))
    }

    async fn connection(
        &self,
        server: &Builder<TokioExecutor>,
        stream: TcpStream,
        peer: Peer,
        &Admitted { health_only, .. }: &Admitted,
        stopping: watch::Receiver<bool>,
    ) {
        // Responses are written whole; waiting to fill a segment would only delay them.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        let limits = Limits::new(&self.settings, health_only);
        // A client that does not read its responses is cut off.
        stream.set_write_timeout(Some(limits.unread));
        let stream = Box::pin(stream);
        let hsts = self.tls.as_ref().and_then(|_| hsts(self.settings.hsts_max_age));
        let connection = Connection { routes: &self.routes, peer, health_only, hsts, limits };
        match &self.tls {
            None => connection.serve(server, stream, stopping).await,
            Some(tls) => {
                let shaken = tokio::time::timeout(limits.idle, tls.acceptor().accept(stream)).await;
                if let Ok(Ok(stream)) = shaken {
                    connection.serve(server, stream, stopping).await;
                }
            }
        }
    }
}

/// Returns the value of `Strict-Transport-Security` (RFC 6797 §6.1); `None` for no time.
fn hsts(max_age: Duration) -> Option<HeaderValue> {
    let seconds = Some(max_age.as_secs()).filter(|seconds| *seconds > 0)?;
    HeaderValue::from_str(&format!("max-age={seconds}")).ok()
}

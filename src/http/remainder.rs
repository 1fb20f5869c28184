//! Draining of bodies that were not read to their end.

use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::KeepOpen;
use super::body::{MIN_UNREAD, time_of};
use super::in_flight::source;
use crate::app::App;

/// A body that is drained, within bounds, when it is dropped.
///
/// A request that is refused before its body was read would otherwise break its connection: data that arrives after the
/// response meets a closed socket, and the reset may overtake the response on its way to the client (RFC 9112 §9.6). Most HTTP
/// libraries send the whole body before they read the response.
struct Remainder {
    body: Body,
    /// `None` when there is nothing left to drain.
    drain: Option<Drain>,
}

/// What the draining of a body needs.
struct Drain {
    app: App,
    /// The address that the body counts for.
    source: Option<IpAddr>,
    /// Keeps the connection from being closed as idle.
    connection: Option<KeepOpen>,
}

/// Wraps the body of an HTTP/1.1 request so that it is drained. HTTP/2 ends a stream without harm to its connection, and a
/// client that sent `Expect` has not sent its body yet.
pub(super) fn read_to_the_end(app: &App, request: Request) -> Request {
    let (version, asks_first) = (request.version(), request.headers().contains_key(header::EXPECT));
    if version >= Version::HTTP_2 || asks_first || request.body().is_end_stream() {
        return request;
    }
    let extensions = request.extensions();
    let drain = Drain { app: app.clone(), source: source(extensions), connection: extensions.get().cloned() };
    request.map(|body| Body::new(Remainder { body, drain: Some(drain) }))
}

impl Drop for Remainder {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.body);
        if let (Some(drain), false, Ok(runtime)) = (self.drain.take(), body.is_end_stream(), Handle::try_current()) {
            runtime.spawn(drain.discard(body));
        }
    }
}

impl Drain {
    /// Reads and drops a body as long as it comes as fast as any other must, up to `server.max_drained_bytes`. It counts
    /// towards `server.max_unread_bytes` with what its buffers cost: beyond that, nothing is drained.
    async fn discard(self, mut body: Body) {
        let Ok(_permit) = self.app.unread_bytes().take(self.source, MIN_UNREAD) else { return };
        let settings = &self.app.config().server;
        let mut deadline = pin!(sleep(settings.body_timeout));
        let shortest = deadline.deadline();
        let mut drained = 0;
        while drained <= settings.max_drained_bytes {
            let frame = tokio::select! {
                biased;
                () = deadline.as_mut() => break,
                frame = body.frame() => frame,
            };
            let Some(Ok(frame)) = frame else { break };
            drained += frame.data_ref().map_or(0, Buf::remaining);
            deadline.as_mut().reset(shortest + time_of(drained, settings));
        }
        // The connection closes, or serves the next request: from now on it may be idle.
        drop((body, self.connection));
    }
}

impl HttpBody for Remainder {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = Body::empty();
            self.drain = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

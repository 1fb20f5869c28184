//! Draining of bodies that were not read to their end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{Version, header};
use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// Most bytes drained from an unread body.
const LIMIT: usize = 1024 * 1024;
/// Longest time to drain an unread body.
const TIME: Duration = Duration::from_secs(2);

/// A body that is drained, within bounds, when it is dropped.
///
/// A request that is refused before its body was read would otherwise break its connection: data that arrives after the
/// response meets a closed socket, and the reset may overtake the response on its way to the client (RFC 9112 §9.6).
struct Remainder(Body);

/// Wraps the body of an HTTP/1.1 request so that it is drained. HTTP/2 ends a stream without harm to its connection, and a
/// client that sent `Expect` has not sent its body yet.
pub(super) fn read_to_the_end(request: Request) -> Request {
    let (version, asks_first) = (request.version(), request.headers().contains_key(header::EXPECT));
    if version >= Version::HTTP_2 || asks_first || request.body().is_end_stream() {
        return request;
    }
    request.map(|body| Body::new(Remainder(body)))
}

impl Drop for Remainder {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.0);
        if let (false, Ok(runtime)) = (body.is_end_stream(), Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(TIME, drained(body)));
        }
    }
}

async fn drained(mut body: Body) {
    let mut left = LIMIT;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Buf::remaining);
        match left.checked_sub(length) {
            Some(less) => left = less,
            None => return,
        }
    }
}

impl HttpBody for Remainder {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.0).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = Body::empty();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

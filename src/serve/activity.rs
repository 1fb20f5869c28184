//! What happens on one connection: requests that are open, and answers that the client does not read. hyper closes an idle
//! HTTP/1.1 connection itself, but has no limit for one of HTTP/2.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Largest part of an answer that is handed to the connection at once, in bytes: what is beyond the client's window stays
/// here, where its progress is seen.
const PART: usize = 16 * 1024;

/// The requests of one connection.
#[derive(Default)]
pub(super) struct Activity {
    /// Requests without a complete answer.
    open: AtomicUsize,
    /// Requests whose bodies are received, or drained after their answers.
    received: AtomicUsize,
    /// Notified when the first of either begins or the last one ends.
    changed: Notify,
    /// Whether there was any request.
    has_begun: AtomicBool,
    /// Notified once, when there was.
    begun: Notify,
    /// The answers that are being sent; whether each moved since the last look.
    answers: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Activity {
    /// Records that a request begins.
    pub(super) fn begin(self: &Arc<Activity>) -> OpenRequest {
        if self.open.fetch_add(1, Ordering::SeqCst) == 0 {
            self.changed.notify_one();
        }
        if !self.has_begun.swap(true, Ordering::SeqCst) {
            self.begun.notify_one();
        }
        OpenRequest(self.clone())
    }

    /// Records that the body of a request begins.
    pub(super) fn receive(self: &Arc<Activity>) -> ReceivedBody {
        if self.received.fetch_add(1, Ordering::SeqCst) == 0 {
            self.changed.notify_one();
        }
        ReceivedBody(self.clone())
    }

    /// Returns whether there was any request.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::SeqCst)
    }

    /// Completes when the first request has begun; only once.
    pub(super) async fn begun(&self) {
        self.begun.notified().await;
    }

    /// Completes when no request was open for `limit` and no body was received. The bodies of answered requests do not count
    /// when the connection `is_ending`: a stop does not wait for what is drained.
    pub(super) async fn idle(&self, limit: Duration, is_ending: bool) {
        loop {
            let changed = self.changed.notified();
            let is_receiving = !is_ending && self.received.load(Ordering::SeqCst) > 0;
            if is_receiving || self.open.load(Ordering::SeqCst) > 0 {
                changed.await;
            } else if timeout(limit, changed).await.is_err() {
                return;
            }
        }
    }

    /// Completes when the client has taken nothing of an answer for `limit`, or up to twice as long.
    pub(super) async fn stalled(&self, limit: Duration) {
        loop {
            sleep(limit).await;
            if self.answers().iter().any(|moved| !moved.swap(false, Ordering::SeqCst)) {
                return;
            }
        }
    }

    fn answers(&self) -> MutexGuard<'_, Vec<Arc<AtomicBool>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request without a complete answer.
pub(super) struct OpenRequest(Arc<Activity>);

impl OpenRequest {
    /// Returns the answer's body, with which the request stays open.
    pub(super) fn answered(self, body: Body) -> Body {
        let moved = Arc::new(AtomicBool::new(true));
        self.0.answers().push(moved.clone());
        Body::new(Answer { body, part: Bytes::new(), moved, request: self })
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.changed.notify_one();
        }
    }
}

/// The body of a request.
pub(super) struct ReceivedBody(Arc<Activity>);

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        if self.0.received.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.changed.notify_one();
        }
    }
}

/// The body of an answer, in parts.
struct Answer {
    body: Body,
    /// What was read from the body and not handed over.
    part: Bytes,
    moved: Arc<AtomicBool>,
    request: OpenRequest,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.request.0.answers().retain(|moved| !Arc::ptr_eq(moved, &self.moved));
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.moved.store(true, Ordering::SeqCst);
        if self.part.is_empty() {
            self.part = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            };
        }
        let length = self.part.len().min(PART);
        Poll::Ready(Some(Ok(Frame::data(self.part.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.part.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (left, part) = (self.body.size_hint(), u64::try_from(self.part.len()).unwrap_or(u64::MAX));
        let mut hint = SizeHint::new();
        hint.set_lower(left.lower().saturating_add(part));
        if let Some(upper) = left.upper() {
            hint.set_upper(upper.saturating_add(part));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use http_body_util::BodyExt;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn an_answer_is_the_same_in_parts() {
        let activity = Arc::new(Activity::default());
        let whole: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut answer = activity.begin().answered(Body::from(whole.clone()));
        assert_eq!(answer.size_hint().exact(), Some(100_000));
        let first = answer.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.len(), answer.size_hint().exact(), answer.is_end_stream()), (PART, Some(83_616), false));
        let rest = answer.collect().await.unwrap().to_bytes();
        assert_eq!([first, rest].concat(), whole);
    }

    #[tokio::test]
    async fn a_connection_is_idle_once_its_last_answer_is_complete() {
        let activity = Arc::new(Activity::default());
        activity.idle(LIMIT, false).await;
        let (request, answer) = (activity.begin(), activity.begin().answered(Body::from("answer")));
        let mut idle = pin!(activity.idle(LIMIT, false));
        assert!(timeout(LIMIT * 5, idle.as_mut()).await.is_err());
        drop(request);
        assert!(timeout(LIMIT * 5, idle.as_mut()).await.is_err());
        drop(answer);
        idle.await;
        assert!(activity.has_begun());
    }

    #[tokio::test]
    async fn a_connection_that_receives_a_body_is_idle_only_when_it_is_ending() {
        let activity = Arc::new(Activity::default());
        let body = activity.receive();
        activity.idle(LIMIT, true).await;
        let mut idle = pin!(activity.idle(LIMIT, false));
        assert!(timeout(LIMIT * 5, idle.as_mut()).await.is_err());
        drop(body);
        idle.await;
    }

    #[tokio::test]
    async fn an_answer_stalls_while_nothing_of_it_is_taken() {
        let activity = Arc::new(Activity::default());
        let _request = activity.begin();
        assert!(timeout(LIMIT * 5, activity.stalled(LIMIT)).await.is_err(), "there is no answer yet");
        let answer = activity.begin().answered(Body::from("answer"));
        activity.stalled(LIMIT).await;
        drop(answer);
        assert!(timeout(LIMIT * 5, activity.stalled(LIMIT)).await.is_err(), "the answer is complete");
    }
}

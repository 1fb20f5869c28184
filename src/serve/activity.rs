//! What happens on one connection: requests that are open, and answers that the client does not read. hyper closes an idle
//! HTTP/1.1 connection itself, but has no limit for one of HTTP/2.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::telemetry::Stopwatch;

/// Largest part of an answer that is handed to the connection at once, in bytes: what is beyond the client's window stays
/// here, where its progress is seen.
const PART: usize = 16 * 1024;

/// The requests of one connection. Requests leave marks here, and nothing waits for them: a time limit that ends looks at the
/// marks, and waits on if there was a request.
pub(super) struct Activity {
    /// Requests without a complete answer.
    open: AtomicUsize,
    /// Requests whose bodies are received, or drained after their answers.
    received: AtomicUsize,
    since_start: Stopwatch,
    /// When the last of either ended, in milliseconds since the start.
    ended_at: AtomicU64,
    /// Whether there was any request.
    has_begun: AtomicBool,
    /// Notified once, when there was.
    begun: Notify,
    /// The answers that are being sent; whether each moved since the last look.
    answers: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Activity {
    pub(super) fn new() -> Arc<Activity> {
        Arc::new(Activity {
            open: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            since_start: Stopwatch::start(),
            ended_at: AtomicU64::new(0),
            has_begun: AtomicBool::new(false),
            begun: Notify::new(),
            answers: Mutex::default(),
        })
    }

    /// Records that a request begins.
    pub(super) fn begin(self: &Arc<Activity>) -> OpenRequest {
        self.open.fetch_add(1, Ordering::SeqCst);
        if !self.has_begun() && !self.has_begun.swap(true, Ordering::SeqCst) {
            self.begun.notify_one();
        }
        OpenRequest(self.clone())
    }

    /// Records that the body of a request begins.
    pub(super) fn receive(self: &Arc<Activity>) -> ReceivedBody {
        self.received.fetch_add(1, Ordering::SeqCst);
        ReceivedBody(self.clone())
    }

    /// Records that a request or a body ends, of those that `count` counts.
    fn end(&self, count: &AtomicUsize) {
        self.ended_at.store(self.milliseconds(), Ordering::SeqCst);
        count.fetch_sub(1, Ordering::SeqCst);
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
        let mut began_at = self.milliseconds();
        loop {
            let is_receiving = !is_ending && self.received.load(Ordering::SeqCst) > 0;
            if is_receiving || self.open.load(Ordering::SeqCst) > 0 {
                began_at = self.milliseconds();
            }
            let idle_since = self.ended_at.load(Ordering::SeqCst).max(began_at);
            let idle_for = Duration::from_millis(self.milliseconds().saturating_sub(idle_since));
            match limit.checked_sub(idle_for) {
                None | Some(Duration::ZERO) => return,
                Some(left) => sleep(left).await,
            }
        }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.since_start.elapsed().as_millis()).unwrap_or(u64::MAX)
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
        self.0.end(&self.0.open);
    }
}

/// The body of a request.
pub(super) struct ReceivedBody(Arc<Activity>);

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        self.0.end(&self.0.received);
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
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn an_answer_is_the_same_in_parts() {
        let activity = Activity::new();
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
        let activity = Activity::new();
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
        let activity = Activity::new();
        let body = activity.receive();
        activity.idle(LIMIT, true).await;
        let mut idle = pin!(activity.idle(LIMIT, false));
        assert!(timeout(LIMIT * 5, idle.as_mut()).await.is_err());
        drop(body);
        idle.await;
    }

    #[tokio::test]
    async fn an_answer_stalls_while_nothing_of_it_is_taken() {
        let activity = Activity::new();
        let _request = activity.begin();
        assert!(timeout(LIMIT * 5, activity.stalled(LIMIT)).await.is_err(), "there is no answer yet");
        let answer = activity.begin().answered(Body::from("answer"));
        activity.stalled(LIMIT).await;
        drop(answer);
        assert!(timeout(LIMIT * 5, activity.stalled(LIMIT)).await.is_err(), "the answer is complete");
    }
}

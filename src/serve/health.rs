use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use crate::account::{Cause, Error};
use crate::app::App;

/// How long an answer of the database counts for readiness.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// Whether the server accepts requests.
#[derive(Clone)]
pub(super) struct Readiness {
    /// False before the server serves and once it is stopping.
    serves: Arc<AtomicBool>,
    /// One permit per request that waits for the database.
    waiting: Arc<Semaphore>,
    /// Locked while the database is asked.
    asking: Arc<tokio::sync::Mutex<()>>,
    /// The last answer of the database.
    last: Arc<Mutex<Option<Ping>>>,
}

/// An answer of the database: when it was asked, and whether it is available.
#[derive(Clone)]
struct Ping {
    at: Timestamp,
    answer: Result<(), Error>,
}

impl Readiness {
    /// Creates the readiness of a server that does not serve yet. `waiting` requests may wait for the database at once.
    pub(super) fn new(waiting: usize) -> Readiness {
        let waiting = Arc::new(Semaphore::new(waiting));
        Readiness { serves: Arc::default(), waiting, asking: Arc::default(), last: Arc::default() }
    }

    pub(super) fn begin(&self) {
        self.serves.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.serves.store(false, Ordering::SeqCst);
    }

    /// Checks that the database answers. It is asked at most once a second: readiness is never refused, so it must not put
    /// load on the database. Requests that come meanwhile wait for the same answer, or, if too many wait, get the last one.
    async fn database(&self, app: App) -> Result<(), Error> {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            let unknown = || Err(Error::Unavailable(Cause::new("the database has not answered yet")));
            return self.last().as_ref().map_or_else(unknown, |ping| ping.answer.clone());
        };
        let asking = self.asking.clone().lock_owned().await;
        match &*self.last() {
            Some(Ping { at, answer }) if app.now().duration_since(*at).abs() < ASK_AGAIN => return answer.clone(),
            _ => {}
        }
        // In a task of its own, which ends even if the client goes away: otherwise each such client would ask once more.
        let this = self.clone();
        let asked = tokio::spawn(async move {
            let answer = app.store().ping().await;
            *this.last() = Some(Ping { at: app.now(), answer: answer.clone() });
            drop(asking);
            answer
        });
        asked.await.unwrap_or_else(|failed| Err(Error::Internal(Cause::new(failed))))
    }

    fn last(&self) -> MutexGuard<'_, Option<Ping>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Liveness: the process runs.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// Readiness: the server accepts requests, and its database answers.
pub(super) async fn ready(State((app, readiness)): State<(App, Readiness)>) -> Result<&'static str, Error> {
    if !readiness.serves.load(Ordering::SeqCst) {
        return Err(Error::Unavailable(Cause::new("the server is stopping")));
    }
    readiness.database(app).await?;
    Ok("ready")
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::account::{Cause, Error};
use crate::app::App;

/// How long an answer of the database counts for readiness.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// Whether the server accepts requests.
#[derive(Clone, Default)]
pub(super) struct Readiness {
    /// False before the server serves and once it is stopping.
    serves: Arc<AtomicBool>,
    /// The last answer of the database.
    asked: Arc<Mutex<Option<Ping>>>,
}

/// An answer of the database: when it was asked, and whether it is available.
struct Ping {
    at: Timestamp,
    answer: Result<(), Error>,
}

impl Readiness {
    pub(super) fn begin(&self) {
        self.serves.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.serves.store(false, Ordering::SeqCst);
    }

    /// Checks that the database answers. It is asked at most once a second: readiness is never refused, so it must not put
    /// load on the database. Requests that come meanwhile wait for the same answer.
    async fn database(&self, app: App) -> Result<(), Error> {
        let mut asked = self.asked.clone().lock_owned().await;
        match &*asked {
            Some(Ping { at, answer }) if app.now().duration_since(*at).abs() < ASK_AGAIN => return answer.clone(),
            _ => {}
        }
        // In a task of its own, which ends even if the client goes away: otherwise each such client would ask once more.
        let asking = tokio::spawn(async move {
            let answer = app.store().ping().await;
            *asked = Some(Ping { at: app.now(), answer: answer.clone() });
            answer
        });
        asking.await.unwrap_or_else(|failed| Err(Error::Internal(Cause::new(failed))))
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

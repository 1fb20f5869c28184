use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;

use crate::account::{Cause, Error};
use crate::app::App;

/// Whether the server accepts requests; false before it serves and once it is stopping.
#[derive(Clone, Default)]
pub(super) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(super) fn end(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Liveness: the process runs.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// Readiness: the server accepts requests, and its database answers.
pub(super) async fn ready(State((app, readiness)): State<(App, Readiness)>) -> Result<&'static str, Error> {
    if !readiness.0.load(Ordering::SeqCst) {
        return Err(Error::Unavailable(Cause::new("the server is stopping")));
    }
    app.store().ping().await?;
    Ok("ready")
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;

use crate::account::{Cause, Error};
use crate::app::App;

/// Whether the server wants requests; false once it was told to stop.
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

/// The process lives.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// The process lives, wants requests, and its database answers.
pub(super) async fn ready(State((app, readiness)): State<(App, Readiness)>) -> Result<&'static str, Error> {
    if !readiness.0.load(Ordering::SeqCst) {
        return Err(Error::Unavailable(Cause::new("the server is stopping")));
    }
    app.store().ping().await?;
    Ok("ready")
}

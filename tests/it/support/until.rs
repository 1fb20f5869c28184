//! Waiting for what another thread or process does, without ever waiting for nothing but time.

use std::time::Duration;

/// How long [`until`] asks before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it asks.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks again and again until the answer is yes, and fails the test when that takes too long.
#[track_caller]
pub(crate) fn until(holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let asked = tokio::time::timeout(PATIENCE, ask(holds)).await;
        assert!(asked.is_ok(), "what {place} waits for did not come within {PATIENCE:?}");
    }
}

async fn ask(mut holds: impl AsyncFnMut() -> bool) {
    let mut pause = tokio::time::interval(PAUSE);
    while !holds().await {
        pause.tick().await;
    }
}

//! Waits for an effect of another thread or process instead of for a fixed time.

use std::time::Duration;

/// Time limit of [`until`].
const PATIENCE: Duration = Duration::from_secs(30);
/// Interval between two checks.
const PAUSE: Duration = Duration::from_millis(10);

/// Polls a condition until it is true, and fails the test after [`PATIENCE`].
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

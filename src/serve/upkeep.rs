use std::time::Duration;

use crate::app::App;

/// How often what other instances did comes into force here at the latest, and what expired is deleted.
const PERIOD: Duration = Duration::from_secs(30);

/// Keeps a running server tidy, for ever: reads the issuer's keys again and deletes what expired tokens left behind. A
/// database that is away only delays it.
pub(super) async fn run(app: App) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let done = async {
            app.issuer().refresh(&app).await?;
            app.store().forget_expired(app.now()).await
        };
        if let Err(error) = done.await {
            tracing::warn!(?error, "upkeep waits for the database");
        }
    }
}

use std::sync::Arc;
use std::time::Duration;

use super::Tls;
use crate::app::App;
use crate::telemetry;

/// How often what other instances did comes into force here at the latest, and what expired is deleted.
const PERIOD: Duration = Duration::from_secs(30);

/// How often metrics are drained: histograms gather until then.
const METRICS_PERIOD: Duration = Duration::from_secs(5);

/// Keeps a running server tidy, for ever: reads the issuer's keys again, asks trusted providers for theirs, takes
/// over replaced certificates, writes down when keys were used, and deletes what expired tokens and codes left behind and pictures
/// that nobody needs. A database that is away only delays it.
pub(super) async fn run(app: App, tls: Option<Arc<Tls>>) {
    tokio::join!(drain_metrics(), sweep_pictures(app.clone()), app.notices().run(), look_after(app.clone(), tls));
}

async fn drain_metrics() {
    let mut ticks = tokio::time::interval(METRICS_PERIOD);
    loop {
        ticks.tick().await;
        telemetry::run_upkeep();
    }
}

/// Apart: an object store that is away must not keep anything else waiting.
async fn sweep_pictures(app: App) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.pictures().sweep().await {
            tracing::warn!(%error, "pictures that nobody needs are deleted later");
        }
    }
}

async fn look_after(app: App, tls: Option<Arc<Tls>>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(tls) = &tls {
            tls.reload();
        }
        // Each provider by itself: one that hangs must not keep the others from being asked.
        for trusted in app.authenticator().all_trusted() {
            let (trusted, now) = (trusted.clone(), app.now());
            tokio::spawn(async move { trusted.keep_fresh(now).await });
        }
        let done = async {
            app.issuer().refresh().await?;
            app.authenticator().key_uses().write_down().await?;
            app.channel_keys().refresh().await?;
            app.store().forget_channels(app.now()).await?;
            app.store().forget_expired(app.now()).await?;
            app.store().forget_sign_ins(app.now()).await?;
            app.codes().forget_expired().await?;
            app.notices().forget_expired().await
        };
        if let Err(error) = done.await {
            tracing::warn!(%error, "upkeep waits for the database");
        }
    }
}

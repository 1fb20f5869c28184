use std::sync::Arc;
use std::time::Duration;

use super::Tls;
use crate::app::App;
use crate::telemetry;

/// Interval at which changes of other instances take effect here, and expired data is deleted.
const PERIOD: Duration = Duration::from_secs(30);

/// Interval at which metrics are drained; histograms accumulate until then.
const METRICS_PERIOD: Duration = Duration::from_secs(5);

/// Runs the background maintenance of a server until the future is dropped: reloads the issuer's keys, fetches those of trusted
/// issuers, reloads replaced certificates, records when API keys were used, delivers notices, and deletes expired data and
/// unused pictures. An unavailable database only delays it.
pub(super) async fn run(app: App, tls: Option<Arc<Tls>>) {
    tokio::join!(drain_metrics(), sweep_pictures(app.clone()), app.notices().run(), maintain(app.clone(), tls));
}

async fn drain_metrics() {
    let mut ticks = tokio::time::interval(METRICS_PERIOD);
    loop {
        ticks.tick().await;
        telemetry::run_upkeep();
    }
}

/// Deletes unused pictures, separately: an unavailable object store must not delay other maintenance.
async fn sweep_pictures(app: App) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.pictures().sweep().await {
            tracing::warn!(%error, "picture cleanup failed; will retry");
        }
    }
}

async fn maintain(app: App, tls: Option<Arc<Tls>>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(tls) = &tls {
            tls.reload();
        }
        // One task per issuer: one that hangs must not delay the others.
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
            tracing::warn!(%error, "background maintenance failed; will retry");
        }
    }
}

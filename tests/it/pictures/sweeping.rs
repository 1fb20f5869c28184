//! The sweeper deletes pictures that no account needs, and no others.

use std::time::Duration;

use super::*;
use crate::support::HOUR;

pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
const SECOND: Duration = Duration::from_secs(1);

async fn sweep_after(server: &Server, time: Duration) {
    server.pass(time);
    server.app.pictures().sweep().await.unwrap();
}

on_both_databases!(
    async fn an_upload_without_a_change_is_deleted_after_an_hour(server: Server) {
        // As if the server had been killed between upload and change.
        let name = upload(&server, PIXEL).await;
        sweep_after(&server, HOUR).await;
        assert!(is_served(&server, &name).await);
        sweep_after(&server, SECOND).await;
        assert!(!is_served(&server, &name).await);
        assert!(!server.app.store().is_pending_picture(&name).await.unwrap());
    }
);

on_both_databases!(
    async fn a_picture_that_an_account_shows_stays(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        sweep_after(&server, 400 * DAY).await;
        assert!(is_served(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_replaced_picture_stays_for_thirty_days(server: Server) {
        let account = server.person(&[]).await;
        let first = show(&server, &account).await;
        server.pass(DAY);
        let second = show(&server, &account).await;
        sweep_after(&server, 30 * DAY).await;
        assert!(is_served(&server, &first).await);
        sweep_after(&server, SECOND).await;
        assert!(!is_served(&server, &first).await);
        assert!(is_served(&server, &second).await);
    }
);

on_both_databases!(
    async fn a_picture_that_is_shown_again_stays(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        show(&server, &account).await;
        server.operate(&account, showing(&name)).await;
        sweep_after(&server, 31 * DAY).await;
        assert!(is_served(&server, &name).await);
    }
);

on_both_databases!(
    async fn an_upload_whose_change_was_refused_is_deleted_at_once(server: Server) {
        let name = upload(&server, PIXEL).await;
        server.app.pictures().discard(&name).await;
        assert!(!is_served(&server, &name).await);
        assert!(!server.app.store().is_pending_picture(&name).await.unwrap());
    }
);

on_both_databases!(
    async fn a_picture_that_an_account_shows_cannot_be_discarded(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        server.app.pictures().discard(&name).await;
        assert!(is_served(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_server_sweeps_when_it_starts(server: Server) {
        let name = upload(&server, PIXEL).await;
        server.pass(2 * HOUR);
        // Another instance on the same database and folder, which sweeps as it starts.
        let config = server.app.config().clone();
        let hand = std::sync::atomic::AtomicI64::new(server.app.now().as_microsecond());
        let clock = selfsame::clock::Clock::Hand(std::sync::Arc::new(hand));
        let app = selfsame::app::App::start(config, clock).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listeners = selfsame::serve::Listeners {
            contracts: listener,
            tls: None,
            operator: None,
            hosts: selfsame::serve::Hosts::Any,
        };
        let running = tokio::spawn(selfsame::serve::run(app, listeners, std::future::pending()));
        crate::support::until(async || !is_served(&server, &name).await).await;
        running.abort();
    }
);

//! The sweeper deletes pictures that no account needs, and no others.

use std::time::Duration;

use selfsame::account::history::ChangeContext;

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
        assert!(is_kept(&server, &name).await);
        sweep_after(&server, SECOND).await;
        assert!(!is_kept(&server, &name).await);
        assert!(!server.app.store().is_pending_picture(&name).await.unwrap());
    }
);

on_both_databases!(
    async fn a_picture_that_an_account_shows_stays(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        sweep_after(&server, 400 * DAY).await;
        assert!(is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_replaced_picture_stays_for_thirty_days(server: Server) {
        let account = server.person(&[]).await;
        let first = show(&server, &account).await;
        server.pass(DAY);
        let second = show(&server, &account).await;
        sweep_after(&server, 30 * DAY).await;
        assert!(is_kept(&server, &first).await);
        sweep_after(&server, SECOND).await;
        assert!(!is_kept(&server, &first).await);
        assert!(is_kept(&server, &second).await);
    }
);

on_both_databases!(
    async fn a_picture_that_is_shown_again_stays(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        show(&server, &account).await;
        server.operate(&account, showing(&name)).await;
        sweep_after(&server, 31 * DAY).await;
        assert!(is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_picture_that_an_account_shows_cannot_be_discarded(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        server.app.pictures().discard(account.id, &name).await;
        assert!(is_kept(&server, &name).await);
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
        crate::support::until(async || !is_kept(&server, &name).await).await;
        running.abort();
    }
);

on_both_databases!(
    async fn a_picture_that_another_account_has_cannot_be_shown(server: Server) {
        let (owner, other) = (server.person(&[]).await, server.person(&[]).await);
        let name = show(&server, &owner).await;
        let take = async || {
            let (context, patch) = (ChangeContext::operator(), showing(&name));
            server.app.profiles().update(other.clone(), patch, context, |_| Ok(())).await
        };
        assert!(matches!(take().await, Err(Error::Fields(_))));
        // Nor while it is kept for its owner.
        show(&server, &owner).await;
        assert!(matches!(take().await, Err(Error::Fields(_))));
        server.operate(&owner, showing(&name)).await;
        sweep_after(&server, 400 * DAY).await;
        assert!(is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_picture_that_two_accounts_show_stays_until_neither_does(server: Server) {
        let (owner, other) = (server.person(&[]).await, server.person(&[]).await);
        let name = show(&server, &owner).await;
        // As an earlier version stored a picture that it copied from a claim, and the account replaced.
        let row = format!("UPDATE stored_picture SET name = '{name}' WHERE state = 'replaced'");
        show(&server, &other).await;
        show(&server, &other).await;
        server.database().execute(&row).await;
        sweep_after(&server, 31 * DAY).await;
        assert!(is_kept(&server, &name).await);
        assert_eq!(in_state(&server, PictureState::Replaced).await, [""; 0]);
        show(&server, &owner).await;
        sweep_after(&server, 31 * DAY).await;
        assert!(!is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_picture_of_another_digest_is_the_same_picture(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        server.operate(&account, patch(&[(Field::Picture, &format!("stored:{name}:1"))])).await;
        sweep_after(&server, 31 * DAY).await;
        assert!(is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn no_number_of_pictures_that_cannot_be_deleted_delays_the_others(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        show(&server, &account).await;
        // Names that are no names of files, and folders where files should be.
        let mut rows = String::new();
        for number in 0..130 {
            let stuck = format!("{number:032x}.png");
            std::fs::create_dir_all(server.data().join("pictures").join(&stuck).join("full")).unwrap();
            for name in [stuck, format!("../{number}")] {
                rows += &format!("INSERT INTO stored_picture SELECT id, '{name}', 'replaced', 0 FROM account;");
            }
        }
        server.database().execute(&rows).await;
        server.pass(31 * DAY);
        for _ in 0..3 {
            drop(server.app.pictures().sweep().await);
        }
        assert!(matches!(server.app.pictures().sweep().await, Err(Error::Unavailable(_))));
        assert!(!is_kept(&server, &name).await);
        assert_eq!(in_state(&server, PictureState::Replaced).await, [""; 0]);
        assert_eq!(
            server.database().rows("SELECT count(*) FROM stored_picture WHERE state = 'deleting'").await,
            ["130"]
        );
    }
);

on_both_databases!(
    async fn a_picture_whose_deletion_has_begun_cannot_be_shown_again(server: Server) {
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        show(&server, &account).await;
        server.database().execute("UPDATE stored_picture SET state = 'deleting' WHERE state = 'replaced'").await;
        let (context, current) = (ChangeContext::operator(), server.account(&account).await);
        let again = server.app.profiles().update(current.clone(), showing(&name), context, |_| Ok(())).await;
        assert!(matches!(again, Err(Error::Unavailable(_))), "{again:?}");
        assert_eq!(server.account(&account).await, current);
    }
);

on_both_databases!(
    async fn an_account_keeps_the_five_pictures_that_were_replaced_last(server: Server) {
        let (account, other) = (server.person(&[]).await, server.person(&[]).await);
        let of_other = [show(&server, &other).await, show(&server, &other).await];
        let mut names = Vec::new();
        for _ in 0..7 {
            names.push(show(&server, &account).await);
            server.pass(SECOND);
        }
        sweep_after(&server, SECOND).await;
        let mut kept = Vec::new();
        for name in names.iter().chain(&of_other) {
            kept.push(is_kept(&server, name).await);
        }
        assert_eq!(kept, [false, true, true, true, true, true, true, true, true]);
        // One that is shown again makes room.
        server.operate(&account, showing(&names[1])).await;
        server.pass(SECOND);
        let last = show(&server, &account).await;
        sweep_after(&server, SECOND).await;
        for name in [&names[1], &names[3], &names[4], &names[5], &names[6], &last] {
            assert!(is_kept(&server, name).await, "{name}");
        }
        assert!(!is_kept(&server, &names[2]).await);
    }
);

on_both_databases!(
    async fn how_many_replaced_pictures_are_kept_is_a_setting(database: crate::support::Database) {
        let server = Server::with(database, &[("SELFSAME__PICTURES__MAX_REPLACED", "0")]).await;
        let account = server.person(&[]).await;
        let (first, second) = (show(&server, &account).await, show(&server, &account).await);
        sweep_after(&server, SECOND).await;
        assert!(!is_kept(&server, &first).await && is_kept(&server, &second).await);
    }
);

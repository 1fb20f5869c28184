//! One refresh token more than once: the answer was lost and the client asks again, or two tabs ask at once.

use std::time::Duration;

use selfsame::account::{Account, Kind};
use serde_json::json;

use crate::support::applications::Client;
use crate::support::{Answer, Server};

/// The default of `issuer.refresh_grace_period`, less the smallest unit of the clock.
const IN_TIME: Duration = Duration::from_micros(9_999_999);
/// How long a page waits until it refreshes again.
const A_WHILE: Duration = Duration::from_secs(9 * 60);

/// A person who has signed in to a page, and their refresh token.
async fn signed_in(server: &Server) -> (Client<'_>, Account, String) {
    let page = server.client(Kind::Spa, &[]).await;
    let account = server.person(&[]).await;
    let token = page.tokens(&account).await.refresh_token.unwrap();
    (page, account, token)
}

/// Tokens that a tab got.
struct Tab {
    access_token: String,
    refresh_token: String,
}

async fn refresh(page: &Client<'_>, token: &str) -> Answer {
    page.ask(json!({"grant_type": "refresh_token", "refresh_token": token})).await
}

/// Refreshes, which must succeed, and checks that the access token opens the claims.
async fn refreshed(page: &Client<'_>, token: &str) -> Tab {
    let answer = refresh(page, token).await;
    assert_eq!(answer.status, 200, "{answer}");
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    let tab = Tab { access_token: text("access_token"), refresh_token: text("refresh_token") };
    assert!(opens(page.server, &tab.access_token).await);
    tab
}

async fn opens(server: &Server, token: &str) -> bool {
    server.request("GET", "/userinfo").bearer(token).send().await.status == 200
}

on_both_databases!(
    async fn a_client_whose_answer_was_lost_asks_again_with_the_same_token(server: Server) {
        let (page, account, token) = signed_in(&server).await;
        let lost = refreshed(&page, &token).await;
        server.pass(IN_TIME);
        let second = refreshed(&page, &token).await;
        assert!(second.refresh_token != lost.refresh_token && second.access_token != lost.access_token);
        let mut present = second.refresh_token;
        for _ in 0..3 {
            server.pass(A_WHILE);
            present = refreshed(&page, &present).await.refresh_token;
        }
        assert_eq!(server.app.store().sign_ins(account.id, server.app.now()).await.unwrap(), 1);
    }
);

on_both_databases!(
    async fn two_tabs_that_refresh_at_once_both_go_on(server: Server) {
        let (page, _, token) = signed_in(&server).await;
        let (mut one, mut other) = tokio::join!(refreshed(&page, &token), refreshed(&page, &token));
        for _ in 0..5 {
            assert_ne!(one.refresh_token, other.refresh_token);
            server.pass(A_WHILE);
            // Each with the token that it got: the first of the two that arrives spends both.
            (one, other) = tokio::join!(refreshed(&page, &one.refresh_token), refreshed(&page, &other.refresh_token));
        }
    }
);

on_both_databases!(
    async fn many_tabs_that_share_a_token_all_go_on(server: Server) {
        let (page, _, mut token) = signed_in(&server).await;
        for _ in 0..3 {
            let ask = || refreshed(&page, &token);
            let (_, _, _, last) = tokio::join!(ask(), ask(), ask(), ask());
            token = last.refresh_token;
            server.pass(A_WHILE);
        }
    }
);

on_both_databases!(
    async fn a_tab_that_is_a_little_late_goes_on(server: Server) {
        let (page, _, token) = signed_in(&server).await;
        let (first, second) = (refreshed(&page, &token).await, refreshed(&page, &token).await);
        server.pass(A_WHILE);
        let ahead = refreshed(&page, &first.refresh_token).await;
        server.pass(IN_TIME);
        let behind = refreshed(&page, &second.refresh_token).await;
        let even_older = refresh(&page, &token).await;
        assert_eq!(even_older.status, 400, "the token was spent minutes ago");
        assert!(!opens(&server, &ahead.access_token).await && !opens(&server, &behind.access_token).await);
    }
);

on_both_databases!(
    async fn the_first_of_the_siblings_that_is_used_spends_the_others(server: Server) {
        let (page, account, token) = signed_in(&server).await;
        let (used, unused) = (refreshed(&page, &token).await, refreshed(&page, &token).await);
        let next = refreshed(&page, &used.refresh_token).await;
        server.pass(Duration::from_secs(10));
        let late = refresh(&page, &unused.refresh_token).await;
        assert_eq!((late.status.as_u16(), late.body.as_str()), (400, r#"{"error":"invalid_grant"}"#));
        for tab in [used, unused, next] {
            assert!(!opens(&server, &tab.access_token).await);
            assert_eq!(refresh(&page, &tab.refresh_token).await.status, 400);
        }
        assert_eq!(server.app.store().sign_ins(account.id, server.app.now()).await.unwrap(), 0);
    }
);

on_both_databases!(
    async fn a_token_that_is_late_by_two_generations_joins_the_present_one(server: Server) {
        let (page, _, token) = signed_in(&server).await;
        let first = refreshed(&page, &token).await;
        let second = refreshed(&page, &first.refresh_token).await;
        let late = refreshed(&page, &token).await;
        server.pass(A_WHILE);
        let (one, other) = tokio::join!(refreshed(&page, &second.refresh_token), refreshed(&page, &late.refresh_token));
        assert_ne!(one.refresh_token, other.refresh_token);
    }
);

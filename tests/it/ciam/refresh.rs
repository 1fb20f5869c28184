//! Refresh tokens are valid for one use; a second use after the grace period ends every token of the same sign-in.

use std::time::Duration;

use selfsame::account::{Account, GrantType, Kind, Status};
use selfsame::identity::sign_in::Tokens;
use serde_json::json;

use super::{USERINFO, in_status};
use crate::support::applications::Client;
use crate::support::{Answer, Database, Server, Transcript};

async fn signed_in(server: &Server) -> (Client<'_>, Account, Tokens) {
    let client = server.client(Kind::Web, &[]).await;
    let account = server.person(&[]).await;
    let tokens = client.tokens(&account).await;
    (client, account, tokens)
}

async fn refresh(client: &Client<'_>, token: &str) -> Answer {
    client.ask(json!({"grant_type": "refresh_token", "refresh_token": token})).await
}

async fn opens(server: &Server, token: &str) -> bool {
    let answer = server.request("GET", USERINFO).bearer(token).send().await;
    assert!([200, 401].contains(&answer.status.as_u16()), "{answer}");
    answer.status == 200
}

/// The text of a member of an answer.
fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

on_both_databases!(
    async fn a_refresh_token_yields_another_set(server: Server) {
        let (client, account, first) = signed_in(&server).await;
        let answer = refresh(&client, first.refresh_token.as_deref().unwrap()).await;
        let mut shown = answer.to_string();
        for name in ["access_token", "refresh_token", "id_token"] {
            shown = shown.replace(&text(&answer, name), &name.to_uppercase());
        }
        insta::assert_snapshot!(shown, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        pragma: no-cache

        {"access_token":"ACCESS_TOKEN","refresh_token":"REFRESH_TOKEN","scope":"openid","id_token":"ID_TOKEN","token_type":"Bearer","expires_in":600}
        "#);
        assert_ne!(text(&answer, "refresh_token"), first.refresh_token.unwrap());
        assert!(opens(&server, &text(&answer, "access_token")).await);
        assert!(opens(&server, &first.access_token).await, "the first access token was refused before it expired");
        assert_eq!(refresh(&client, &text(&answer, "refresh_token")).await.status, 200);
        assert_eq!(server.app.store().sign_ins(account.id, server.app.now()).await.unwrap(), 1);
    }
);

on_both_databases!(
    async fn a_spent_token_ends_the_family_and_its_access_tokens_and_nothing_else(server: Server) {
        let (client, account, first) = signed_in(&server).await;
        let other = client.tokens(&account).await;
        let spent = first.refresh_token.unwrap();
        let second = refresh(&client, &spent).await;
        let third = refresh(&client, &text(&second, "refresh_token")).await;
        server.pass(Duration::from_secs(10));
        insta::assert_snapshot!(refresh(&client, &spent).await, @r#"
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant"}
        "#);
        assert_eq!(refresh(&client, &text(&third, "refresh_token")).await.status, 400);
        for token in [first.access_token, text(&second, "access_token"), text(&third, "access_token")] {
            assert!(!opens(&server, &token).await);
        }
        assert!(opens(&server, &other.access_token).await);
        assert_eq!(refresh(&client, other.refresh_token.as_deref().unwrap()).await.status, 200);
    }
);

on_both_databases!(
    async fn without_a_grace_period_at_most_one_of_many_concurrent_uses_of_a_token_succeeds(database: Database) {
        let server = Server::with(database, &[("SELFSAME__ISSUER__REFRESH_GRACE_PERIOD", "0s")]).await;
        for _ in 0..3 {
            let (client, _, first) = signed_in(&server).await;
            let token = first.refresh_token.unwrap();
            let ask = || refresh(&client, &token);
            let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
            let won: Vec<Answer> = [a, b, c, d].into_iter().filter(|answer| answer.status == 200).collect();
            assert!(won.len() <= 1, "{won:?}");
            // A spent token was presented, so the tokens that one request got are invalid, too.
            for answer in &won {
                assert!(!opens(&server, &text(answer, "access_token")).await);
                assert_eq!(refresh(&client, &text(answer, "refresh_token")).await.status, 400);
            }
            assert!(!opens(&server, &first.access_token).await);
        }
    }
);

on_both_databases!(
    async fn the_grace_period_opens_nothing_that_was_closed_in_it(server: Server) {
        let (client, account, first) = signed_in(&server).await;
        let other = server.client(Kind::Web, &[]).await;
        let token = first.refresh_token.unwrap();
        let second = refresh(&client, &token).await;
        assert_eq!(refresh(&other, &token).await.body, r#"{"error":"invalid_grant"}"#);
        server.operate(&account, in_status(Status::Locked)).await;
        assert_eq!(refresh(&client, &token).await.json()["error_description"], "Abnormal user status");
        server.operate(&account, in_status(Status::Active)).await;
        assert_eq!(refresh(&client, &token).await.status, 200, "a refused request ended the sign-in");
        client.post("/oauth2/revoke", json!({"token": text(&second, "refresh_token")})).await;
        assert_eq!(refresh(&client, &token).await.status, 400);
        let (client, account, first) = signed_in(&server).await;
        let token = first.refresh_token.unwrap();
        assert_eq!(refresh(&client, &token).await.status, 200);
        server.pass(Duration::from_secs(1));
        server.app.store().revoke_tokens_before(account.id, server.app.now()).await.unwrap();
        assert_eq!(refresh(&client, &token).await.status, 400);
    }
);

on_both_databases!(
    async fn a_further_token_expires_a_day_after_it_was_issued_and_an_expired_one_brings_none(server: Server) {
        let (client, _, first) = signed_in(&server).await;
        let token = first.refresh_token.unwrap();
        server.pass(Duration::from_secs(24 * 3600 - 5));
        assert_eq!(refresh(&client, &token).await.status, 200);
        server.pass(Duration::from_secs(4));
        let further = refresh(&client, &token).await;
        assert_eq!(further.status, 200);
        server.pass(Duration::from_secs(1));
        assert_eq!(refresh(&client, &token).await.status, 400, "the token has expired, though it was spent 5 s ago");
        server.pass(Duration::from_secs(24 * 3600 - 2));
        assert_eq!(refresh(&client, &text(&further, "refresh_token")).await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_that_an_older_version_spent_has_no_grace_period(server: Server) {
        let (client, _, first) = signed_in(&server).await;
        let token = first.refresh_token.unwrap();
        let second = refresh(&client, &token).await;
        server.database().execute("UPDATE refresh_token SET spent_at = NULL").await;
        assert_eq!(refresh(&client, &token).await.status, 400);
        assert!(!opens(&server, &text(&second, "access_token")).await);
    }
);

on_both_databases!(
    async fn an_unusable_refresh_token_is_refused(server: Server) {
        let (client, account, first) = signed_in(&server).await;
        let token = first.refresh_token.unwrap();
        let other = server.client(Kind::Web, &[]).await;
        let mut transcript = Transcript::default();
        transcript.add("nothing", &client.ask(json!({"grant_type": "refresh_token"})).await);
        transcript.add("garbage", &refresh(&client, "garbage").await);
        transcript.add("an access token", &refresh(&client, &first.access_token).await);
        transcript.add("another application's", &refresh(&other, &token).await);
        server.operate(&account, in_status(Status::Locked)).await;
        transcript.add("a locked person's", &refresh(&client, &token).await);
        server.operate(&account, in_status(Status::Active)).await;
        server.pass(Duration::from_secs(24 * 3600));
        transcript.add("a day old", &refresh(&client, &token).await);
        insta::assert_snapshot!(transcript, @r#"
        > nothing
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"refresh_token is required."}

        > garbage
        > an access token
        > another application's
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant"}

        > a locked person's
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant","error_description":"Abnormal user status"}

        > a day old
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant"}
        "#);
    }
);

on_both_databases!(
    async fn a_refused_token_is_not_spent(server: Server) {
        let (client, account, first) = signed_in(&server).await;
        let token = first.refresh_token.unwrap();
        server.operate(&account, in_status(Status::Locked)).await;
        assert_eq!(refresh(&client, &token).await.status, 400);
        server.operate(&account, in_status(Status::Active)).await;
        server.pass(Duration::from_secs(24 * 3600 - 1));
        let answer = refresh(&client, &token).await;
        assert_eq!(answer.status, 200, "{answer}");
        server.pass(Duration::from_secs(24 * 3600 - 1));
        assert_eq!(
            refresh(&client, &text(&answer, "refresh_token")).await.status,
            200,
            "the refresh token was refused before it expired"
        );
    }
);

on_both_databases!(
    async fn an_application_that_may_not_refresh_gets_no_refresh_token(server: Server) {
        let client = server.client_with(Kind::Web, &[], |application| application.grants = vec![GrantType::Sms]).await;
        let tokens = client.tokens(&server.person(&[]).await).await;
        assert!(tokens.refresh_token.is_none() && tokens.id_token.is_some());
    }
);

on_both_databases!(
    async fn expired_refresh_tokens_and_sign_ins_are_deleted(server: Server) {
        let (client, account, first) = signed_in(&server).await;
        refresh(&client, first.refresh_token.as_deref().unwrap()).await;
        server.pass(Duration::from_secs(26 * 3600));
        server.app.store().forget_sign_ins(server.app.now()).await.unwrap();
        assert_eq!(server.database().rows("SELECT count(*) FROM refresh_token").await, ["0"]);
        assert_eq!(server.database().rows("SELECT count(*) FROM sign_in").await, ["0"]);
        assert_eq!(server.app.store().sign_ins(account.id, server.app.now()).await.unwrap(), 0);
    }
);

//! How often `POST /otp/send` sends codes, and which of several codes are valid.

use std::time::Duration;

use selfsame::account::{Field, Kind};
use serde_json::{Value, json};

use crate::support::applications::Client;
use crate::support::{Answer, Server, patch};

const NUMBER: &str = "13800138000";
const SMS: &str = "http://tencentciam.com/oauth2/grant-type/otp/sms";
const DAY: u64 = 24 * 3600;

/// An application of a tenant that has an account with the number.
async fn shop(server: &Server) -> Client<'_> {
    let mut patch = patch(&[(Field::Phone, "+8613800138000")]);
    patch.phone_verified = Some(true);
    server.person_with(&server.tenant, patch).await;
    server.client(Kind::Web, &[]).await
}

async fn send(client: &Client<'_>, usage: &str) -> Answer {
    client.send(json!({"usage": usage, "phone_number": NUMBER})).await
}

/// Whether a code is sent; otherwise the refusal must be the published one.
async fn sends(client: &Client<'_>, usage: &str) -> bool {
    let answer = send(client, usage).await;
    if answer.status == 200 {
        return true;
    }
    let refusal =
        r#"{"error":"sms_rate_limit_exceeded","error_description":"SMS rate limit exceeded for same phone number"}"#;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, refusal));
    false
}

fn seconds(server: &Server, seconds: u64) {
    server.pass(Duration::from_secs(seconds));
}

/// Has a code to sign in sent, and returns the token request that uses it.
async fn grant(client: &Client<'_>) -> Value {
    let token = client.otp_token(json!({"phone_number": NUMBER})).await;
    grant_of(&token, &client.server.code_to("+8613800138000"))
}

fn grant_of(token: &str, code: &str) -> Value {
    json!({"grant_type": SMS, "phone_number": NUMBER, "otp_token": token, "otp": code})
}

/// The description of a refused grant; empty if tokens were issued.
async fn refusal(client: &Client<'_>, grant: &Value) -> String {
    let answer = client.ask(grant.clone()).await;
    match answer.status.as_u16() {
        200 => String::new(),
        _ => answer.json()["error_description"].as_str().unwrap().to_owned(),
    }
}

const UNKNOWN_TOKEN: &str = "Unknown or expired otp_token";
const UNKNOWN_CODE: &str = "Unknown or expired OTP";

on_both_databases!(
    async fn requests_for_one_usage_do_not_delay_another(server: Server) {
        let client = shop(&server).await;
        for _ in 0..50 {
            assert!(sends(&client, "update_userinfo").await);
            assert!(!sends(&client, "update_userinfo").await);
            seconds(&server, 30);
        }
        assert!(!sends(&client, "update_userinfo").await);
        for usage in ["login", "reset_password"] {
            assert!(sends(&client, usage).await, "requests of other people for another usage delay this one");
        }
    }
);

on_both_databases!(
    async fn an_address_gets_a_hundred_codes_a_day_and_then_one_to_sign_in_every_ten_minutes(server: Server) {
        let client = shop(&server).await;
        for _ in 0..50 {
            for usage in ["update_userinfo", "reset_password"] {
                assert!(sends(&client, usage).await);
            }
            seconds(&server, 30);
        }
        // Another number gets codes; this one gets none but to sign in.
        let other = json!({"usage": "signup", "phone_number": "13900139000"});
        assert_eq!(client.send(other).await.status, 200);
        let mails = server.app.outbox().mailbox().unwrap().mails().len();
        let extra = grant(&client).await;
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), mails + 1);
        assert_eq!(refusal(&client, &extra).await, "");
        for _ in 0..3 {
            seconds(&server, 599);
            assert!(!sends(&client, "login").await);
            seconds(&server, 1);
            assert!(sends(&client, "login").await);
        }
        assert!(!sends(&client, "update_userinfo").await);
        // The day began with the first code, 50 half minutes before the 30 minutes since then.
        seconds(&server, DAY - 1500 - 1800 - 1);
        assert!(!sends(&client, "update_userinfo").await);
        seconds(&server, 1);
        assert!(sends(&client, "update_userinfo").await);
    }
);

on_both_databases!(
    async fn after_fifty_codes_to_sign_in_one_is_sent_every_ten_minutes(server: Server) {
        let client = shop(&server).await;
        for _ in 0..50 {
            assert!(sends(&client, "login").await);
            seconds(&server, 30);
        }
        assert!(!sends(&client, "login").await);
        seconds(&server, 570 - 1);
        assert!(!sends(&client, "login").await);
        seconds(&server, 1);
        assert!(sends(&client, "login").await);
        assert!(!sends(&client, "login").await);
        // These do not count for the other usages.
        for _ in 0..50 {
            assert!(sends(&client, "update_userinfo").await);
            seconds(&server, 30);
        }
    }
);

on_both_databases!(
    async fn the_newest_two_codes_sign_in_and_one_use_ends_both(server: Server) {
        let client = shop(&server).await;
        for used in [0, 1] {
            let first = grant(&client).await;
            seconds(&server, 30);
            let second = grant(&client).await;
            let both = [&first, &second];
            assert_eq!(refusal(&client, both[used]).await, "");
            for grant in both {
                assert_eq!(refusal(&client, grant).await, UNKNOWN_TOKEN);
            }
            seconds(&server, 30);
        }
    }
);

on_both_databases!(
    async fn a_third_code_ends_the_first(frequent: Frequent) {
        let (server, client) = (&frequent.0, shop(&frequent.0).await);
        let mut grants = Vec::new();
        for _ in 0..3 {
            grants.push(grant(&client).await);
            seconds(server, 10);
        }
        assert_eq!(refusal(&client, &grants[0]).await, UNKNOWN_TOKEN);
        assert_eq!(refusal(&client, &grants[1]).await, "");
    }
);

on_both_databases!(
    async fn two_codes_share_five_tries(server: Server) {
        let client = shop(&server).await;
        let first = grant(&client).await;
        seconds(&server, 30);
        let second = grant(&client).await;
        let wrong = |grant: &Value| {
            let codes = [&first, &second].map(|grant| grant["otp"].clone());
            let other = ["000000", "111111", "222222"].into_iter().find(|code| !codes.contains(&json!(code))).unwrap();
            grant_of(grant["otp_token"].as_str().unwrap(), other)
        };
        for grant in [&first, &second, &second, &first, &second] {
            assert_eq!(refusal(&client, &wrong(grant)).await, UNKNOWN_CODE);
        }
        for grant in [&first, &second] {
            assert_eq!(refusal(&client, grant).await, UNKNOWN_TOKEN);
        }
        seconds(&server, 30);
        let third = grant(&client).await;
        assert_eq!(refusal(&client, &second).await, UNKNOWN_TOKEN);
        assert_eq!(refusal(&client, &third).await, "");
    }
);

on_both_databases!(
    async fn one_of_many_concurrent_requests_sends_a_code(server: Server) {
        let client = shop(&server).await;
        let request = || client.authenticated(server.request("POST", "/otp/send"));
        let body = json!({"phone_number": NUMBER}).to_string();
        let requests: Vec<_> = (0..20).map(|_| tokio::spawn(request().json(body.clone()).send())).collect();
        let mut sent = 0;
        for request in requests {
            sent += usize::from(request.await.unwrap().status == 200);
        }
        assert_eq!(sent, 1);
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), 1);
    }
);

/// A server that sends a code every ten seconds.
struct Frequent(Server);

impl crate::support::OnDatabase for Frequent {
    async fn start(database: crate::support::Database) -> Self {
        Frequent(Server::with(database, &[("SELFSAME__CODES__LOGIN__INTERVAL", "10s")]).await)
    }
}

//! E-mail addresses that people prove again, and addresses that the mail server refuses.

use selfsame::account::{Field, Kind};
use serde_json::json;

use crate::rivergen::{Jane, refused};
use crate::support::gateway::Gateway;
use crate::support::mail::MailServer;
use crate::support::{Answer, Database, Server, patch};

/// A person with an address, verified or not.
async fn with_address<'a>(server: &'a Server, address: &str, verified: bool) -> Jane<'a> {
    let mut fields = patch(&[(Field::Email, address)]);
    fields.email_verified = Some(verified);
    Jane::of(server, server.person_with(&server.tenant, fields).await).await
}

on_both_databases!(
    async fn ones_own_unverified_address_can_be_proved(server: Server) {
        let jane = with_address(&server, "Jane@example.com", false).await;
        for (asked, proved) in [("Jane@example.com", "Jane@example.com"), ("jane@EXAMPLE.com", "jane@EXAMPLE.com")] {
            let code = jane.code_for(asked).await;
            let before = jane.stored().await;
            let answer = jane.bring(asked, &code).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["data"]["new_email"]),
                (200, &json!(proved)),
                "{answer}"
            );
            assert_eq!(answer.json()["data"]["old_email"], before.text(Field::Email).unwrap());
            let stored = jane.stored().await;
            assert_eq!((stored.text(Field::Email), stored.email_verified), (Some(proved), true));
            assert_eq!(stored.version, before.version + 1);
            server.pass(std::time::Duration::from_secs(30));
        }
    }
);

on_both_databases!(
    async fn the_capitals_of_ones_address_can_be_corrected(server: Server) {
        let jane = with_address(&server, "JANE@example.com", true).await;
        let code = jane.code_for("jane@example.com").await;
        assert_eq!(jane.bring("jane@example.com", &code).await.status, 200);
        let stored = jane.stored().await;
        assert_eq!((stored.text(Field::Email), stored.email_verified), (Some("jane@example.com"), true));
        // It is the same mailbox: no notice about a change.
        let mails = server.app.outbox().mailbox().unwrap().mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(server.database().rows("SELECT count(*) FROM notice").await, ["0"]);
    }
);

on_both_databases!(
    async fn there_is_nothing_to_prove_about_a_verified_address(server: Server) {
        let jane = with_address(&server, "jane@example.com", true).await;
        let answer = jane.ask("jane@example.com").await;
        assert_eq!(refused(&answer), (400, "EMAIL_UPDATE_REQUEST_FAILED".to_owned()));
    }
);

on_both_databases!(
    async fn a_refusal_for_too_many_codes_states_how_long_to_wait(server: Server) {
        let jane = Jane::unknown(&server).await;
        jane.code_for("jane@example.com").await;
        for (passed, wait) in [(0, "30"), (10_500, "20"), (18_500, "1")] {
            server.pass(std::time::Duration::from_millis(passed));
            let answer = jane.ask("jane@example.com").await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, wait));
        }
        server.pass(std::time::Duration::from_secs(1));
        // After the last code of a day, the rest of the day.
        for _ in 0..49 {
            jane.code_for("jane@example.com").await;
            server.pass(std::time::Duration::from_secs(30));
        }
        let answer = jane.ask("jane@example.com").await;
        let rest = (24 * 3600 - 30 - 49 * 30).to_string();
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, rest.as_str()));
        server.pass(std::time::Duration::from_secs(rest.parse().unwrap()));
        let jane = Jane::of(&server, jane.account).await;
        assert_eq!(jane.ask("jane@example.com").await.status, 200);
    }
);

/// A server that sends mail through a mail server, on which recipients with some local parts are refused.
async fn mailing(database: Database, peer: &MailServer) -> Server {
    let port = peer.port.to_string();
    let settings = [
        ("SELFSAME__SMTP__HOST", "127.0.0.1"),
        ("SELFSAME__SMTP__PORT", &port),
        ("SELFSAME__SMTP__SECURITY", "none"),
        ("SELFSAME__SMTP__FROM", "no-reply@example.com"),
    ];
    Server::delivering(database, &settings, selfsame::outbox::Delivery::Configured).await
}

/// Status and body, without the token.
fn shown(answer: &Answer) -> (u16, String) {
    let body = match answer.json()["otp_token"].as_str() {
        Some(token) => answer.body.replace(token, "TOKEN"),
        None => answer.body.clone(),
    };
    (answer.status.as_u16(), body)
}

on_both_databases!(
    async fn a_mailbox_that_is_refused_does_not_reveal_its_account(database: Database) {
        let peer = MailServer::plain().await;
        let server = mailing(database, &peer).await;
        let client = server.client(Kind::Web, &[]).await;
        let grant = "http://tencentciam.com/oauth2/grant-type/otp/email";
        // Refused for good, and for now.
        for local in ["refused", "later"] {
            let (known, unknown) = (format!("{local}@example.com"), format!("{local}@example.org"));
            with_address(&server, &known, true).await;
            for usage in ["login", "reset_password"] {
                let mut answers = Vec::new();
                for address in [&known, &unknown] {
                    let first = client.send(json!({"usage": usage, "email": address})).await;
                    assert_eq!(shown(&first), (200, r#"{"otp_token":"TOKEN"}"#.to_owned()), "{usage} {address}");
                    let again = client.send(json!({"usage": usage, "email": address})).await;
                    let token = first.json()["otp_token"].as_str().unwrap().to_owned();
                    let mut wrong = Vec::new();
                    for _ in 0..6 {
                        let members =
                            json!({"grant_type": grant, "email": address, "otp_token": token, "otp": "123456"});
                        wrong.push(shown(&client.ask(members).await));
                    }
                    answers.push((shown(&again), wrong));
                }
                assert_eq!(answers[0], answers[1], "{usage} {local}");
            }
        }
        assert!(peer.stop().await.is_empty());
    }
);

on_both_databases!(
    async fn a_new_address_that_the_mail_server_refuses_is_refused_as_such(database: Database) {
        let peer = MailServer::plain().await;
        let server = mailing(database, &peer).await;
        let client = server.client(Kind::Web, &[]).await;
        let jane = Jane::new(&server).await;
        for usage in ["update_userinfo", "signup"] {
            let answer = client.send(json!({"usage": usage, "email": "refused@example.com"})).await;
            assert_eq!(shown(&answer), (400, r#"{"error":"invalid_email"}"#.to_owned()));
            let answer = client.send(json!({"usage": usage, "email": "later@example.com"})).await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
        }
        let answer = jane.ask("refused@example.com").await;
        assert_eq!(refused(&answer), (400, "EMAIL_UPDATE_REQUEST_FAILED".to_owned()));
        assert_eq!(jane.ask("later@example.com").await.status, 503);
        // No code exists, and other addresses are served.
        assert_eq!(server.database().rows("SELECT count(*) FROM one_time_code").await, ["0"]);
        assert_eq!(jane.ask("new@example.com").await.status, 200);
    }
);

/// A number that the gateway objects to, like a mailbox that is refused.
#[tokio::test]
async fn a_number_that_the_gateway_refuses_does_not_reveal_its_account() {
    let gateway = Gateway::start().await;
    let server = gateway.server("/objecting", &[]).await;
    let mut fields = patch(&[(Field::Phone, "+8613800138000")]);
    fields.phone_verified = Some(true);
    server.person_with(&server.tenant, fields).await;
    let client = server.client(Kind::Web, &[]).await;
    for usage in ["login", "reset_password"] {
        for number in ["13800138000", "13700137000"] {
            let answer = client.send(json!({"usage": usage, "phone_number": number})).await;
            assert_eq!(shown(&answer), (200, r#"{"otp_token":"TOKEN"}"#.to_owned()), "{usage} {number}");
        }
    }
    assert_eq!(gateway.requests().len(), 2);
    let answer = client.send(json!({"usage": "update_userinfo", "phone_number": "13800138000"})).await;
    assert_eq!(answer.status, 503);
}

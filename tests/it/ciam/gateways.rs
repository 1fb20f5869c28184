//! A gateway for short messages that fails while a code is sent.

use selfsame::account::{Field, Kind};
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::{Database, Server, Transcript, patch};

const PHONE: &str = "13800138000";
/// The sender waits for a gateway that does not respond, and no longer.
const SHORT: [(&str, &str); 1] = [("SELFSAME__SMS__TIMEOUT", "300ms")];

/// The stored codes, and how many were sent to each address.
async fn codes(server: &Server) -> Vec<String> {
    server.database().rows("SELECT count(*) FROM one_time_code").await
}

on_both_databases!(
    async fn a_code_that_the_gateway_did_not_accept_is_503_and_can_be_requested_again_at_once(database: Database) {
        let gateway = Gateway::start().await;
        let server = gateway.server_on(database, "/broken", &[]).await;
        let mut fields = patch(&[(Field::Phone, &format!("+86{PHONE}"))]);
        fields.phone_verified = Some(true);
        server.person_with(&server.tenant, fields).await;
        let client = server.client(Kind::Web, &[]).await;
        let mut transcript = Transcript::default();
        for usage in ["login", "update_userinfo", "reset_password"] {
            transcript.add(usage, &client.send(json!({"usage": usage, "phone_number": PHONE})).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > login
        > update_userinfo
        > reset_password
        503 Service Unavailable
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        retry-after: 1

        {"error":"temporarily_unavailable","error_description":"Failed to send OTP. Please try again later."}
        "#);
        assert_eq!((codes(&server).await, gateway.requests().len()), (vec!["0".to_owned()], 3));
        gateway.repair();
        let token = client.otp_token(json!({"phone_number": PHONE})).await;
        let text = gateway.requests().pop().unwrap().body;
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).unwrap();
        let grant = json!({
            "grant_type": "http://tencentciam.com/oauth2/grant-type/otp/sms",
            "phone_number": PHONE, "otp_token": token, "otp": code,
        });
        assert_eq!(client.ask(grant).await.status, 200);
    }
);

/// While the gateway is down, a number that no account has is answered like one that an account has.
#[tokio::test]
async fn a_gateway_that_fails_does_not_reveal_who_has_a_number() {
    for path in ["/broken", "/refused", "/moved", "/hanging"] {
        let gateway = Gateway::start().await;
        let server = gateway.server(path, &SHORT).await;
        let mut fields = patch(&[(Field::Phone, &format!("+86{PHONE}"))]);
        fields.phone_verified = Some(true);
        server.person_with(&server.tenant, fields).await;
        let client = server.client(Kind::Web, &[]).await;
        let known = client.send(json!({"phone_number": PHONE})).await;
        let unknown = client.send(json!({"phone_number": "13700137000"})).await;
        assert_eq!((known.status.as_u16(), known.to_string()), (503, unknown.to_string()), "{path}");
        assert_eq!(gateway.requests().len(), 1, "{path}");
    }
}

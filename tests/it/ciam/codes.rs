//! `POST /otp/send`.

use std::time::Duration;

use selfsame::account::{Field, Kind};
use selfsame::outbox::Delivery;
use serde_json::json;

use crate::support::applications::basic;
use crate::support::{Database, Server, Transcript, patch};

const SEND: &str = "/otp/send";

on_both_databases!(
    async fn an_application_authenticates_with_its_secret(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let spa = server.client(Kind::Spa, &[]).await;
        let (id, secret) = (client.application.id.as_str(), client.secret.as_deref().unwrap());
        let mut transcript = Transcript::default();
        for (name, header) in [
            ("nothing", None),
            ("Bearer", Some(format!("Bearer {secret}"))),
            ("no Base64", Some("Basic %%%".to_owned())),
            (
                "no colon",
                Some(format!(
                    "Basic {}",
                    basic(id, "").trim_start_matches("Basic ").trim_end_matches('=').trim_end_matches("Og")
                )),
            ),
            ("another secret", Some(basic(id, "ssc_other"))),
            ("an empty secret", Some(basic(id, ""))),
            ("another application", Some(basic("other", secret))),
            ("an application without a secret", Some(basic(&spa.application.id, ""))),
        ] {
            let request = server.request("POST", SEND);
            let request = match header {
                Some(header) => request.header("Authorization", &header),
                None => request,
            };
            transcript.add(name, &request.json("{").send().await);
        }
        let in_body = json!({"client_id": id, "client_secret": secret, "phone_number": "13800138000"});
        transcript.add("credentials in the body", &server.request("POST", SEND).json(in_body.to_string()).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > nothing
        > Bearer
        > no Base64
        > no colon
        > another secret
        > an empty secret
        > another application
        > an application without a secret
        > credentials in the body
        401 Unauthorized
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        www-authenticate: Basic realm="ciam"

        {"error":"invalid_client"}
        "#);
        assert_eq!(client.send(json!({"phone_number": "13800138000"})).await.status, 200);
    }
);

on_both_databases!(
    async fn credentials_are_form_encoded_inside_base64(server: Server) {
        let id = "an app:with%odd+signs&=\u{e9}";
        let client = server.client_with(Kind::Web, &[], |application| application.id = id.to_owned()).await;
        let secret = client.secret.clone().unwrap();
        let encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let send = async |id: &str, secret: &str| {
            let request = server.request("POST", SEND).header("Authorization", &basic(id, secret));
            request.json(r#"{"phone_number":"13800138000"}"#).send().await.status.as_u16()
        };
        assert_eq!(send(&encoded, &secret).await, 200);
        assert_eq!(send(id, &secret).await, 401);
        assert_eq!(send(&encoded, &secret.replacen('s', "%73", 1)).await, 400, "a code was sent within the interval");
        assert_eq!(send(&encoded, &secret.replacen('s', "%7", 1)).await, 401);
    }
);

on_both_databases!(
    async fn usage_and_address_are_checked(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let mut transcript = Transcript::default();
        for body in [
            json!({"usage": "other", "phone_number": "13800138000"}),
            json!({"usage": 1, "phone_number": "13800138000"}),
            json!({"usage": "change_email", "email": "jane@example.com"}),
            json!({}),
            json!({"phone_number": "13800138000", "email": "jane@example.com"}),
            json!({"phone_number": null, "email": null}),
            json!({"phone_number": "1380013800"}),
            json!({"phone_number": "+8613800138000"}),
            json!({"phone_number": 13800138000_i64}),
            json!({"email": "jane"}),
            json!({"email": ""}),
        ] {
            transcript.add(body.to_string(), &client.send(body).await);
        }
        let form = client
            .authenticated(server.request("POST", SEND))
            .header("Content-Type", "application/x-www-form-urlencoded");
        transcript.add("a form", &form.body("phone_number=13800138000").send().await);
        transcript.add("malformed", &client.authenticated(server.request("POST", SEND)).json("{").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > {"phone_number":"13800138000","usage":"other"}
        > {"phone_number":"13800138000","usage":1}
        > {"email":"jane@example.com","usage":"change_email"}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unknown usage."}

        > {}
        > {"email":"jane@example.com","phone_number":"13800138000"}
        > {"email":null,"phone_number":null}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Exactly one of phone_number and email is required."}

        > {"phone_number":"1380013800"}
        > {"phone_number":"+8613800138000"}
        > {"phone_number":13800138000}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"malformed_phone_number"}

        > {"email":"jane"}
        > {"email":""}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"malformed_email"}

        > a form
        415 Unsupported Media Type
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported Content-Type."}

        > malformed
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Malformed request body."}
        "#);
    }
);

on_both_databases!(
    async fn the_answer_is_a_token_and_the_message_has_a_code(server: Server) {
        let client = server.client_with(Kind::Web, &[], |application| application.auto_signup = true).await;
        let answer = client.send(json!({"usage": "login", "email": "Jane@Example.com", "other": 1})).await;
        let token = answer.json()["otp_token"].as_str().unwrap().to_owned();
        assert_eq!(token.len(), 43);
        insta::assert_snapshot!(answer.to_string().replace(&token, "TOKEN"), @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"otp_token":"TOKEN"}
        "#);
        assert_eq!(server.code_to("Jane@Example.com").len(), 6);
    }
);

/// The recipients of all messages, oldest first.
fn recipients(server: &Server) -> Vec<String> {
    let mut to: Vec<String> = server.app.outbox().mailbox().unwrap().mails().into_iter().map(|mail| mail.to).collect();
    to.reverse();
    to
}

on_both_databases!(
    async fn answers_reveal_who_has_an_address_only_for_sign_up(server: Server) {
        let mut patch = patch(&[(Field::Phone, "+8613800138000"), (Field::Email, "jane@example.com")]);
        (patch.email_verified, patch.phone_verified) = (Some(true), Some(true));
        server.person_with(&server.tenant, patch).await;
        // Unverified, so they belong to no account.
        server.person(&[(Field::Phone, "+8613700137000"), (Field::Email, "jo@example.com")]).await;
        let client = server.client(Kind::Web, &[]).await;
        let opening = server.client_with(Kind::Web, &[], |application| application.auto_signup = true).await;
        let mut transcript = Transcript::default();
        for usage in ["signup", "login", "update_userinfo", "reset_password"] {
            for address in [
                ("phone_number", "13800138000"),
                ("email", "JANE@example.com"),
                ("phone_number", "13700137000"),
                ("email", "jo@example.com"),
            ] {
                server.pass(Duration::from_secs(31));
                let answer = client.send(json!({"usage": usage, address.0: address.1})).await;
                let answer = match answer.json()["otp_token"].as_str() {
                    Some(token) => {
                        crate::support::Answer { body: answer.body.replace(token, "TOKEN"), ..answer.clone() }
                    }
                    None => answer,
                };
                transcript.add(format!("{usage} {}", address.1), &answer);
            }
        }
        insta::assert_snapshot!(transcript, @r#"
        > signup 13800138000
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"phone_number_is_used"}

        > signup JANE@example.com
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"email_is_used"}

        > signup 13700137000
        > signup jo@example.com
        > login 13800138000
        > login JANE@example.com
        > login 13700137000
        > login jo@example.com
        > update_userinfo 13800138000
        > update_userinfo JANE@example.com
        > update_userinfo 13700137000
        > update_userinfo jo@example.com
        > reset_password 13800138000
        > reset_password JANE@example.com
        > reset_password 13700137000
        > reset_password jo@example.com
        200 OK
        cache-control: no-store
        content-type: application/json

        {"otp_token":"TOKEN"}
        "#);
        let got = recipients(&server);
        // Sign-up: free addresses. Sign-in and passwords: addresses of an account, as it spells them. A new address: all.
        assert_eq!(
            got,
            [
                "+8613700137000",
                "jo@example.com",
                "+8613800138000",
                "jane@example.com",
                "+8613800138000",
                "JANE@example.com",
                "+8613700137000",
                "jo@example.com",
                "+8613800138000",
                "jane@example.com",
            ]
        );
        server.pass(Duration::from_secs(31));
        opening.otp_token(json!({"email": "jo@example.com"})).await;
        assert_eq!(recipients(&server).len(), 11, "no code was sent to an unknown address");
    }
);

on_both_databases!(
    async fn an_address_gets_one_code_in_thirty_seconds(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let mut transcript = Transcript::default();
        for (name, address) in [("phone_number", "13800138000"), ("email", "jane@example.com")] {
            let send = || client.send(json!({"usage": "update_userinfo", name: address}));
            assert_eq!(send().await.status, 200);
            server.pass(Duration::from_secs(29));
            transcript.add(name, &send().await);
            server.pass(Duration::from_secs(1));
            assert_eq!(send().await.status, 200);
        }
        insta::assert_snapshot!(transcript, @r#"
        > phone_number
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"sms_rate_limit_exceeded","error_description":"SMS rate limit exceeded for same phone number"}

        > email
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"email_rate_limit_exceeded","error_description":"Email rate limit exceeded for same email address"}
        "#);
    }
);

on_both_databases!(
    async fn an_address_gets_fifty_codes_a_day(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let send = || client.send(json!({"usage": "update_userinfo", "phone_number": "13800138000"}));
        for number in 1..=50 {
            assert_eq!(send().await.status, 200, "{number}");
            server.pass(Duration::from_secs(31));
        }
        let early = send().await;
        assert_eq!((early.status.as_u16(), &early.json()["error"]), (400, &json!("sms_rate_limit_exceeded")));
        server.pass(Duration::from_secs(24 * 3600));
        assert_eq!(send().await.status, 200);
    }
);

#[tokio::test]
async fn without_a_transport_a_code_is_503_with_the_published_text() {
    let server = Server::delivering(Database::sqlite(), &[], Delivery::Configured).await;
    let client = server.client(Kind::Web, &[]).await;
    let mut transcript = Transcript::default();
    for body in
        [json!({"usage": "update_userinfo", "phone_number": "13800138000"}), json!({"email": "jane@example.com"})]
    {
        transcript.add(body.to_string(), &client.send(body).await);
    }
    insta::assert_snapshot!(transcript, @r#"
    > {"phone_number":"13800138000","usage":"update_userinfo"}
    > {"email":"jane@example.com"}
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json;charset=UTF-8
    retry-after: 1

    {"error":"temporarily_unavailable","error_description":"Failed to send OTP. Please try again later."}
    "#);
    // Nothing counts as sent, so the interval does not apply.
    assert_eq!(client.send(json!({"email": "jane@example.com"})).await.status, 503);
}

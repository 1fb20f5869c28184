//! Codes that a back end requests for applications without a secret: what is refused.

use selfsame::account::{Field, Kind};
use serde_json::{Value, json};

use crate::codes::wrong;
use crate::support::applications::{Client, Pkce};
use crate::support::{Answer, Server, Transcript, patch};

const EMAIL: &str = "http://tencentciam.com/oauth2/grant-type/otp/email";
const JANE: &str = "jane@example.com";
const MISMATCHED: &str =
    r#"{"error":"invalid_request","error_description":"Mismatched OTP token and OTP sending parameters"}"#;

/// A page and its back end, and a person who can sign in.
async fn page_and_back_end(server: &Server) -> (Client<'_>, Client<'_>) {
    let mut patch = patch(&[(Field::Email, JANE)]);
    patch.email_verified = Some(true);
    server.person_with(&server.tenant, patch).await;
    (server.client(Kind::Spa, &[]).await, server.client(Kind::Web, &[]).await)
}

/// Asks for tokens with the code that was sent last.
async fn sign_in(client: &Client<'_>, otp_token: &str, verifier: Option<&str>) -> Answer {
    let otp = client.server.code_to(JANE);
    client.ask(grant(otp_token, &otp, verifier)).await
}

fn grant(otp_token: &str, otp: &str, verifier: Option<&str>) -> Value {
    json!({"grant_type": EMAIL, "email": JANE, "otp_token": otp_token, "otp": otp, "code_verifier": verifier})
}

on_both_databases!(
    async fn a_code_is_for_the_named_application_alone(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let other_page = server.client(Kind::Spa, &[]).await;
        let for_page = back_end.otp_token(json!({"email": JANE, "client_id": page.application.id})).await;
        for client in [&back_end, &other_page] {
            assert_eq!(sign_in(client, &for_page, None).await.body, MISMATCHED, "{:?}", client.application.kind);
        }
        assert_eq!(sign_in(&page, &for_page, None).await.status, 200);
        server.pass(std::time::Duration::from_secs(31));
        let for_back_end = back_end.otp_token(json!({"email": JANE})).await;
        assert_eq!(sign_in(&page, &for_back_end, None).await.body, MISMATCHED);
        assert_eq!(sign_in(&back_end, &for_back_end, None).await.status, 200);
    }
);

on_both_databases!(
    async fn a_code_with_a_challenge_needs_its_verifier(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let pkce = Pkce::new(&server);
        let wanted = json!({"email": JANE, "client_id": page.application.id, "code_challenge": pkce.challenge});
        let otp_token = back_end.otp_token(wanted).await;
        let wrong = Pkce::new(&server).verifier;
        let verifiers: [(&str, Option<&str>); 5] = [
            ("none", None),
            ("an empty one", Some("")),
            ("another one", Some(&wrong)),
            ("the challenge", Some(&pkce.challenge)),
            ("one that is too short", Some("a")),
        ];
        for (name, verifier) in verifiers {
            assert_eq!(sign_in(&page, &otp_token, verifier).await.body, MISMATCHED, "{name}");
        }
        // A wrong verifier is no try: the code was not compared.
        assert_eq!(sign_in(&page, &otp_token, Some(&pkce.verifier)).await.status, 200);
        let again = sign_in(&page, &otp_token, Some(&pkce.verifier)).await;
        assert_eq!(again.json()["error_description"], "Unknown or expired otp_token");
    }
);

on_both_databases!(
    async fn a_right_verifier_gives_no_more_tries_to_guess_the_code(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let pkce = Pkce::new(&server);
        let wanted = json!({"email": JANE, "client_id": page.application.id, "code_challenge": pkce.challenge});
        let otp_token = back_end.otp_token(wanted).await;
        let guess = wrong(&server.code_to(JANE));
        for _ in 0..5 {
            let answer = page.ask(grant(&otp_token, &guess, Some(&pkce.verifier))).await;
            assert_eq!(answer.json()["error_description"], "Unknown or expired OTP");
        }
        let answer = sign_in(&page, &otp_token, Some(&pkce.verifier)).await;
        assert_eq!(answer.json()["error_description"], "Unknown or expired otp_token");
    }
);

on_both_databases!(
    async fn a_verifier_is_refused_if_the_code_was_sent_without_a_challenge(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let otp_token = back_end.otp_token(json!({"email": JANE, "client_id": page.application.id})).await;
        for verifier in [&Pkce::new(&server).verifier, "a"] {
            assert_eq!(sign_in(&page, &otp_token, Some(verifier)).await.body, MISMATCHED, "{verifier}");
        }
        assert_eq!(sign_in(&page, &otp_token, None).await.status, 200);
    }
);

on_both_databases!(
    async fn an_application_with_a_secret_must_bring_the_verifier_too(server: Server) {
        let (_, back_end) = page_and_back_end(&server).await;
        let pkce = Pkce::new(&server);
        let otp_token = back_end.otp_token(json!({"email": JANE, "code_challenge": pkce.challenge})).await;
        assert_eq!(sign_in(&back_end, &otp_token, None).await.body, MISMATCHED);
        assert_eq!(sign_in(&back_end, &otp_token, Some(&pkce.verifier)).await.status, 200);
    }
);

on_both_databases!(
    async fn a_code_to_sign_up_can_be_requested_for_a_page_and_opens_nothing(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let pkce = Pkce::new(&server);
        let wanted = json!({
            "usage": "signup", "email": "new@example.com", "client_id": page.application.id, "code_challenge": pkce.challenge,
        });
        let otp_token = back_end.otp_token(wanted).await;
        let mut grant = grant(&otp_token, &server.code_to("new@example.com"), Some(&pkce.verifier));
        grant["email"] = json!("new@example.com");
        // A code to sign up opens nothing: signing in creates accounts, too.
        assert_eq!(page.ask(grant).await.body, MISMATCHED);
    }
);

on_both_databases!(
    async fn only_an_application_of_the_tenant_that_has_no_secret_can_be_named(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let other_tenant = server.add_tenant("other").await;
        let foreign = server.client_with(Kind::Spa, &[], |page| page.tenant_id = other_tenant.id).await;
        let with_secret = server.client(Kind::Web, &[]).await;
        let mut transcript = Transcript::default();
        for (name, id) in [
            ("another tenant's", json!(foreign.application.id)),
            ("unknown", json!("none")),
            ("one with a secret", json!(with_secret.application.id)),
            ("empty", json!("")),
            ("a number", json!(1)),
            ("a list", json!([page.application.id])),
            ("U+0000", json!("a\0b")),
        ] {
            transcript.add(name, &back_end.send(json!({"email": JANE, "client_id": id})).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > another tenant's
        > unknown
        > one with a secret
        > empty
        > a number
        > a list
        401 Unauthorized
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        www-authenticate: Basic realm="ciam"

        {"error":"invalid_client"}

        > U+0000
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Malformed request body."}
        "#);
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), 0);
        assert_eq!(back_end.send(json!({"email": JANE, "client_id": page.application.id})).await.status, 200);
    }
);

on_both_databases!(
    async fn a_challenge_has_one_form_and_one_method(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let challenge = Pkce::new(&server).challenge;
        let mut transcript = Transcript::default();
        for (name, members) in [
            ("42 characters", json!({"code_challenge": challenge[1..]})),
            ("44 characters", json!({"code_challenge": format!("{challenge}A")})),
            ("padded", json!({"code_challenge": format!("{challenge}=")})),
            ("empty", json!({"code_challenge": ""})),
            ("a number", json!({"code_challenge": 1})),
            ("only a method", json!({"code_challenge_method": "S256"})),
            ("plain", json!({"code_challenge": challenge, "code_challenge_method": "plain"})),
            ("lower case", json!({"code_challenge": challenge, "code_challenge_method": "s256"})),
            ("a number as method", json!({"code_challenge": challenge, "code_challenge_method": 256})),
        ] {
            let mut wanted = json!({"email": JANE, "client_id": page.application.id});
            wanted.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            transcript.add(name, &back_end.send(wanted).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > 42 characters
        > 44 characters
        > padded
        > empty
        > a number
        > only a method
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"code_challenge must be 43 characters of base64url."}

        > plain
        > lower case
        > a number as method
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"code_challenge_method must be S256."}
        "#);
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), 0);
    }
);

on_both_databases!(
    async fn codes_for_other_uses_have_no_application_and_no_challenge(server: Server) {
        let (page, back_end) = page_and_back_end(&server).await;
        let mut transcript = Transcript::default();
        for usage in ["update_userinfo", "reset_password"] {
            for (name, members) in [
                ("another application", json!({"client_id": page.application.id})),
                ("a challenge", json!({"code_challenge": Pkce::new(&server).challenge})),
            ] {
                let mut wanted = json!({"usage": usage, "email": JANE});
                wanted.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
                transcript.add(format!("{usage}, {name}"), &back_end.send(wanted).await);
            }
        }
        insta::assert_snapshot!(transcript, @r#"
        > update_userinfo, another application
        > update_userinfo, a challenge
        > reset_password, another application
        > reset_password, a challenge
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"client_id and code_challenge are only for login and signup."}
        "#);
    }
);

on_both_databases!(
    async fn a_page_still_cannot_request_codes_itself(server: Server) {
        let (page, _) = page_and_back_end(&server).await;
        let answer = page.send(json!({"email": JANE, "client_id": page.application.id})).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, r#"{"error":"invalid_client"}"#));
    }
);

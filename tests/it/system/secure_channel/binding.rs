//! Encrypted bodies that are bound to an account or an access token, and those that are not.

use selfsame::account::{Contract, Patch, Status};
use selfsame::secure_channel::access_token_hash;

use super::*;
use crate::support::OnDatabase;

const NO_SESSION: &str = r#"{"success":false,"code":"4000","message":"Secure channel session not found"}"#;
const NO_PAYLOAD: &str = r#"{"success":false,"code":"4000","message":"Invalid secure channel payload"}"#;
const NO_TOKEN: &str = r#"{"success":false,"code":"4010","message":"Invalid or expired token"}"#;

/// A server with `secure_channel.binding = "required"`.
struct Required(Server);

impl OnDatabase for Required {
    async fn start(database: Database) -> Self {
        Required(Server::with(database, &[("SELFSAME__SECURE_CHANNEL__BINDING", "required")]).await)
    }
}

/// Another account, whose owner intercepts messages.
async fn attacker(server: &Server) -> AuthenticatedPerson<'_> {
    sign_in(server, server.person(&[]).await).await
}

fn assert_refused(answer: Sealed, body: &str) {
    let answer = answer.plain();
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, body));
}

impl AuthenticatedPerson<'_> {
    /// The header of a JWE that is bound to the person's access token.
    fn bound(&self, key: &ServerKey, jti: &str) -> Value {
        with(&header(self.server, key, jti), "ath", json!(access_token_hash(&self.token)))
    }
}

on_both_databases!(
    async fn a_session_opened_with_a_token_accepts_no_message_of_another_account_or_client(server: Server) {
        let (admin, attacker) = (admin(&server).await, attacker(&server).await);
        let session = admin.open().await;
        // The attacker holds back the first message and sends it with their own token.
        let first = session.binary(1, JANE);
        assert_refused(attacker.send_in(&session, first.clone()).await, NO_SESSION);
        let token = server.token(&admin.account, Contract::System).await;
        let elsewhere = server.request("POST", UPDATE).bearer(&token).header("X-Client-Hash", "d2");
        let elsewhere = elsewhere.header("X-SC-Session-Id", &session.id).json(first.clone());
        assert_refused(Sealed::of(elsewhere).await, NO_SESSION);
        assert_eq!(attacker.name().await, "");
        assert_eq!(session.read(admin.send_in(&session, first).await).status, 200);
        // Another token of the same account and client continues the session.
        let again = sign_in(&server, admin.account.clone()).await;
        assert_eq!(session.read(again.send_in(&session, session.binary(2, JOHN)).await).status, 200);
        assert_eq!(admin.name().await, "John Admin");
    }
);

on_both_databases!(
    async fn credentials_that_are_not_valid_open_no_session(server: Server) {
        let admin = admin(&server).await;
        let mut suspend = Patch::default();
        suspend.status = Some(Status::Suspended);
        let suspended = attacker(&server).await;
        server.operate(&suspended.account, suspend).await;
        let foreign = server.token(&admin.account, Contract::RiverGen).await;
        admin.read().await;
        let open = || server.request("POST", OPEN);
        let hash = ("X-Client-Hash", "d1");
        let body = Session::opening(&server).await;
        let mut transcript = Transcript::default();
        for (what, request) in [
            ("no token at all", open().bearer("").header(hash.0, hash.1)),
            ("another token", open().bearer("none").header(hash.0, hash.1)),
            ("another scheme", open().header("Authorization", "Basic YTpi").header(hash.0, hash.1)),
            ("two tokens", admin.request("POST", OPEN).header("Authorization", "Bearer none")),
            ("a token for another contract", open().bearer(&foreign).header(hash.0, hash.1)),
            ("a suspended account", suspended.request("POST", OPEN)),
            ("no client hash", open().bearer(&admin.token)),
            ("another client hash", open().bearer(&admin.token).header(hash.0, "d2")),
        ] {
            transcript.add(what, &request.json(body.clone()).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > no token at all
        > another token
        > another scheme
        > two tokens
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}

        > a token for another contract
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}

        > a suspended account
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is suspended"}

        > no client hash
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Missing required header: X-Client-Hash"}

        > another client hash
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Authentication request context does not match the active session"}
        "#);
        assert_eq!(server.database().rows("SELECT count(*) FROM channel_session").await, ["0"]);
    }
);

on_both_databases!(
    async fn opening_a_session_counts_as_the_first_use_of_its_token(server: Server) {
        let admin = admin(&server).await;
        admin.open().await;
        let elsewhere = server.request("GET", PROFILE).bearer(&admin.token).header("X-Client-Hash", "d2");
        assert_eq!(elsewhere.send().await.status, 403);
    }
);

/// The sessions that open with a token are limited with those that an account has used.
struct TwoSessions(Server);

impl OnDatabase for TwoSessions {
    async fn start(database: Database) -> Self {
        let settings =
            [("SELFSAME__SECURE_CHANNEL__ACCOUNT_SESSIONS", "2"), ("SELFSAME__SECURE_CHANNEL__ADDRESS_SESSIONS", "1")];
        TwoSessions(Server::with(database, &settings).await)
    }
}

on_both_databases!(
    async fn a_further_session_of_an_account_ends_its_oldest_and_no_other(two: TwoSessions) {
        let server = &two.0;
        let (admin, other) = (admin(server).await, attacker(server).await);
        let (unused, of_other) = (Session::open(server).await, other.open().await);
        let mut sessions = Vec::new();
        for _ in 0..3 {
            sessions.push(admin.open().await);
            server.pass(Duration::from_secs(1));
        }
        assert_refused(admin.send_in(&sessions[0], sessions[0].binary(1, JANE)).await, NO_SESSION);
        for session in &sessions[1..] {
            assert_eq!(session.read(admin.send_in(session, session.binary(1, JANE)).await).status, 200);
        }
        assert_eq!(of_other.read(other.send_in(&of_other, of_other.binary(1, JOHN)).await).status, 200);
        assert_eq!(unused.read(other.send_in(&unused, unused.binary(1, JOHN)).await).status, 200);
    }
);

on_both_databases!(
    async fn a_jwe_bound_to_a_token_is_refused_with_another_and_accepted_once_with_its_own(server: Server) {
        let (admin, attacker) = (admin(&server).await, attacker(&server).await);
        let key = ServerKey::of(&server).await;
        let jwe = jwe(&key, &admin.bound(&key, "1"), JANE);
        assert_refused(attacker.send_token(jwe.clone()).await, NO_PAYLOAD);
        // Another token of the same account is another token.
        let again = sign_in(&server, admin.account.clone()).await;
        assert_refused(again.send_token(jwe.clone()).await, NO_PAYLOAD);
        assert_eq!((admin.name().await.as_str(), attacker.name().await.as_str()), ("System Admin", ""));
        // None of these used the message up.
        assert_eq!(admin.send_token(jwe.clone()).await.plain().status, 200);
        assert_refused(admin.send_token(jwe).await, NO_PAYLOAD);
        assert_eq!(admin.stored().await.version, 2);
    }
);

on_both_databases!(
    async fn an_ath_that_is_not_exactly_the_hash_of_the_token_is_refused(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let good = admin.bound(&key, "1");
        let hash = good["ath"].as_str().unwrap().to_owned();
        let unbound = header(&server, &key, "1");
        for (what, header) in [
            ("empty", with(&good, "ath", json!(""))),
            ("a number", with(&good, "ath", json!(7))),
            ("a list", with(&good, "ath", json!([hash]))),
            ("an object", with(&good, "ath", json!({}))),
            ("true", with(&good, "ath", json!(true))),
            ("padded", with(&good, "ath", json!(format!("{hash}=")))),
            ("shortened", with(&good, "ath", json!(&hash[..42]))),
            ("in capitals", with(&good, "ath", json!(hash.to_uppercase()))),
            ("the token itself", with(&good, "ath", json!(admin.token))),
            ("only critical", with(&unbound, "crit", json!(["ath"]))),
            ("critical with something unknown", with(&good, "crit", json!(["ath", "exp"]))),
        ] {
            let answer = admin.send_token(jwe(&key, &header, JANE)).await.plain();
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (400, NO_PAYLOAD), "{what}");
        }
        let parts = jwe(&key, &unbound, JANE);
        let parts: Vec<&str> = parts.split('.').collect();
        let outside = json!({
            "protected": parts[0], "encrypted_key": parts[1], "iv": parts[2], "ciphertext": parts[3], "tag": parts[4],
            "header": {"ath": hash},
        });
        let request = admin.request("POST", UPDATE).header("Content-Type", "application/jose+json");
        assert_refused(Sealed::of(request.body(outside.to_string())).await, NO_PAYLOAD);
        assert_eq!(admin.history().await, "");
        let critical = with(&good, "crit", json!(["ath"]));
        assert_eq!(admin.send_token(jwe(&key, &critical, JANE)).await.plain().status, 200);
    }
);

on_both_databases!(
    async fn what_is_not_bound_opens_for_the_account_that_sends_it_first(server: Server) {
        // As documented, unless `secure_channel.binding` is `required`.
        let (admin, attacker) = (admin(&server).await, attacker(&server).await);
        let (key, keys) = (ServerKey::of(&server).await, Session::none());
        let session = Session::open(&server).await;
        let first = session.binary(1, r#"{"accountName":"in a session"}"#);
        assert_eq!(session.read(attacker.send_in(&session, first).await).status, 200);
        assert_eq!(attacker.name().await, "in a session");
        let alone = key.one_off(&keys, 1, r#"{"accountName":"type 1"}"#);
        assert_eq!(keys.read(attacker.send_one_off(alone).await).status, 200);
        assert_eq!(attacker.name().await, "type 1");
        let jwe = jwe(&key, &header(&server, &key, "1"), r#"{"accountName":"a JWE"}"#);
        assert_eq!(attacker.send_token(jwe).await.plain().status, 200);
        assert_eq!(attacker.name().await, "a JWE");
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn required_binding_refuses_everything_that_is_not_bound(required: Required) {
        let server = &required.0;
        let admin = admin(server).await;
        let (key, keys) = (ServerKey::of(server).await, Session::none());
        let open = server.request("POST", OPEN).header("X-Client-Hash", "d1").json(Session::opening(server).await);
        let answer = open.send().await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, NO_TOKEN));
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"system\"");
        assert_refused(admin.send_one_off(key.one_off(&keys, 1, JANE)).await, NO_PAYLOAD);
        assert_refused(admin.send_token(jwe(&key, &header(server, &key, "1"), JANE)).await, NO_PAYLOAD);
        // A session from before the setting was changed, which no account has used.
        let session = admin.open().await;
        server.database().execute("UPDATE channel_session SET account_id = NULL, client = NULL").await;
        assert_refused(admin.send_in(&session, session.binary(1, JANE)).await, NO_SESSION);
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn required_binding_accepts_what_is_bound(required: Required) {
        let server = &required.0;
        let (admin, attacker) = (admin(server).await, attacker(server).await);
        let (key, session) = (ServerKey::of(server).await, admin.open().await);
        assert_refused(attacker.send_in(&session, session.binary(1, JANE)).await, NO_SESSION);
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        let jwe = jwe(&key, &admin.bound(&key, "1"), JOHN);
        assert_refused(attacker.send_token(jwe.clone()).await, NO_PAYLOAD);
        assert_eq!(admin.send_token(jwe).await.plain().status, 200);
        // Plain bodies are another setting.
        assert_eq!(admin.update(JANE).await.status, 200);
        assert_eq!(admin.stored().await.version, 4);
    }
);

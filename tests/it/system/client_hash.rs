//! `X-Client-Hash`: the device stays the same for a whole session.

use std::time::Duration;

use selfsame::account::Contract;
use serde_json::json;

use selfsame::identity::Grant;

use super::{PROFILE, UPDATE, admin};
use crate::support::forge::Forge;
use crate::support::{Answer, Database, HOUR, Server, Transcript, Wire};

/// Reads a profile from a device; `None` sends no header.
async fn read(server: &Server, token: &str, device: Option<&str>) -> Answer {
    let request = server.request("GET", PROFILE).bearer(token);
    match device {
        Some(device) => request.header("X-Client-Hash", device).send().await,
        None => request.send().await,
    }
}

on_both_databases!(
    async fn a_request_without_a_client_hash_is_refused(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        transcript.add("no header", &read(&server, &admin.token, None).await);
        transcript.add("an empty one", &read(&server, &admin.token, Some("")).await);
        transcript.add("white space", &read(&server, &admin.token, Some("  \t ")).await);
        let update = server.request("POST", UPDATE).bearer(&admin.token).json("{}").send().await;
        transcript.add("an update", &update);
        insta::assert_snapshot!(transcript, @r#"
        > no header
        > an empty one
        > white space
        > an update
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Missing required header: X-Client-Hash"}
        "#);
    }
);

on_both_databases!(
    async fn a_client_hash_that_is_not_one_short_text_is_refused(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        transcript.add("513 bytes", &read(&server, &admin.token, Some(&"x".repeat(513))).await);
        transcript.add("a tab inside", &read(&server, &admin.token, Some("a\tb")).await);
        let twice = admin.request("GET", PROFILE).header("X-Client-Hash", "d1");
        transcript.add("the same one twice", &twice.send().await);
        insta::assert_snapshot!(transcript, @r#"
        > 513 bytes
        > a tab inside
        > the same one twice
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid header: X-Client-Hash"}
        "#);
    }
);

on_both_databases!(
    async fn control_characters_that_are_invalid_in_headers_are_refused(server: Server) {
        let admin = admin(&server).await;
        for control in ["\x01", "\x1f", "\x7f", "\0"] {
            let mut wire = Wire::connect(&server).await;
            let head = format!("GET {PROFILE} HTTP/1.1\r\nHost: selfsame\r\nAuthorization: Bearer {}\r\n", admin.token);
            wire.send(format!("{head}X-Client-Hash: d{control}1\r\n\r\n")).await;
            assert_eq!(wire.answer().await.status, 400, "{control:?}");
        }
    }
);

on_both_databases!(
    async fn a_client_hash_may_be_any_text_of_512_bytes(server: Server) {
        let admin = admin(&server).await;
        for device in ["x".repeat(512), "a b, c=\"d\"; e".to_owned(), "é".to_owned()] {
            let token = server.token(&admin.account, Contract::System).await;
            assert_eq!(read(&server, &token, Some(&device)).await.status, 200, "{device}");
            assert_eq!(read(&server, &token, Some(&device)).await.status, 200, "{device}");
            assert_eq!(read(&server, &token, Some("other")).await.status, 403, "{device}");
        }
    }
);

on_both_databases!(
    async fn a_token_is_bound_to_the_device_that_used_it_first(server: Server) {
        let admin = admin(&server).await;
        assert_eq!(read(&server, &admin.token, Some("d1")).await.status, 200);
        let mut transcript = Transcript::default();
        for device in ["d2", "D1", "d1x", "d"] {
            transcript.add(device, &read(&server, &admin.token, Some(device)).await);
        }
        let update = server.request("POST", UPDATE).bearer(&admin.token).header("X-Client-Hash", "d2").json("{}");
        transcript.add("an update by d2", &update.send().await);
        insta::assert_snapshot!(transcript, @r#"
        > d2
        > D1
        > d1x
        > d
        > an update by d2
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Authentication request context does not match the active session"}
        "#);
        assert_eq!(read(&server, &admin.token, Some("d1")).await.status, 200);
    }
);

on_both_databases!(
    async fn another_token_of_the_same_person_may_be_used_on_another_device(server: Server) {
        let admin = admin(&server).await;
        let other = server.token(&admin.account, Contract::System).await;
        assert_eq!(read(&server, &admin.token, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &other, Some("d2")).await.status, 200);
    }
);

on_both_databases!(
    async fn one_of_two_devices_that_use_a_token_first_at_once_wins(server: Server) {
        let admin = admin(&server).await;
        for _ in 0..8 {
            let token = server.token(&admin.account, Contract::System).await;
            let devices = ["d1", "d2", "d3"];
            let [first, second, third] = devices.map(|device| read(&server, &token, Some(device)));
            let (first, second, third) = tokio::join!(first, second, third);
            let at_once = [first.status, second.status, third.status];
            assert_eq!(at_once.iter().filter(|status| **status == 200).count(), 1, "{at_once:?}");
            assert_eq!(at_once.iter().filter(|status| **status == 403).count(), 2, "{at_once:?}");
            for (device, status) in devices.iter().zip(at_once) {
                assert_eq!(read(&server, &token, Some(device)).await.status, status, "{device}");
            }
        }
    }
);

on_both_databases!(
    async fn a_token_can_be_bound_to_a_device_from_the_beginning(server: Server) {
        let account = admin(&server).await.account;
        let client_hash = Some("d1".to_owned());
        let grant = Grant { account: account.id, contract: Contract::System, scope: None, client_hash, lifetime: HOUR };
        let token = server.issue(grant).await.token;
        assert_eq!(read(&server, &token, Some("d2")).await.status, 403);
        assert_eq!(read(&server, &token, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &token, Some("d2")).await.status, 403);
    }
);

on_both_databases!(
    async fn tokens_of_one_session_share_their_device(server: Server) {
        let account = admin(&server).await.account;
        let forge = Forge::of(&server).await;
        let token = |session: &str, id: &str| forge.token(&account, json!({ "sid": session, "jti": id }));
        assert_eq!(read(&server, &token("s1", "t1"), Some("d1")).await.status, 200);
        assert_eq!(read(&server, &token("s1", "t2"), Some("d2")).await.status, 403);
        assert_eq!(read(&server, &token("s1", "t2"), Some("d1")).await.status, 200);
        // A session and a token with the same name are bound separately.
        assert_eq!(read(&server, &token("s2", "t1"), Some("d2")).await.status, 200);
        assert_eq!(read(&server, &forge.token(&account, json!({ "jti": "s1" })), Some("d2")).await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_without_an_identifier_is_bound_separately(server: Server) {
        let account = admin(&server).await.account;
        let forge = Forge::of(&server).await;
        let token = |scope: &str| forge.token(&account, json!({ "jti": null, "scope": scope }));
        assert_eq!(read(&server, &token("a"), Some("d1")).await.status, 200);
        assert_eq!(read(&server, &token("a"), Some("d2")).await.status, 403);
        assert_eq!(read(&server, &token("b"), Some("d2")).await.status, 200);
    }
);

on_both_databases!(
    async fn a_refused_token_binds_no_device(server: Server) {
        let admin = admin(&server).await;
        let forge = Forge::of(&server).await;
        let expired = forge.token(&admin.account, json!({ "sid": "s1", "exp": forge.now() - 3600 }));
        assert_eq!(read(&server, &expired, Some("thief")).await.status, 401);
        let other = forge.token(&admin.account, json!({ "sid": "s1", "aud": "rivergen" }));
        assert_eq!(read(&server, &other, Some("thief")).await.status, 403);
        assert_eq!(read(&server, &forge.token(&admin.account, json!({ "sid": "s1" })), Some("d1")).await.status, 200);
    }
);

on_both_databases!(
    async fn the_client_hash_can_be_made_optional(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SYSTEM__CLIENT_HASH", "optional")]).await;
        let admin = admin(&server).await;
        assert_eq!(read(&server, &admin.token, None).await.status, 200);
        assert_eq!(read(&server, &admin.token, Some("")).await.status, 200);
        assert_eq!(read(&server, &admin.token, Some(&"x".repeat(513))).await.status, 400);
        // Once a token is bound to a device, omitting the header does not help a thief.
        assert_eq!(read(&server, &admin.token, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &admin.token, Some("d2")).await.status, 403);
        insta::assert_snapshot!(read(&server, &admin.token, None).await, @r#"
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Missing required header: X-Client-Hash"}
        "#);
    }
);

on_both_databases!(
    async fn a_token_bound_from_the_beginning_needs_its_device_even_where_it_is_optional(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SYSTEM__CLIENT_HASH", "optional")]).await;
        let account = admin(&server).await.account;
        let token = Forge::of(&server).await.token(&account, json!({ "client_hash": "d1" }));
        assert_eq!(read(&server, &token, None).await.status, 400);
        assert_eq!(read(&server, &token, Some("d1")).await.status, 200);
    }
);

/// Two tokens of one session: one that expires in an hour, and one that expires in five and is valid at two contracts.
async fn short_and_long(server: &Server) -> (String, String) {
    let account = admin(server).await.account;
    let forge = Forge::of(server).await;
    let token = |id: &str, hours: i64| {
        let claims =
            json!({ "sid": "s1", "jti": id, "exp": forge.now() + hours * 3600, "aud": ["system", "rivergen"] });
        forge.token(&account, claims)
    };
    (token("short", 1), token("long", 5))
}

/// Advances the clock, and deletes what has expired by then.
async fn later(server: &Server, hours: u32) {
    server.pass(hours * HOUR + Duration::from_secs(1));
    server.app.store().forget_expired(server.app.now()).await.unwrap();
}

on_both_databases!(
    async fn a_session_stays_bound_to_its_device_as_long_as_the_longest_of_its_tokens(server: Server) {
        let (short, long) = short_and_long(&server).await;
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &long, Some("d1")).await.status, 200);
        // A shorter token shortens nothing.
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        later(&server, 3).await;
        assert_eq!(read(&server, &long, Some("d2")).await.status, 403);
        assert_eq!(read(&server, &long, Some("d1")).await.status, 200);
        later(&server, 3).await;
        assert_eq!(server.database().rows("SELECT count(*) FROM client_binding").await, ["0"]);
    }
);

on_both_databases!(
    async fn a_longer_token_keeps_its_session_bound_even_if_another_device_presents_it(server: Server) {
        let (short, long) = short_and_long(&server).await;
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &long, Some("d2")).await.status, 403);
        later(&server, 3).await;
        assert_eq!(read(&server, &long, Some("d2")).await.status, 403);
        assert_eq!(read(&server, &long, Some("d1")).await.status, 200);
    }
);

on_both_databases!(
    async fn a_longer_token_keeps_its_session_bound_even_if_only_another_contract_sees_it(server: Server) {
        let (short, long) = short_and_long(&server).await;
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        assert_eq!(server.request("GET", "/api/v1/auth/me").bearer(&long).send().await.status, 200);
        later(&server, 3).await;
        assert_eq!(read(&server, &long, Some("d2")).await.status, 403);
        assert_eq!(read(&server, &long, Some("d1")).await.status, 200);
    }
);

/// Replaces the table of bindings by a view, which can only be read.
const READ_ONLY: &str = "ALTER TABLE client_binding RENAME TO binding;
    CREATE VIEW client_binding AS SELECT * FROM binding LIMIT 9";

on_both_databases!(
    async fn a_binding_is_written_once_for_each_longer_token_and_never_again(server: Server) {
        let (short, long) = short_and_long(&server).await;
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &long, Some("d1")).await.status, 200);
        server.database().execute(READ_ONLY).await;
        for token in [&short, &long, &short, &long] {
            assert_eq!(read(&server, token, Some("d1")).await.status, 200);
        }
    }
);

on_both_databases!(
    async fn a_longer_token_is_refused_if_its_binding_cannot_be_written(server: Server) {
        let (short, long) = short_and_long(&server).await;
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        server.database().execute(READ_ONLY).await;
        assert_eq!(read(&server, &short, Some("d1")).await.status, 200);
        assert_eq!(read(&server, &long, Some("d1")).await.status, 500);
    }
);

on_both_databases!(
    async fn the_binding_of_a_token_without_a_real_end_is_written_once_too(server: Server) {
        let account = admin(&server).await.account;
        // The last second that a token can name.
        let claims = json!({ "sid": "s1", "exp": jiff::Timestamp::MAX.as_second() });
        let token = Forge::of(&server).await.token(&account, claims);
        assert_eq!(read(&server, &token, Some("d1")).await.status, 200);
        server.database().execute(READ_ONLY).await;
        assert_eq!(read(&server, &token, Some("d1")).await.status, 200);
    }
);

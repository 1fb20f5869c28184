//! Limits: sizes, sessions, messages, and the work that an envelope can cause.

use super::*;

const MAX: usize = 64 * 1024;
/// The longest envelope: 64 KiB in base64 and the surrounding members.
const MAX_ENVELOPE: usize = 96 * 1024;

/// A valid update of this many bytes.
fn body_of(length: usize) -> String {
    let (before, after) = (r#"{"accountName":"Jane Admin","padding":""#, r#""}"#);
    format!("{before}{}{after}", "x".repeat(length - before.len() - after.len()))
}

on_both_databases!(
    async fn the_content_of_an_envelope_may_be_as_long_as_a_plain_body(server: Server) {
        let (admin, session) = (admin(&server).await, Session::open(&server).await);
        let key = ServerKey::of(&server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, &body_of(MAX))).await).status, 200);
        assert_eq!(session.read(admin.send_in(&session, session.json(2, &body_of(MAX))).await).status, 200);
        let token = jwe(&key, &header(&server, &key, "1"), &body_of(MAX));
        assert_eq!(admin.send_token(token).await.plain().status, 200);
        let one_off = key.one_off(&Session::none(), 1, &body_of(MAX));
        assert_eq!(Session::none().read(admin.send_one_off(one_off).await).status, 200);
    }
);

on_both_databases!(
    async fn one_byte_more_is_too_large_in_every_form_and_changes_nothing(server: Server) {
        let (admin, session) = (admin(&server).await, Session::open(&server).await);
        let key = ServerKey::of(&server).await;
        let long = body_of(MAX + 1);
        let mut transcript = Transcript::default();
        let answer = admin.send_in(&session, session.binary(1, &long)).await;
        transcript.add("binary", &session.read(answer));
        let answer = admin.send_in(&session, session.json(2, &long)).await;
        transcript.add("JSON", &session.read(answer));
        let token = jwe(&key, &header(&server, &key, "1"), &long);
        transcript.add("JOSE", &admin.send_token(token).await.plain());
        let answer = admin.send_one_off(key.one_off(&Session::none(), 1, &long)).await;
        transcript.add("without a session", &Session::none().read(answer));
        transcript.add("plain, with the headers of an envelope", &admin.in_session(&session).body(long).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > binary
        > JSON
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4130","message":"Request body is too large"}

        > JOSE
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4130","message":"Request body is too large"}

        > without a session
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language
        x-sc-version: 2

        {"success":false,"code":"4130","message":"Request body is too large"}

        > plain, with the headers of an envelope
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4130","message":"Request body is too large"}
        "#);
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn an_envelope_that_is_too_large_is_not_opened(server: Server) {
        let (admin, session) = (admin(&server).await, Session::open(&server).await);
        let mut transcript = Transcript::default();
        let long = [b"SC\x02\x02".to_vec(), vec![7; MAX_ENVELOPE]].concat();
        transcript.add("binary", &admin.send_in(&session, long.clone()).await.plain());
        let json = format!(r#"{{"v":2,"p":"{}"}}"#, "A".repeat(MAX_ENVELOPE));
        transcript.add("JSON", &admin.send_in(&session, json).await.plain());
        transcript.add("JOSE", &admin.send_token("a.".repeat(MAX_ENVELOPE)).await.plain());
        let unannounced = admin.request("POST", UPDATE).json(vec![b'S'; MAX + 1]);
        transcript.add("without a header that announces it", &unannounced.send().await);
        insta::assert_snapshot!(transcript, @r#"
        > binary
        > JSON
        > JOSE
        > without a header that announces it
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4130","message":"Request body is too large"}
        "#);
    }
);

on_both_databases!(
    async fn a_message_that_would_cost_the_server_much_work_is_refused_like_any_other(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let good = header(&server, &key, "1");
        let mut transcript = Transcript::default();
        let iterations = with(&with(&good, "alg", json!("PBES2-HS512+A256KW")), "p2c", json!(1_000_000_000));
        for (what, token) in [
            ("inflating", jwe(&key, &with(&good, "zip", json!("DEF")), JANE)),
            ("iterating", jwe(&key, &iterations, JANE)),
            ("RSA1_5", jwe(&key, &with(&good, "alg", json!("RSA1_5")), JANE)),
            ("dir", jwe(&key, &with(&good, "alg", json!("dir")), JANE)),
            ("CBC", jwe(&key, &with(&good, "enc", json!("A256CBC-HS512")), JANE)),
            ("a deep header", jwe(&key, &with(&good, "x", deep(200)), JANE)),
            ("a long header", jwe(&key, &with(&good, "x", json!("x".repeat(9_000))), JANE)),
            ("dots", ".".repeat(90_000)),
            ("nothing", String::new()),
        ] {
            transcript.add(what, &admin.send_token(token).await.plain());
        }
        insta::assert_snapshot!(transcript, @r#"
        > inflating
        > iterating
        > RSA1_5
        > dir
        > CBC
        > a deep header
        > a long header
        > dots
        > nothing
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(admin.history().await, "");
    }
);

fn deep(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

on_both_databases!(
    async fn an_address_keeps_only_the_newest_unused_sessions(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SECURE_CHANNEL__ADDRESS_SESSIONS", "5")]).await;
        let admin = admin(&server).await;
        let limit = server.app.config().secure_channel.address_sessions;
        let used = Session::open(&server).await;
        assert_eq!(used.read(admin.send_in(&used, used.binary(1, JANE)).await).status, 200);
        let first = Session::open(&server).await;
        let key = ServerKey::of(&server).await;
        for _ in 0..limit - 1 {
            server.pass(Duration::from_millis(1));
            open_with(&server, &key).await;
        }
        assert_eq!(sessions(&server).await, limit + 1);
        server.pass(Duration::from_millis(1));
        let last = open_with(&server, &key).await;
        assert_eq!(sessions(&server).await, limit + 1);
        assert_eq!(admin.send_in(&first, first.binary(1, JOHN)).await.plain().status, 400);
        assert_eq!(used.read(admin.send_in(&used, used.binary(2, JOHN)).await).status, 200);
        assert_eq!(last.read(admin.send_in(&last, last.binary(1, JANE)).await).status, 200);
    }
);

/// Settings with a limit of four unused sessions, behind a proxy that reports the client's address.
const FOUR_UNUSED: [(&str, &str); 2] =
    [("SELFSAME__SECURE_CHANNEL__UNUSED_SESSIONS", "4"), ("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.1")];

on_both_databases!(
    async fn beyond_the_limit_of_unused_sessions_the_oldest_of_the_same_network_end_first(database: Database) {
        let server = Server::with(database, &FOUR_UNUSED).await;
        let key = ServerKey::of(&server).await;
        let other = open_from(&server, &key, "203.0.113.9").await;
        let mut busy = Vec::new();
        for host in 1..=6 {
            busy.push(open_from(&server, &key, &format!("2001:db8:0:1::{host}")).await);
        }
        assert_eq!(open_ones(&server, &busy).await, [false, false, false, true, true, true]);
        assert!(is_open(&server, &other).await, "a session of another network has ended");
        assert_eq!(sessions(&server).await, 4);
    }
);

on_both_databases!(
    async fn a_network_without_unused_sessions_ends_the_oldest_of_the_installation(database: Database) {
        let server = Server::with(database, &FOUR_UNUSED).await;
        let key = ServerKey::of(&server).await;
        let mut opened = Vec::new();
        for host in 1..=6 {
            opened.push(open_from(&server, &key, &format!("203.0.113.{host}")).await);
        }
        assert_eq!(open_ones(&server, &opened).await, [false, false, true, true, true, true]);
        assert_eq!(sessions(&server).await, 4);
    }
);

on_both_databases!(
    async fn a_session_that_an_account_has_used_neither_counts_as_unused_nor_ends_for_others(database: Database) {
        let server = Server::with(database, &FOUR_UNUSED).await;
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let mut used = Vec::new();
        for number in 1..=3 {
            let session = open_from(&server, &key, "203.0.113.1").await;
            assert_eq!(session.read(admin.send_in(&session, session.binary(number, "{}")).await).status, 200);
            used.push(session);
        }
        for host in [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7] {
            open_from(&server, &key, &format!("203.0.113.{host}")).await;
        }
        assert_eq!(open_ones(&server, &used).await, [true, true, true]);
        assert_eq!(sessions(&server).await, 3 + 4);
    }
);

on_both_databases!(
    async fn many_sessions_that_are_opened_at_once_stay_within_the_limit_of_unused_sessions(database: Database) {
        let server = Server::with(database, &FOUR_UNUSED).await;
        let key = ServerKey::of(&server).await;
        let opening = (1..=40).map(|host| opening(&server, &key, &Session::none(), &format!("203.0.113.{}", host % 7)));
        let opened = opening.map(Request::send).collect::<tokio::task::JoinSet<_>>().join_all().await;
        assert!(opened.iter().all(|answer| answer.status == 200));
        // Each further session ends as many as it takes, at most two.
        for _ in 0..40 {
            open_from(&server, &key, "203.0.113.8").await;
        }
        assert_eq!(sessions(&server).await, 4);
    }
);

on_both_databases!(
    async fn an_account_keeps_only_the_newest_sessions(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let limit = server.app.config().secure_channel.account_sessions;
        let mut opened = Vec::new();
        for _ in 0..=limit {
            server.pass(Duration::from_millis(1));
            let session = open_with(&server, &key).await;
            assert_eq!(session.read(admin.send_in(&session, session.binary(1, "{}")).await).status, 200);
            opened.push(session);
        }
        assert_eq!(sessions(&server).await, limit);
        assert_eq!(admin.send_in(&opened[0], opened[0].binary(2, JANE)).await.plain().status, 400);
        assert_eq!(opened[1].read(admin.send_in(&opened[1], opened[1].binary(2, JANE)).await).status, 200);
    }
);

on_both_databases!(
    async fn a_session_accepts_at_most_ten_thousand_messages(server: Server) {
        let (admin, session) = (admin(&server).await, Session::open(&server).await);
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        server.database().execute("UPDATE channel_session SET messages = 9999").await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(2, JOHN)).await).status, 200);
        let answer = admin.send_in(&session, session.binary(3, JANE)).await.plain();
        assert_eq!(answer.json()["message"], "Secure channel session not found");
        assert_eq!(admin.name().await, "John Admin");
    }
);

on_both_databases!(
    async fn expired_sessions_and_nonces_are_deleted(server: Server) {
        let (admin, session) = (admin(&server).await, Session::open(&server).await);
        let key = ServerKey::of(&server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        assert_eq!(admin.send_token(jwe(&key, &header(&server, &key, "1"), JOHN)).await.plain().status, 200);
        let counts = async || {
            server.app.store().forget_channels(server.app.now()).await.unwrap();
            let nonces = server.database().rows("SELECT count(*) FROM channel_nonce").await.join("");
            (sessions(&server).await, nonces)
        };
        assert_eq!(counts().await, (1, "2".to_owned()));
        server.pass(Duration::from_secs(11 * 60));
        assert_eq!(counts().await, (1, "1".to_owned()));
        server.pass(Duration::from_secs(24 * 60 * 60));
        assert_eq!(counts().await, (0, "0".to_owned()));
    }
);

async fn open_with(server: &Server, key: &ServerKey) -> Session {
    open_from(server, key, "").await
}

/// Opens a session a millisecond later, from an address that a trusted proxy reports.
async fn open_from(server: &Server, key: &ServerKey, address: &str) -> Session {
    server.pass(Duration::from_millis(1));
    let keys = Session::none();
    let answer = opening(server, key, &keys, address).send().await;
    Session { id: answer.json()["data"]["sessionId"].as_str().unwrap().to_owned(), ..keys }
}

fn opening(server: &Server, key: &ServerKey, keys: &Session, address: &str) -> Request {
    let body = key.opening(&keys.request_key, &keys.response_key).to_string();
    server.request("POST", &format!("{CHANNEL}/session")).header("X-Forwarded-For", address).json(body)
}

async fn sessions(server: &Server) -> usize {
    server.database().rows("SELECT count(*) FROM channel_session").await.join("").parse().unwrap()
}

async fn is_open(server: &Server, session: &Session) -> bool {
    let id = session.id.parse::<uuid::Uuid>().unwrap();
    server.app.store().channel_session(id.into_bytes(), &[]).await.unwrap().is_some()
}

async fn open_ones(server: &Server, opened: &[Session]) -> Vec<bool> {
    let mut open = Vec::new();
    for session in opened {
        open.push(is_open(server, session).await);
    }
    open
}

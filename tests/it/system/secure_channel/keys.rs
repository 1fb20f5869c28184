//! Keys and sessions: what is published, accepted and refused.

use super::*;

on_both_databases!(
    async fn the_published_keys_are_of_each_kind_and_the_same_in_both_places(server: Server) {
        let public = server.request("GET", &format!("{CHANNEL}/public-key")).send().await;
        assert_eq!((public.status.as_u16(), public.header("cache-control")), (200, "public, max-age=300"));
        let mut shown = public.json();
        let (id, key) = (shown["data"]["keyId"].take(), shown["data"]["publicKey"].take());
        assert_eq!((id.as_str().unwrap().len(), key.as_str().unwrap().len()), (43, 392));
        insta::assert_snapshot!(shown, @r#"{"code":"2000","data":{"algorithm":"RSA-OAEP-2048","createdAt":1774017000000,"expiresAt":null,"keyId":null,"keySize":2048,"publicKey":null},"message":"SUCCESS","success":true}"#);
        let set = server.request("GET", &format!("{CHANNEL}/jwks.json")).send().await;
        assert_eq!((set.status.as_u16(), set.header("content-type")), (200, "application/jwk-set+json"));
        let keys = set.json()["keys"].as_array().unwrap().clone();
        let names = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        let of = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_owned();
        let shapes =
            keys.iter().map(|key| format!("{} {} {}: {}", of(key, "kty"), of(key, "crv"), of(key, "use"), names(key)));
        insta::assert_snapshot!(shapes.collect::<Vec<_>>().join("\n"), @"
        RSA  enc: alg e kid kty n use
        EC P-256 enc: crv kid kty use x y
        OKP X25519 enc: crv kid kty use x
        ");
        assert_eq!(keys[0]["kid"], id);
        // The same key again: no second one is generated.
        assert_eq!(server.request("GET", &format!("{CHANNEL}/public-key")).send().await.json()["data"]["keyId"], id);
    }
);

on_both_databases!(
    async fn a_session_lasts_a_day(server: Server) {
        let key = ServerKey::of(&server).await;
        let opening = key.opening(&[1; 32], &[2; 32]).to_string();
        let answer = server.request("POST", &format!("{CHANNEL}/session")).json(opening).send().await;
        let id = answer.json()["data"]["sessionId"].as_str().unwrap().to_owned();
        insta::assert_snapshot!(answer.to_string().replace(&id, "ID"), @r#"
        200 OK
        cache-control: no-store
        content-type: application/json

        {"success":true,"code":"2000","message":"SUCCESS","data":{"sessionId":"ID","expiresAt":1774103400000}}
        "#);
        assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 4);
    }
);

on_both_databases!(
    async fn invalid_keys_of_a_session_are_refused(server: Server) {
        let key = ServerKey::of(&server).await;
        let good = key.opening(&[1; 32], &[2; 32]);
        let mut transcript = Transcript::default();
        for (what, body) in [
            ("no key", with(&good, "keyId", Value::Null)),
            ("an unknown key", with(&good, "keyId", json!("x"))),
            ("a number for a key", with(&good, "keyId", json!(7))),
            ("no key for requests", with(&good, "encReqKey", Value::Null)),
            ("no base64", with(&good, "encReqKey", json!("no base64"))),
            ("nothing encrypted", with(&good, "encRespKey", json!(""))),
            ("not for this key", with(&good, "encRespKey", json!("AAAA"))),
            ("short keys", key.opening(&[1; 16], &[2; 16])),
            ("long keys", key.opening(&[1; 33], &[2; 32])),
            ("equal keys", key.opening(&[1; 32], &[1; 32])),
        ] {
            let request = server.request("POST", &format!("{CHANNEL}/session")).json(body.to_string());
            transcript.add(what, &request.send().await);
        }
        let post = |body: &str| server.request("POST", &format!("{CHANNEL}/session")).json(body.to_owned());
        transcript.add("no object", &post("[]").send().await);
        transcript.add("nothing", &post("").send().await);
        transcript.add("too large", &post(&"x".repeat(8 * 1024 + 1)).send().await);
        transcript.add("no media type", &server.request("POST", &format!("{CHANNEL}/session")).body("{}").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > no key
        > an unknown key
        > a number for a key
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid or expired RSA key ID"}

        > no key for requests
        > no base64
        > nothing encrypted
        > not for this key
        > short keys
        > long keys
        > equal keys
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Failed to decrypt session keys"}

        > no object
        > nothing
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}

        > too large
        413 Payload Too Large
        connection: close
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4130","message":"Request body is too large"}

        > no media type
        415 Unsupported Media Type
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4150","message":"Unsupported content type"}
        "#);
        assert_eq!(server.database().rows("SELECT count(*) FROM channel_session").await, ["0"]);
    }
);

on_both_databases!(
    async fn closing_has_the_same_response_whether_or_not_the_session_exists(server: Server) {
        let session = Session::open(&server).await;
        let close = || server.request("POST", &format!("{CHANNEL}/session/close"));
        let mut transcript = Transcript::default();
        transcript.add("by header", &close().header("X-SC-Session-Id", &session.id).send().await);
        transcript.add("again", &close().header("X-SC-Session-Id", &session.id).send().await);
        let other = Session::open(&server).await;
        transcript.add("by body", &close().json(json!({"sessionId": other.id}).to_string()).send().await);
        transcript.add("nobody's", &close().json(r#"{"sessionId":"x"}"#).send().await);
        transcript.add("none", &close().send().await);
        transcript.add("malformed", &close().json("{").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > by header
        > again
        > by body
        > nobody's
        > none
        200 OK
        cache-control: no-store
        content-type: application/json

        {"success":true,"code":"2000","message":"SUCCESS","data":null}

        > malformed
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Request body is missing or malformed"}
        "#);
        assert_eq!(server.database().rows("SELECT count(*) FROM channel_session").await, ["0"]);
    }
);

on_both_databases!(
    async fn a_replaced_key_decrypts_for_a_week(server: Server) {
        let (admin, old) = (admin(&server).await, ServerKey::of(&server).await);
        let session = Session::open(&server).await;
        let names = server.app.channel_keys().rotate().await.unwrap();
        let new = ServerKey::of(&server).await;
        assert!(names.contains(&new.id) && names.len() == 3 && new.id != old.id);
        let keys = Session::none();
        assert_eq!(keys.read(admin.send_one_off(old.one_off(&keys, 1, JANE)).await).status, 200);
        assert_eq!(keys.read(admin.send_one_off(new.one_off(&keys, 2, JOHN)).await).status, 200);
        server.pass(Duration::from_secs(7 * 24 * 60 * 60));
        let admin = sign_in(&server, admin.account.clone()).await;
        assert_eq!(admin.send_one_off(old.one_off(&keys, 3, JANE)).await.plain().status, 400);
        let opening = old.opening(&[1; 32], &[2; 32]).to_string();
        let refused = server.request("POST", &format!("{CHANNEL}/session")).json(opening).send().await;
        assert_eq!(refused.json()["message"], "Invalid or expired RSA key ID");
        assert_eq!(keys.read(admin.send_one_off(new.one_off(&keys, 4, JANE)).await).status, 200);
        server.pass(Duration::from_secs(1));
        server.app.channel_keys().refresh().await.unwrap();
        assert_eq!(server.database().rows("SELECT count(*) FROM channel_key").await, ["3"]);
        assert_eq!(admin.send_in(&session, session.binary(1, JANE)).await.plain().status, 400);
    }
);

on_both_databases!(
    async fn a_key_of_another_instance_decrypts_here(server: Server) {
        let admin = admin(&server).await;
        ServerKey::of(&server).await;
        let other = server.other_instance().await;
        let names = other.channel_keys().rotate().await.unwrap();
        server.pass(Duration::from_secs(1));
        server.app.channel_keys().refresh().await.unwrap();
        let key = ServerKey::of(&server).await;
        assert_eq!(key.id, names[0]);
        let keys = Session::none();
        assert_eq!(keys.read(admin.send_one_off(key.one_off(&keys, 1, JANE)).await).status, 200);
    }
);

on_both_databases!(
    async fn the_database_shows_neither_private_keys_nor_session_keys(server: Server) {
        let session = Session::open(&server).await;
        let database = server.database();
        let all = [
            database.rows("SELECT * FROM channel_key").await.join("\n"),
            database.rows("SELECT * FROM channel_session").await.join("\n"),
        ];
        let all = all.join("\n").into_bytes();
        assert!(!all.windows(32).any(|bytes| bytes == session.request_key || bytes == session.response_key));
        let hexadecimal = "01".repeat(32);
        assert!(!String::from_utf8_lossy(&all).contains(&hexadecimal));
        for secret in ["\"d\"", "\"p\"", "PRIVATE"] {
            assert!(!String::from_utf8_lossy(&all).contains(secret), "{secret}");
        }
    }
);

on_both_databases!(
    async fn a_key_that_cannot_be_read_is_an_internal_error_in_the_protocols_form(server: Server) {
        let other = server.other_instance().await;
        other.channel_keys().rotate().await.unwrap();
        server.database().execute("UPDATE channel_key SET kind = 'other'").await;
        let mut transcript = Transcript::default();
        for path in ["public-key", "jwks.json"] {
            transcript.add(path, &server.request("GET", &format!("{CHANNEL}/{path}")).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > public-key
        > jwks.json
        500 Internal Server Error
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"5000","message":"Failed to retrieve public key"}
        "#);
    }
);

//! Messages in JOSE form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::jose::{AgreementKey, Curve, Message, PrivateKey};

use super::*;

on_both_databases!(
    async fn a_change_in_a_token_is_made_and_its_response_is_not_encrypted(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let token = jwe(&key, &header(&server, &key, "1"), JANE);
        insta::assert_snapshot!(admin.send_token(token).await.plain(), @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"Jane Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
        let token = jwe(&key, &header(&server, &key, "2"), r#"{"accountName":7}"#);
        insta::assert_snapshot!(admin.send_token(token).await.plain(), @r#"
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}
        "#);
        assert_eq!(admin.stored().await.version, 2);
    }
);

on_both_databases!(
    async fn the_flattened_form_is_read_too(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let compact = jwe(&key, &header(&server, &key, "1"), JANE);
        let send = async |body: Value| {
            let request = admin.request("POST", UPDATE).header("Content-Type", "application/jose+json");
            request.body(body.to_string()).send().await
        };
        let good = flattened(&compact);
        let mut transcript = Transcript::default();
        for (what, body) in [
            ("an algorithm outside", with(&good, "header", json!({"alg": "RSA-OAEP-256"}))),
            ("a key twice", with(&good, "header", json!({"kid": key.id}))),
            ("an unknown member", with(&good, "x", json!(1))),
            ("no tag", with(&good, "tag", Value::Null)),
            ("more data to authenticate", with(&good, "aad", json!("AAAA"))),
            ("several recipients", json!({"protected": good["protected"], "recipients": []})),
            ("no object", json!([])),
        ] {
            transcript.add(what, &send(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > an algorithm outside
        > a key twice
        > an unknown member
        > no tag
        > more data to authenticate
        > several recipients
        > no object
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(send(good).await.json()["data"]["accountName"], "Jane Admin");
    }
);

on_both_databases!(
    async fn every_invalid_token_gets_the_same_response(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let (good, now) = (header(&server, &key, "1"), server.app.now().as_second());
        let mut transcript = Transcript::default();
        for (what, header) in [
            ("no key", with(&good, "kid", json!("x"))),
            ("no time", with(&good, "iat", Value::Null)),
            ("a time in words", with(&good, "iat", json!("now"))),
            ("before the window", with(&good, "iat", json!(now - 301))),
            ("behind the window", with(&good, "iat", json!(now + 301))),
            ("no identifier", with(&good, "jti", Value::Null)),
            ("an empty identifier", with(&good, "jti", json!(""))),
            ("a long identifier", with(&good, "jti", json!("x".repeat(256)))),
            ("something critical", with(&good, "crit", json!(["exp"]))),
            ("nothing critical", with(&good, "crit", json!([]))),
            ("a key for the answer that is none", with(&good, "reply_jwk", json!({"kty": "EC"}))),
            ("a private key for the answer", with(&good, "reply_jwk", private_jwk())),
        ] {
            transcript.add(what, &admin.send_token(jwe(&key, &header, JANE)).await.plain());
        }
        let token = jwe(&key, &good, JANE);
        for part in 0..5 {
            let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
            let other = if parts[part].starts_with('A') { "B" } else { "A" };
            parts[part].replace_range(..1, other);
            transcript.add(format!("part {part} changed"), &admin.send_token(parts.join(".")).await.plain());
        }
        for (what, token) in [
            ("four parts", token.rsplit_once('.').unwrap().0.to_owned()),
            ("six parts", format!("{token}.")),
            ("padding", format!("{token}=")),
            ("a line break", format!("{token}\n")),
        ] {
            transcript.add(what, &admin.send_token(token).await.plain());
        }
        insta::assert_snapshot!(transcript, @r#"
        > no key
        > no time
        > a time in words
        > before the window
        > behind the window
        > no identifier
        > an empty identifier
        > a long identifier
        > something critical
        > nothing critical
        > a key for the answer that is none
        > a private key for the answer
        > part 0 changed
        > part 1 changed
        > part 2 changed
        > part 3 changed
        > part 4 changed
        > four parts
        > six parts
        > padding
        > a line break
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(admin.history().await, "");
        assert_eq!(admin.send_token(token).await.plain().status, 200);
    }
);

on_both_databases!(
    async fn a_token_is_accepted_once_whichever_account_sends_it(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let other = sign_in(&server, server.person(&[]).await).await;
        let token = jwe(&key, &header(&server, &key, "1"), JANE);
        assert_eq!(admin.send_token(token.clone()).await.plain().status, 200);
        let mut transcript = Transcript::default();
        transcript.add("again", &admin.send_token(token.clone()).await.plain());
        transcript.add("from another account", &other.send_token(token.clone()).await.plain());
        let same = jwe(&key, &header(&server, &key, "1"), JOHN);
        transcript.add("another text, the same identifier", &admin.send_token(same).await.plain());
        server.pass(Duration::from_secs(299));
        transcript.add("at the end of the window", &admin.send_token(token.clone()).await.plain());
        server.pass(Duration::from_secs(2));
        server.app.store().forget_channels(server.app.now()).await.unwrap();
        transcript.add("behind the window", &admin.send_token(token).await.plain());
        insta::assert_snapshot!(transcript, @r#"
        > again
        > from another account
        > another text, the same identifier
        > at the end of the window
        > behind the window
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!((admin.stored().await.version, other.name().await.as_str()), (2, ""));
    }
);

on_both_databases!(
    async fn a_response_is_encrypted_to_the_key_in_the_request_if_accepted(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        for (number, curve) in [Curve::P256, Curve::X25519].into_iter().enumerate() {
            for algorithm in [None, Some("ECDH-ES"), Some("ECDH-ES+A256KW")] {
                let ours = AgreementKey::read(curve, &[5; 32]).unwrap();
                let mut jwk: Value = serde_json::from_str(&to_text(&ours)).unwrap();
                jwk["kid"] = json!("mine");
                if let Some(algorithm) = algorithm {
                    jwk["alg"] = json!(algorithm);
                }
                let id = format!("{number} {algorithm:?}");
                let header = with(&header(&server, &key, &id), "reply_jwk", jwk);
                let request =
                    admin.request("POST", UPDATE).header("Accept", "application/json, application/jose;q=0.5");
                let request = request.header("Content-Type", "application/jose");
                let answer = request.body(jwe(&key, &header, r#"{"accountName":7}"#)).send().await;
                assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, "application/jose"));
                let message = Message::compact(answer.body.as_bytes()).unwrap();
                let said = message.header();
                let text = |name: &str| said.get(name).and_then(|value| value.as_str()).unwrap_or_default();
                assert_eq!(text("alg"), algorithm.unwrap_or("ECDH-ES"));
                assert_eq!(
                    (text("enc"), text("kid"), text("jti"), text("cty")),
                    ("A256GCM", "mine", id.as_str(), "application/json")
                );
                let opened = message.open(&PrivateKey::agreement(curve, &[5; 32]).unwrap(), [0; 32]).unwrap();
                insta::assert_snapshot!(String::from_utf8(opened).unwrap(), @r#"{"success":false,"code":"4000","message":"Invalid request parameters","data":{"accountName":["must be a string"]}}"#);
            }
        }
    }
);

on_both_databases!(
    async fn a_response_is_plain_unless_the_request_has_a_key_and_accepts_jose(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let jwk: Value = serde_json::from_str(&to_text(&AgreementKey::read(Curve::X25519, &[5; 32]).unwrap())).unwrap();
        let plain = header(&server, &key, "1");
        for (number, (accept, header)) in [
            ("application/jose", plain.clone()),
            ("application/json", with(&plain, "reply_jwk", jwk.clone())),
            ("*/*", with(&plain, "reply_jwk", jwk.clone())),
            ("application/jose;q=0", with(&plain, "reply_jwk", jwk)),
        ]
        .into_iter()
        .enumerate()
        {
            let token = jwe(&key, &with(&header, "jti", json!(number.to_string())), "{}");
            let request = admin.request("POST", UPDATE).header("Content-Type", "application/jose");
            let answer = request.header("Accept", accept).body(token).send().await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"), "{accept}");
        }
    }
);

on_both_databases!(
    async fn an_invalid_response_key_changes_nothing(server: Server) {
        let (admin, key) = (admin(&server).await, ServerKey::of(&server).await);
        let zero = URL_SAFE_NO_PAD.encode([0; 32]);
        let mut transcript = Transcript::default();
        for (what, jwk) in [
            ("not on P-256", json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero})),
            ("of small order", json!({"kty": "OKP", "crv": "X25519", "x": zero})),
        ] {
            let header = with(&header(&server, &key, what), "reply_jwk", jwk);
            let request = admin.request("POST", UPDATE).header("Content-Type", "application/jose");
            transcript
                .add(what, &request.header("Accept", "application/jose").body(jwe(&key, &header, JANE)).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > not on P-256
        > of small order
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(admin.history().await, "");
    }
);

fn flattened(compact: &str) -> Value {
    let parts: Vec<&str> = compact.split('.').collect();
    json!({"protected": parts[0], "encrypted_key": parts[1], "iv": parts[2], "ciphertext": parts[3], "tag": parts[4]})
}

fn private_jwk() -> Value {
    let mut jwk: Value = serde_json::from_str(&to_text(&AgreementKey::read(Curve::P256, &[5; 32]).unwrap())).unwrap();
    jwk["d"] = json!(URL_SAFE_NO_PAD.encode([5; 32]));
    jwk
}

/// The public half of a key as a JWK.
fn to_text(key: &AgreementKey) -> String {
    selfsame::json::Value::Object(key.public().unwrap().jwk()).to_text()
}

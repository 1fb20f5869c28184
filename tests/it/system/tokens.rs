//! Valid and invalid tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use selfsame::account::{AccountId, Contract};
use selfsame::identity::Grant;

use super::{AuthenticatedPerson, DEVICE, PROFILE, admin};
use crate::support::forge::{Forge, message, signed};
use crate::support::{Answer, Database, HOUR, Server, Transcript};

/// Reads a profile with a token.
async fn read(server: &Server, token: &str) -> Answer {
    server.request("GET", PROFILE).bearer(token).header("X-Client-Hash", DEVICE).send().await
}

/// A person, and an attacker with the issuer's key.
async fn forger(server: &Server) -> (AuthenticatedPerson<'_>, Forge) {
    (admin(server).await, Forge::of(server).await)
}

on_both_databases!(
    async fn a_forged_token_without_changes_is_accepted(server: Server) {
        // Proves that the refusals below are due to the change in each token.
        let (admin, forge) = forger(&server).await;
        assert_eq!(read(&server, &forge.token(&admin.account, json!({}))).await.status, 200);
    }
);

on_both_databases!(
    async fn a_string_that_is_not_a_token_is_refused(server: Server) {
        let token = admin(&server).await.token;
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = rest.split_once('.').unwrap();
        let mut transcript = Transcript::default();
        for (name, token) in [
            ("garbage", "garbage".to_owned()),
            ("dots", "..".to_owned()),
            ("no signature", rest.to_owned()),
            ("an empty signature", format!("{rest}.")),
            ("four parts", format!("{token}.{signature}")),
            ("five parts", format!("{header}.{claims}.{claims}.{claims}.{signature}")),
            ("padding", format!("{token}==")),
            ("no header", format!(".{claims}.{signature}")),
            ("no claims", format!("{header}..{signature}")),
            ("a header that is not JSON", format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode("x"))),
            ("a header that is an array", format!("{}.{claims}.{signature}", URL_SAFE_NO_PAD.encode("[]"))),
        ] {
            transcript.add(name, &read(&server, &token).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > garbage
        > dots
        > no signature
        > an empty signature
        > four parts
        > five parts
        > padding
        > no header
        > no claims
        > a header that is not JSON
        > a header that is an array
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn a_token_without_a_valid_signature_of_the_issuer_is_refused(server: Server) {
        let (admin, forge) = forger(&server).await;
        let (good, claims) = (forge.header(json!({})), forge.claims(&admin.account, json!({})));
        let token = forge.sign(&good, &claims);
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" }.to_owned() + &signature[1..];
        let other_claims = forge.claims(&admin.account, json!({ "jti": "other" }));
        let stranger = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap();
        let stranger = EncodingKey::from_ed_der(stranger.as_ref());
        let public: Value = serde_json::from_str(&forge.public_key).unwrap();
        let point = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
        let hs256 = forge.header(json!({ "alg": "HS256" }));
        let with_secret = |secret: &[u8]| signed(&hs256, &claims, &EncodingKey::from_secret(secret), Algorithm::HS256);

        let mut transcript = Transcript::default();
        for (name, token) in [
            ("a flipped bit", format!("{rest}.{flipped}")),
            ("a short signature", format!("{rest}.{}", &signature[..40])),
            ("other claims", format!("{}.{signature}", message(&good, &other_claims))),
            ("another key", signed(&good, &claims, &stranger, Algorithm::EdDSA)),
            ("alg none", format!("{}.", message(&forge.header(json!({ "alg": "none" })), &claims))),
            ("alg NONE, signed", forge.sign(&forge.header(json!({ "alg": "NONE" })), &claims)),
            ("HS256 with the public key", with_secret(&point)),
            ("HS256 with the published key", with_secret(forge.public_key.as_bytes())),
            ("HS256 with nothing", with_secret(b"")),
            ("alg ES256", forge.sign(&forge.header(json!({ "alg": "ES256" })), &claims)),
            ("alg eddsa", forge.sign(&forge.header(json!({ "alg": "eddsa" })), &claims)),
            ("no alg", forge.sign(&forge.header(json!({ "alg": null })), &claims)),
            ("alg as a list", forge.sign(&forge.header(json!({ "alg": ["EdDSA"] })), &claims)),
        ] {
            transcript.add(name, &read(&server, &token).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > a flipped bit
        > a short signature
        > other claims
        > another key
        > alg none
        > alg NONE, signed
        > HS256 with the public key
        > HS256 with the published key
        > HS256 with nothing
        > alg ES256
        > alg eddsa
        > no alg
        > alg as a list
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn a_header_that_names_another_key_or_contains_one_is_refused(server: Server) {
        let (admin, forge) = forger(&server).await;
        let public: Value = serde_json::from_str(&forge.public_key).unwrap();
        let mut transcript = Transcript::default();
        for changes in [
            json!({ "kid": null }),
            json!({ "kid": "" }),
            json!({ "kid": "other" }),
            json!({ "kid": 1 }),
            json!({ "kid": "../../secret.key" }),
            json!({ "kid": "/dev/null" }),
            json!({ "kid": "' OR '1'='1" }),
            json!({ "kid": "x'; DROP TABLE signing_key; --" }),
            json!({ "kid": "x\u{0}" }),
            json!({ "kid": "http://127.0.0.1/keys" }),
            json!({ "kid": "k".repeat(4000) }),
            json!({ "jwk": public }),
            json!({ "jku": "http://127.0.0.1/keys" }),
            json!({ "x5u": "http://127.0.0.1/chain" }),
            json!({ "x5c": ["MIIB"] }),
            json!({ "crit": ["exp"], "exp": 1 }),
            json!({ "crit": [] }),
            json!({ "b64": false }),
            json!({ "b64": true }),
        ] {
            // Longer than the pause between two lookups, so that the database is queried for every unknown key.
            server.pass(Duration::from_secs(2));
            let token = forge.sign(&forge.header(changes.clone()), &forge.claims(&admin.account, json!({})));
            let name = changes.to_string().chars().take(60).collect::<String>();
            let name = if changes.get("jwk").is_some() { "jwk: the right key".to_owned() } else { name };
            transcript.add(name, &read(&server, &token).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"kid":null}
        > {"kid":""}
        > {"kid":"other"}
        > {"kid":1}
        > {"kid":"../../secret.key"}
        > {"kid":"/dev/null"}
        > {"kid":"' OR '1'='1"}
        > {"kid":"x'; DROP TABLE signing_key; --"}
        > {"kid":"x\u0000"}
        > {"kid":"http://127.0.0.1/keys"}
        > {"kid":"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
        > jwk: the right key
        > {"jku":"http://127.0.0.1/keys"}
        > {"x5u":"http://127.0.0.1/chain"}
        > {"x5c":["MIIB"]}
        > {"crit":["exp"],"exp":1}
        > {"crit":[]}
        > {"b64":false}
        > {"b64":true}
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
        assert_eq!(admin.read().await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_is_valid_from_nbf_to_exp_with_a_minute_of_leeway(server: Server) {
        let (admin, forge) = forger(&server).await;
        let now = forge.now();
        let mut transcript = Transcript::default();
        for (name, changes) in [
            ("expired", json!({ "exp": now - 3600 })),
            ("expired a minute ago", json!({ "exp": now - 60 })),
            ("no end", json!({ "exp": null })),
            ("an end in words", json!({ "exp": "2100-01-01T00:00:00Z" })),
            ("an end beyond all calendars", json!({ "exp": 1e300 })),
            ("not before an hour", json!({ "nbf": now + 3600 })),
            ("not before a minute and a second", json!({ "nbf": now + 61 })),
            ("issued in an hour", json!({ "iat": now + 3600 })),
            ("issued in a minute and a second", json!({ "iat": now + 61 })),
        ] {
            transcript.add(name, &read(&server, &forge.token(&admin.account, changes)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > expired
        > expired a minute ago
        > no end
        > an end in words
        > an end beyond all calendars
        > not before an hour
        > not before a minute and a second
        > issued in an hour
        > issued in a minute and a second
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
        for changes in [json!({ "exp": now - 59 }), json!({ "nbf": now + 60, "iat": now + 60 }), json!({ "iat": null })]
        {
            assert_eq!(read(&server, &forge.token(&admin.account, changes.clone())).await.status, 200, "{changes}");
        }
    }
);

on_both_databases!(
    async fn a_token_expires(server: Server) {
        let admin = admin(&server).await;
        assert_eq!(admin.read().await.status, 200);
        server.pass(HOUR + Duration::from_secs(59));
        assert_eq!(admin.read().await.status, 200);
        server.pass(Duration::from_secs(1));
        assert_eq!(admin.read().await.status, 401);
    }
);

on_both_databases!(
    async fn claims_other_than_those_of_the_issuers_access_tokens_are_refused(server: Server) {
        let (admin, forge) = forger(&server).await;
        let mut transcript = Transcript::default();
        for changes in [
            json!({ "iss": "https://issuer.example" }),
            json!({ "iss": null }),
            json!({ "iss": ["x"] }),
            json!({ "sub": null }),
            json!({ "sub": "" }),
            json!({ "sub": "admin@example.com" }),
            json!({ "sub": 1 }),
            json!({ "sub": "' OR '1'='1" }),
            json!({ "scope": null }),
            json!({ "aud": { "system": true } }),
            json!({ "jti": 1 }),
            json!({ "portal": 10010101 }),
            json!({ "nonce": "n" }),
            json!({ "at_hash": "h" }),
            json!({ "azp": "portal", "scope": null }),
            json!({ "typ": "ID" }),
            json!({ "token_use": "id" }),
        ] {
            transcript.add(changes.to_string(), &read(&server, &forge.token(&admin.account, changes)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"iss":"https://issuer.example"}
        > {"iss":null}
        > {"iss":["x"]}
        > {"sub":null}
        > {"sub":""}
        > {"sub":"admin@example.com"}
        > {"sub":1}
        > {"sub":"' OR '1'='1"}
        > {"scope":null}
        > {"aud":{"system":true}}
        > {"jti":1}
        > {"portal":10010101}
        > {"nonce":"n"}
        > {"at_hash":"h"}
        > {"azp":"portal","scope":null}
        > {"typ":"ID"}
        > {"token_use":"id"}
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
        // An empty claim is absent.
        let empty = json!({ "portal": "", "nonce": "", "at_hash": null });
        assert_eq!(read(&server, &forge.token(&admin.account, empty)).await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_of_another_type_is_refused(server: Server) {
        let (admin, forge) = forger(&server).await;
        let typed =
            |said: Value| forge.sign(&forge.header(json!({ "typ": said })), &forge.claims(&admin.account, json!({})));
        let mut transcript = Transcript::default();
        for said in
            [json!("id+jwt"), json!("dpop+jwt"), json!("logout+jwt"), json!("secevent+jwt"), json!(""), json!(1)]
        {
            transcript.add(said.to_string(), &read(&server, &typed(said)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > "id+jwt"
        > "dpop+jwt"
        > "logout+jwt"
        > "secevent+jwt"
        > ""
        > 1
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
        for said in [json!("at+jwt"), json!("application/at+jwt"), json!("JWT"), json!("jwt"), Value::Null] {
            assert_eq!(read(&server, &typed(said.clone())).await.status, 200, "{said}");
        }
    }
);

on_both_databases!(
    async fn a_token_of_more_than_16_kib_is_refused_unread(server: Server) {
        let (admin, forge) = forger(&server).await;
        let padded = |length: usize| forge.token(&admin.account, json!({ "padding": "x".repeat(length) }));
        let (fits, larger) = (11_000..)
            .map(|length| (padded(length), padded(length + 1)))
            .find(|(_, next)| next.len() > 16_384)
            .unwrap();
        assert!(fits.len() > 16_380, "{}", fits.len());
        assert_eq!(read(&server, &fits).await.status, 200);
        assert_eq!(read(&server, &larger).await.to_string(), read(&server, "garbage").await.to_string());
    }
);

on_both_databases!(
    async fn a_token_for_another_audience_or_portal_is_denied(server: Server) {
        let (admin, forge) = forger(&server).await;
        let mut transcript = Transcript::default();
        let rivergen = server.token(&admin.account, Contract::RiverGen).await;
        transcript.add("a token for RiverGen", &read(&server, &rivergen).await);
        for changes in [
            json!({ "aud": "rivergen" }),
            json!({ "aud": "an-application" }),
            json!({ "aud": ["rivergen", "an-application"] }),
            json!({ "aud": [] }),
            json!({ "aud": null }),
            json!({ "aud": "System" }),
            json!({ "aud": "system " }),
            json!({ "portal": "TENANT" }),
            json!({ "portal": "PARTNER" }),
            json!({ "portal": "CONSUMER" }),
            json!({ "portal": "system" }),
        ] {
            transcript.add(changes.to_string(), &read(&server, &forge.token(&admin.account, changes)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > a token for RiverGen
        > {"aud":"rivergen"}
        > {"aud":"an-application"}
        > {"aud":["rivergen","an-application"]}
        > {"aud":[]}
        > {"aud":null}
        > {"aud":"System"}
        > {"aud":"system "}
        > {"portal":"TENANT"}
        > {"portal":"PARTNER"}
        > {"portal":"CONSUMER"}
        > {"portal":"system"}
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}
        "#);
        for changes in [json!({ "aud": ["rivergen", "system"] }), json!({ "portal": "SYSTEM" })] {
            assert_eq!(read(&server, &forge.token(&admin.account, changes.clone())).await.status, 200, "{changes}");
        }
    }
);

on_both_databases!(
    async fn a_token_of_an_unknown_account_is_refused(server: Server) {
        let account = AccountId(server.app.new_id());
        let grant = Grant { account, contract: Contract::System, scope: None, client_hash: None, lifetime: HOUR };
        insta::assert_snapshot!(read(&server, &server.issue(grant).await.token).await, @r#"
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn a_revoked_token_is_refused_and_others_stay_valid(server: Server) {
        let admin = admin(&server).await;
        let grant = Grant {
            account: admin.account.id,
            contract: Contract::System,
            scope: None,
            client_hash: None,
            lifetime: HOUR,
        };
        let issued = server.issue(grant).await;
        assert_eq!(read(&server, &issued.token).await.status, 200);
        let revocation = server.app.keys().revocation(server.app.issuer().name(), &issued.token_id);
        server.app.store().revoke_token(None, revocation, issued.expires_at).await.unwrap();
        insta::assert_snapshot!(read(&server, &issued.token).await, @r#"
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
        assert_eq!(admin.read().await.status, 200);
    }
);

on_both_databases!(
    async fn all_tokens_of_an_account_can_be_revoked_and_a_later_one_of_the_same_second_is_valid(server: Server) {
        let (admin, other) = (admin(&server).await, admin(&server).await);
        server.pass(Duration::from_millis(300));
        let same_second = server.token(&admin.account, Contract::System).await;
        let undated = Forge::of(&server).await.token(&admin.account, json!({ "iat": null }));
        server.pass(Duration::from_millis(300));
        server.app.store().revoke_tokens_before(admin.account.id, server.app.now()).await.unwrap();
        for token in [&admin.token, &same_second, &undated] {
            assert_eq!(read(&server, token).await.status, 401);
        }
        let fresh = server.token(&admin.account, Contract::System).await;
        assert_eq!(read(&server, &fresh).await.status, 200);
        server.pass(Duration::from_secs(5));
        assert_eq!(read(&server, &fresh).await.status, 200);
        assert_eq!(admin.read().await.status, 401);
        assert_eq!(other.read().await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_issued_in_the_second_of_a_revocation_is_valid_at_once_even_without_leeway(database: Database) {
        let server = Server::with(database, &[("SELFSAME__ISSUER__LEEWAY", "0s")]).await;
        let admin = admin(&server).await;
        server.pass(Duration::from_millis(300));
        server.app.store().revoke_tokens_before(admin.account.id, server.app.now()).await.unwrap();
        assert_eq!(admin.read().await.status, 401);
        let fresh = server.token(&admin.account, Contract::System).await;
        assert_eq!(read(&server, &fresh).await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_outlives_the_rotation_of_its_key(server: Server) {
        let admin = admin(&server).await;
        server.app.issuer().rotate().await.unwrap();
        assert_eq!(admin.read().await.status, 200);
        let fresh = server.token(&admin.account, Contract::System).await;
        let key_of = |token: &str| token.split('.').next().unwrap().to_owned();
        assert_ne!(key_of(&fresh), key_of(&admin.token));
        assert_eq!(read(&server, &fresh).await.status, 200);
    }
);

//! Which of an issuer's published keys are used.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::support::signing::{message, with_signature};

/// The modulus of an RSA key of 1024 bits, and a token that it signed: the tests' library does not generate such keys.
const SMALL_MODULUS: &str = "y_gqR9BRsj87lNtHbzb01Hahu9j5H6i04RNlzONXszp5m4M970jnvNjNDBEUHAEbR8VzFPDv4TSOwcgCA6VNoFLl7OUCKBOVqBfYmgkYbdjR8MWCfPA7gFQNT4VgQAUlg6YercYAUkWDqkMqt92lP2eTzEjH0aDFMtbqHQ-3kLc";
const SMALL_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6InNtYWxsIn0.\
    eyJpc3MiOiJodHRwczovL3NtYWxsLmV4YW1wbGUiLCJzdWIiOiJhbGljZSIsImF1ZCI6Imh0dHBzOi8vc2VsZnNhbWUuZXhhbXBsZSIsImV4cCI6MTc3NDEwNDAwMCwic2NvcGUiOiJwcm9maWxlIn0.\
    KoSyU8zBMd90cobggTpzyGRMaSgk_pkkYySmK4ft8iKxKezv9eBFkoWT5mJeg4w8nZGY8ZgQOeR1NyXuT_AKButZTHofoZTn0acToprqcGhxjqmVmKCGQYQEa6SU5lzBBLpEXQdmp5e_s3QsYDiaop9g2ibNsh166TGPol9M_uc";

/// Publishes keys and lets the server fetch them.
pub(crate) async fn publish(world: &World, keys: Vec<Value>) {
    world.provider.publish(keys);
    world.server.pass(Duration::from_secs(2 * 60 * 60));
    fetch_keys(&world.server).await;
}

/// Proves that a key is used until its JWK is changed in this way.
fn unusable(change: impl FnOnce(&mut Value)) {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let key = Key::p256("other");
        publish(&world, vec![world.p256.jwk(), key.jwk()]).await;
        assert_eq!(world.read(&key.token("ES256", &world.claims())).await.status, 200);
        let mut changed = key.jwk();
        change(&mut changed);
        publish(&world, vec![world.p256.jwk(), changed]).await;
        assert_eq!(world.read(&key.token("ES256", &world.claims())).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

#[test]
fn a_key_for_encryption_is_not_used() {
    unusable(|jwk| jwk["use"] = json!("enc"));
}

#[test]
fn a_key_for_an_unknown_use_is_not_used() {
    unusable(|jwk| jwk["use"] = json!("tls"));
}

#[test]
fn a_key_that_is_not_for_verifying_is_not_used() {
    unusable(|jwk| jwk["key_ops"] = json!(["encrypt", "wrapKey"]));
    unusable(|jwk| jwk["key_ops"] = json!(["sign"]));
    unusable(|jwk| jwk["key_ops"] = json!([]));
}

#[test]
fn a_key_for_another_algorithm_is_not_used() {
    for algorithm in ["ES384", "RS256", "HS256", "none", "ES256K", "ECDH-ES"] {
        unusable(|jwk| jwk["alg"] = json!(algorithm));
    }
}

#[test]
fn a_key_without_kind_is_not_used() {
    unusable(|jwk| drop(jwk.as_object_mut().unwrap().remove("kty")));
}

#[test]
fn a_key_under_another_name_is_not_used() {
    unusable(|jwk| jwk["kid"] = json!("Other"));
}

#[test]
fn a_point_that_is_not_on_its_curve_is_not_used() {
    unusable(|jwk| jwk["y"] = jwk["x"].clone());
}

#[test]
fn a_key_with_use_algorithm_and_operations_is_used() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let mut jwk = world.p256.jwk();
        jwk["use"] = json!("sig");
        jwk["alg"] = json!("ES256");
        jwk["key_ops"] = json!(["verify"]);
        publish(&world, vec![jwk]).await;
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

#[test]
fn a_shared_secret_among_the_keys_is_not_used() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let secret = [7; 32];
        let jwk = json!({"kty": "oct", "kid": "secret", "k": URL_SAFE_NO_PAD.encode(secret), "alg": "HS256"});
        publish(&world, vec![world.p256.jwk(), jwk]).await;
        let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": "secret"}).to_string();
        let message = message(&header, &world.claims().to_string());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        assert_eq!(world.read(&with_signature(&message, tag.as_ref())).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

/// RFC 7517 §5: an unsupported key is ignored, and the rest of the set is used.
#[test]
fn an_unsupported_key_does_not_affect_the_others() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        for strange in [
            json!({"kty": "EC", "kid": "k", "crv": "secp256k1", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "kid": "k", "crv": "X25519", "x": "AA"}),
            json!({"kty": "AKP", "kid": "k", "alg": "ML-DSA-44", "pub": "AA"}),
            json!({"kty": "RSA", "kid": 7, "n": "AA", "e": "AQAB"}),
            json!({"kty": "EC", "kid": "k", "crv": "P-256", "x": "!", "y": "!"}),
            json!({"kty": "RSA", "kid": "k", "use": ["sig"], "n": "AA", "e": "AQAB"}),
            json!(null),
            json!("key"),
        ] {
            let fresh = Key::p256("fresh");
            publish(&world, vec![strange.clone(), fresh.jwk()]).await;
            let answer = world.read(&fresh.token("ES256", &world.claims())).await;
            assert_eq!(answer.status, 200, "{strange}");
        }
    });
}

#[test]
fn two_keys_of_one_name_are_distinguished_by_their_kind() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let (one, other) = (Key::p384("same"), Key::p256("same"));
        publish(&world, vec![one.jwk(), other.jwk()]).await;
        assert_eq!(world.read(&one.token("ES384", &world.claims())).await.status, 200);
        assert_eq!(world.read(&other.token("ES256", &world.claims())).await.status, 200);
    });
}

#[test]
fn a_token_without_key_name_is_refused_when_two_keys_fit() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        publish(&world, vec![world.p256.jwk(), Key::p256("other").jwk()]).await;
        let header = json!({"alg": "ES256", "typ": "at+jwt"}).to_string();
        let nameless = world.p256.token_of(&header, &world.claims().to_string());
        assert_eq!(world.read(&nameless).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

#[test]
fn an_rsa_key_of_1024_bits_is_not_used() {
    on_sqlite(async |database| {
        let good = Key::p256("good");
        let small = json!({"kty": "RSA", "kid": "small", "n": SMALL_MODULUS, "e": "AQAB"});
        let provider = Provider::start(vec![small, good.jwk()]).await;
        let issuer = "https://small.example";
        let settings = trust("SMALL", issuer, &[("JWKS_URI", &provider.url("/keys"))]);
        let server = Server::with(database, &borrowed(&settings)).await;
        let account = server.person(&[]).await;
        link(&server, &account, issuer, "alice").await;
        let read = async |token: &str| server.request("GET", PROFILE).bearer(token).send().await;
        assert_eq!(read(&good.token("ES256", &claims(&server, issuer, "alice"))).await.status, 200);
        assert_eq!(read(SMALL_TOKEN).await.to_string(), REFUSED);
    });
}

#[test]
fn keys_may_come_from_a_file() {
    on_sqlite(async |database| {
        let key = Key::ed25519("filed");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json!({"keys": [key.jwk()]}).to_string()).unwrap();
        let issuer = "urn:example:issuer";
        let settings = trust("FILED", issuer, &[("JWKS_FILE", file.path().to_str().unwrap())]);
        let server = Server::with(database, &borrowed(&settings)).await;
        let account = server.person(&[]).await;
        link(&server, &account, issuer, "alice").await;
        let token = key.token("EdDSA", &claims(&server, issuer, "alice"));
        assert_eq!(server.request("GET", PROFILE).bearer(&token).send().await.status, 200);
    });
}

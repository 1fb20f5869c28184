//! Attacks through the header of a token.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::support::signing::{message, with_signature};

/// A token with valid claims and this header.
fn headed(world: &World, header: Value) -> String {
    world.p256.token_of(&header.to_string(), &world.claims().to_string())
}

/// A valid header with one member added or replaced.
fn header(name: &str, value: Value) -> Value {
    let mut header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "p256"});
    header[name] = value;
    header
}

/// A token "signed" with a shared secret.
fn hs256(world: &World, key_id: &str, secret: &[u8]) -> String {
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": key_id}).to_string();
    let message = message(&header, &world.claims().to_string());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    with_signature(&message, tag.as_ref())
}

fn unsigned(world: &World, algorithm: &str) -> String {
    let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "p256"}).to_string();
    with_signature(&message(&header, &world.claims().to_string()), b"")
}

#[test]
fn an_unsigned_token_is_refused() {
    refused(|world| unsigned(world, "none"));
}

#[test]
fn an_unsigned_token_in_other_case_is_refused() {
    refused(|world| unsigned(world, "None"));
    refused(|world| unsigned(world, "nOnE"));
    refused(|world| unsigned(world, "NONE"));
}

#[test]
fn a_signed_token_with_the_algorithm_none_is_refused() {
    refused(|world| headed(world, header("alg", json!("none"))));
}

#[test]
fn a_signature_that_is_left_out_is_refused() {
    refused(|world| unsigned(world, "ES256"));
}

#[test]
fn an_algorithm_in_other_case_is_refused() {
    refused(|world| headed(world, header("alg", json!("es256"))));
}

#[test]
fn an_algorithm_that_is_not_text_is_refused() {
    refused(|world| headed(world, header("alg", json!(["ES256"]))));
    refused(|world| headed(world, header("alg", Value::Null)));
}

#[test]
fn the_public_key_in_pem_is_not_a_shared_secret() {
    refused(|world| {
        let base64 = STANDARD.encode(world.rsa.public_der());
        let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
        hs256(world, "rsa", pem.as_bytes())
    });
}

#[test]
fn the_public_key_in_der_is_not_a_shared_secret() {
    refused(|world| hs256(world, "rsa", &world.rsa.public_der()));
}

#[test]
fn the_modulus_is_not_a_shared_secret() {
    refused(|world| hs256(world, "rsa", &world.rsa.modulus()));
}

#[test]
fn the_point_of_a_public_key_is_not_a_shared_secret() {
    refused(|world| {
        let jwk = world.p256.jwk();
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        hs256(world, "p256", &[vec![4], coordinate("x"), coordinate("y")].concat())
    });
}

#[test]
fn an_empty_shared_secret_is_refused() {
    refused(|world| hs256(world, "rsa", b""));
}

#[test]
fn an_rsa_signature_under_the_name_of_an_ec_key_is_refused() {
    refused(|world| {
        let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "p256"}).to_string();
        world.rsa.token_of(&header, &world.claims().to_string())
    });
}

#[test]
fn an_ec_signature_that_calls_itself_rsa_is_refused() {
    refused(|world| headed(world, header("alg", json!("RS256"))));
}

#[test]
fn a_signature_on_another_curve_is_refused() {
    refused(|world| world.p384.token_of(&header("kid", json!("p384")).to_string(), &world.claims().to_string()));
}

#[test]
fn pss_is_not_accepted_as_pkcs1() {
    refused(|world| {
        let claims = world.claims().to_string();
        let message = message(&json!({"alg": "RS256", "typ": "at+jwt", "kid": "rsa"}).to_string(), &claims);
        with_signature(&message, &world.rsa.sign("PS256", message.as_bytes()))
    });
}

#[test]
fn an_algorithm_that_the_issuer_is_not_trusted_with_is_refused() {
    refused_of(&[("ALGORITHMS", "ES256")], |world| world.p384.token("ES384", &world.claims()));
    refused_of(&[("ALGORITHMS", "PS256,ES256")], |world| world.rsa.token("RS256", &world.claims()));
}

#[test]
fn another_type_is_refused() {
    for kind in ["JWS", "dpop+jwt", "logout+jwt", "at+jwt2", "id+jwt", ""] {
        refused(|world| headed(world, header("typ", json!(kind))));
    }
}

#[test]
fn a_type_that_is_not_text_is_refused() {
    refused(|world| headed(world, header("typ", json!(["at+jwt"]))));
}

#[test]
fn a_type_compares_without_case_and_with_its_prefix() {
    taken(|world| headed(world, header("typ", json!("AT+JWT"))));
    taken(|world| headed(world, header("typ", json!("application/at+jwt"))));
}

#[test]
fn only_the_types_of_the_issuer_are_accepted() {
    refused_of(&[("ACCESS_TOKEN_TYP", "at+jwt")], |world| headed(world, header("typ", json!("JWT"))));
    refused_of(&[("ACCESS_TOKEN_TYP", "at+jwt")], |world| {
        world.p256.token_of(&json!({"alg": "ES256", "kid": "p256"}).to_string(), &world.claims().to_string())
    });
}

#[test]
fn a_key_name_that_is_a_path_is_refused() {
    for path in ["../../../../dev/null", "/etc/passwd", "p256/../p256", "file:///dev/null", "p256\0"] {
        refused(|world| headed(world, header("kid", json!(path))));
    }
}

#[test]
fn a_key_name_that_is_sql_is_refused() {
    for sql in ["' OR '1'='1", "p256'; DROP TABLE account; --", "x' UNION SELECT 'p256"] {
        refused(|world| headed(world, header("kid", json!(sql))));
    }
}

#[test]
fn a_key_name_of_10_kilobytes_is_refused() {
    refused(|world| headed(world, header("kid", json!("k".repeat(10 * 1024)))));
}

#[test]
fn a_long_key_name_is_refused() {
    refused(|world| headed(world, header("kid", json!("k".repeat(4 * 1024)))));
}

#[test]
fn a_key_name_that_is_not_text_is_refused() {
    refused(|world| headed(world, header("kid", json!(["p256"]))));
    refused(|world| headed(world, header("kid", Value::Null)));
}

#[test]
fn a_key_name_in_other_case_is_refused() {
    refused(|world| headed(world, header("kid", json!("P256"))));
}

#[test]
fn a_token_without_key_name_needs_the_only_key_that_fits() {
    taken(|world| {
        world.p256.token_of(&json!({"alg": "ES256", "typ": "at+jwt"}).to_string(), &world.claims().to_string())
    });
}

#[test]
fn a_key_in_the_header_is_refused() {
    refused(|world| {
        let own = Key::p256("own");
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "own", "jwk": own.jwk()}).to_string();
        own.token_of(&header, &world.claims().to_string())
    });
    refused(|world| headed(world, header("jwk", world.p256.jwk())));
}

#[test]
fn a_certificate_in_the_header_is_refused() {
    refused(|world| headed(world, header("x5c", json!([STANDARD.encode(world.rsa.public_der())]))));
}

#[test]
fn no_connection_is_made_to_a_key_url_in_a_token() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let own = Key::p256("own");
        let evil = Provider::start(vec![own.jwk()]).await;
        let before = world.provider.connections();
        for name in ["jku", "x5u"] {
            for key_id in ["own", "p256"] {
                let mut header = header(name, json!(evil.url("/keys")));
                header["kid"] = json!(key_id);
                let token = own.token_of(&header.to_string(), &world.claims().to_string());
                assert_eq!(world.read(&token).await.to_string(), REFUSED);
            }
        }
        // The server does not connect to an untrusted issuer either.
        let token = own.token("ES256", &world.claiming("iss", json!(evil.issuer())));
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(evil.connections(), 0);
        assert_eq!(world.provider.connections(), before);
    });
}

#[test]
fn an_extension_that_must_be_understood_is_refused() {
    refused(|world| {
        let mut header = header("crit", json!(["urn:example:unknown"]));
        header["urn:example:unknown"] = json!(true);
        headed(world, header)
    });
    refused(|world| headed(world, header("crit", json!(["exp"]))));
    refused(|world| headed(world, header("crit", json!([]))));
}

#[test]
fn a_payload_that_is_not_encoded_is_refused() {
    refused(|world| {
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "p256", "b64": false, "crit": ["b64"]});
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), world.claims());
        with_signature(&message, &world.p256.sign("ES256", message.as_bytes()))
    });
    refused(|world| headed(world, header("b64", json!(false))));
}

#[test]
fn a_header_with_duplicate_members_is_refused() {
    for twice in [
        r#"{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"p256"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"other","kid":"p256"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"p256","\u006bid":"p256"}"#,
    ] {
        refused(|world| world.p256.token_of(twice, &world.claims().to_string()));
    }
}

#[test]
fn a_header_that_is_not_an_object_is_refused() {
    for header in ["[]", "null", "\"ES256\"", "{", ""] {
        refused(|world| {
            let message = message(header, &world.claims().to_string());
            with_signature(&message, &world.p256.sign("ES256", message.as_bytes()))
        });
    }
}

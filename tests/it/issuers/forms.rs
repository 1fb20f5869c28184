//! Attacks through the form of a token: its parts, their encoding and the signature.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use super::*;
use crate::support::signing::{message, with_signature};

/// The order of P-256 (SEC 2, section 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A valid token whose signature is replaced with one that `make` derives from it.
fn resigned(world: &World, make: impl FnOnce(Vec<u8>) -> Vec<u8>) -> String {
    let token = world.token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    with_signature(message, &make(URL_SAFE_NO_PAD.decode(signature).unwrap()))
}

/// The other valid signature of the same message: `(r, n - s)`.
fn mirrored(signature: &[u8]) -> Vec<u8> {
    let mut mirrored = signature.to_vec();
    let mut borrowed = 0;
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrowed;
        borrowed = i16::from(difference < 0);
        mirrored[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    mirrored
}

#[test]
fn a_token_of_more_than_16_kilobytes_is_refused() {
    claims_refused(|world| world.claiming("padding", json!("x".repeat(13_000))));
    taken(|world| world.p256.token("ES256", &world.claiming("padding", json!("x".repeat(11_000)))));
}

#[test]
fn a_token_of_two_parts_is_refused() {
    refused(|world| world.token().rsplit_once('.').unwrap().0.to_owned());
}

#[test]
fn a_token_of_four_parts_is_refused() {
    refused(|world| format!("{}.{}", world.token(), "e30"));
    refused(|world| format!("e30.{}", world.token()));
    refused(|world| format!("{}.", world.token()));
}

#[test]
fn a_token_of_empty_parts_is_refused() {
    for token in ["..", ".", "", "e30.e30.", "a.b.c"] {
        refused(|_| token.to_owned());
    }
}

#[test]
fn padding_is_refused() {
    refused(|world| {
        let claims = world.claims().to_string();
        // A number of bytes whose encoding needs padding.
        let claims = format!("{claims}{}", " ".repeat((4 - claims.len() % 3) % 3));
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": "p256"}).to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE.encode(claims));
        assert!(message.ends_with('='));
        with_signature(&message, &world.p256.sign("ES256", message.as_bytes()))
    });
    refused(|world| format!("{}==", world.token()));
}

#[test]
fn bits_behind_the_end_of_an_encoding_are_refused() {
    refused(|world| {
        let token = world.token();
        // The encoding of 64 bytes ends in a character whose lower four bits are unused.
        let last = token.chars().next_back().unwrap();
        assert!("AQgw".contains(last), "{last}");
        format!("{}{}", &token[..token.len() - 1], char::from(last as u8 + 1))
    });
}

#[test]
fn the_other_alphabet_of_base64_is_refused() {
    refused(|world| {
        let bytes = [vec![0xfb, 0xff], vec![b' '; 60], vec![0, 0]].concat();
        let (message, _) = world.token().rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        format!("{message}.{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes))
    });
}

#[test]
fn white_space_within_a_token_is_refused() {
    refused(|world| world.token().replacen('.', ". ", 1));
    refused(|world| world.token().replacen('.', "\t.", 1));
}

#[test]
fn claims_that_were_changed_after_signing_are_refused() {
    refused(|world| {
        let token = world.token();
        let parts: Vec<&str> = token.split('.').collect();
        let claims = world.claiming("sub", json!("bob")).to_string();
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims), parts[2])
    });
}

#[test]
fn a_signature_of_zeros_is_refused() {
    refused(|world| resigned(world, |_| vec![0; 64]));
}

#[test]
fn a_signature_of_zeros_is_refused_by_every_family() {
    for (key_id, algorithm, length) in
        [("rsa", "RS256", 256), ("rsa", "PS256", 256), ("p384", "ES384", 96), ("ed25519", "EdDSA", 64)]
    {
        refused(|world| {
            let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": key_id}).to_string();
            with_signature(&message(&header, &world.claims().to_string()), &vec![0; length])
        });
    }
}

#[test]
fn an_ecdsa_signature_with_a_zero_half_is_refused() {
    refused(|world| resigned(world, |signature| [vec![0; 32], signature[32..].to_vec()].concat()));
    refused(|world| resigned(world, |signature| [signature[..32].to_vec(), vec![0; 32]].concat()));
}

#[test]
fn an_ecdsa_signature_of_the_order_itself_is_refused() {
    refused(|world| resigned(world, |signature| [signature[..32].to_vec(), ORDER.to_vec()].concat()));
    refused(|world| resigned(world, |_| [ORDER, ORDER].concat()));
}

#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    refused(|world| {
        resigned(world, |signature| {
            let integer = |half: &[u8]| [vec![2, 33, 0], half.to_vec()].concat();
            [vec![0x30, 70], integer(&signature[..32]), integer(&signature[32..])].concat()
        })
    });
}

#[test]
fn a_signature_that_is_too_short_or_too_long_is_refused() {
    refused(|world| resigned(world, |signature| signature[..63].to_vec()));
    refused(|world| resigned(world, |signature| [signature, vec![0]].concat()));
}

#[test]
fn a_signature_of_another_key_is_refused() {
    refused(|world| Key::p256("p256").token("ES256", &world.claims()));
}

/// Every ECDSA signature has a second valid form that anyone can compute. It must not count as a second token.
#[test]
fn a_mirrored_signature_does_not_free_a_token_from_its_client_hash() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let token = world.p256.token("ES256", &world.without("jti"));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let other = with_signature(message, &mirrored(&signature));
        assert_ne!(token, other);
        let read = async |token: &str, hash: &str| {
            let request = world.server.request("GET", PROFILE).bearer(token).header("X-Client-Hash", hash);
            request.send().await.status.as_u16()
        };
        assert_eq!(read(&token, "mine").await, 200);
        assert_eq!(read(&token, "stolen").await, 403);
        assert_eq!(read(&other, "stolen").await, 403);
        assert_eq!(read(&other, "mine").await, 200);
    });
}

#[test]
fn a_doubled_authorization_header_is_refused() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let token = world.token();
        assert_eq!(world.read(&token).await.status, 200);
        let twice = world.server.request("GET", PROFILE).bearer(&token).bearer(&token).send().await;
        assert_eq!(twice.to_string(), REFUSED);
        let listed = world.server.request("GET", PROFILE);
        let listed = listed.header("Authorization", &format!("Bearer {token}, Bearer {token}")).send().await;
        assert_eq!(listed.to_string(), REFUSED);
    });
}

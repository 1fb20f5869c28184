use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::agreement::{Context, derive};
use super::*;
use crate::json::{Object, Value, parse};

/// Messages encrypted with npm's `jose`, and the keys that open them.
const FIXTURES: &str = include_str!("fixtures.json");

fn object(text: &str) -> Object {
    parse(text.as_bytes()).unwrap().into_object().unwrap()
}

fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).unwrap().as_str().unwrap()
}

struct Fixtures {
    plain: String,
    keys: Vec<(&'static str, PrivateKey)>,
    messages: Vec<Object>,
}

fn fixtures() -> Fixtures {
    let all = object(FIXTURES);
    let secret = |name| URL_SAFE_NO_PAD.decode(text(&all, name)).unwrap();
    let keys = vec![
        ("rsa", PrivateKey::rsa(&STANDARD.decode(text(&all, "rsa")).unwrap()).unwrap()),
        ("p256", PrivateKey::agreement(Curve::P256, &secret("p256")).unwrap()),
        ("x25519", PrivateKey::agreement(Curve::X25519, &secret("x25519")).unwrap()),
    ];
    let Some(Value::Array(messages)) = all.get("messages") else { panic!("no messages") };
    let messages = messages.iter().map(|message| message.clone().into_object().unwrap()).collect();
    Fixtures { plain: text(&all, "plain").to_owned(), keys, messages }
}

/// RFC 7518, Appendix C.
#[test]
fn key_agreement_yields_the_example_of_the_standard() {
    let alice = AgreementKey::read(
        Curve::P256,
        &URL_SAFE_NO_PAD.decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").unwrap(),
    );
    let bob = PublicKey::read(&object(
        r#"{"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"}"#,
    ));
    let context = Context { algorithm: "A128GCM", party_u: b"Alice", party_v: b"Bob" };
    let derived = derive::<16>(&alice.unwrap(), &bob.unwrap(), &context).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(derived), "VqqN6vgjbSBcIijNcacQGg");
}

#[test]
fn messages_of_another_library_are_decrypted_with_their_key_and_no_other() {
    let Fixtures { plain, keys, messages } = fixtures();
    assert_eq!(messages.len(), 9);
    for message in &messages {
        let compact = Message::compact(text(message, "compact").as_bytes()).unwrap();
        let flattened = Message::flattened(message.get("flattened").unwrap().as_object().unwrap()).unwrap();
        for opened in [compact, flattened] {
            assert_eq!(opened.algorithm().name(), text(message, "alg"));
            assert_eq!(opened.key_id(), Some(text(message, "key")));
            for (name, key) in &keys {
                let expected = (*name == text(message, "key")).then(|| plain.clone().into_bytes());
                assert_eq!(opened.open(key, [0; 32]), expected, "{name}");
            }
        }
    }
}

#[test]
fn a_message_that_was_changed_anywhere_is_not_decrypted() {
    let Fixtures { keys, messages, .. } = fixtures();
    for message in &messages {
        let key = &keys.iter().find(|(name, _)| *name == text(message, "key")).unwrap().1;
        let good = text(message, "compact");
        for place in (0..good.len()).step_by(7) {
            let mut changed = good.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let opened = Message::compact(&changed).and_then(|message| message.open(key, [0; 32]));
            assert_eq!(opened, None, "byte {place} of {good}");
        }
        for cut in 0..good.len() {
            let opened = Message::compact(&good.as_bytes()[..cut]).and_then(|message| message.open(key, [0; 32]));
            assert_eq!(opened, None, "cut after {cut} bytes");
        }
    }
}

/// Parses a message with this header, and with parts of the lengths that `RSA-OAEP-256` has: only the header can be
/// refused.
fn with_header(header: &str) -> Option<Message> {
    let protected = URL_SAFE_NO_PAD.encode(header);
    let key = URL_SAFE_NO_PAD.encode([0; 256]);
    let (nonce, tag) = (URL_SAFE_NO_PAD.encode([0; 12]), URL_SAFE_NO_PAD.encode([0; 16]));
    Message::compact(format!("{protected}.{key}.{nonce}.AAAA.{tag}").as_bytes())
}

#[test]
fn unsupported_headers_are_refused_before_anything_is_computed() {
    assert!(with_header(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#).is_some());
    assert!(with_header(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","jti":"a","crit":["jti"]}"#).is_some());
    for header in [
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":null}"#,
        r#"{"alg":"RSA1_5","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2s":"AAAA","p2c":1000000000}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"A256KW","enc":"A256GCM"}"#,
        r#"{"alg":"ECDH-ES","enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A128GCM"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256CBC-HS512"}"#,
        r#"{"alg":"RSA-OAEP-256"}"#,
        r#"{"enc":"A256GCM"}"#,
        r#"{"alg":["RSA-OAEP-256"],"enc":"A256GCM"}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":7}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["exp"]}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","exp":1,"crit":["exp"]}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["jti"]}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":[]}"#,
        r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":"jti"}"#,
        r#"{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}"#,
        r#"[]"#,
        r#"{"#,
        "",
    ] {
        assert!(with_header(header).is_none(), "{header}");
    }
}

#[test]
fn only_public_points_on_a_known_curve_are_keys() {
    let zero = URL_SAFE_NO_PAD.encode([0; 32]);
    let short = URL_SAFE_NO_PAD.encode([0; 31]);
    let read = |jwk: String| PublicKey::read(&object(&jwk));
    for jwk in [
        r#"{}"#.to_owned(),
        format!(r#"{{"kty":"EC","crv":"P-384","x":"{zero}","y":"{zero}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{zero}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"P-256","x":"{zero}","y":"{zero}"}}"#),
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{zero}"}}"#),
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{zero}","y":"{short}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"X25519","x":"{zero}","d":"{zero}"}}"#),
        format!(r#"{{"kty":"OKP","crv":"X25519","x":"{zero}="}}"#),
        format!(r#"{{"kty":"OKP","crv":"X25519","x":"{zero}","kid":7}}"#),
    ] {
        assert_eq!(read(jwk.clone()), None, "{jwk}");
    }
    // Well-formed, but not points on the curve: that shows in use.
    let ours = |curve| AgreementKey::read(curve, &[5; 32]).unwrap();
    let off = read(format!(r#"{{"kty":"EC","crv":"P-256","x":"{zero}","y":"{zero}"}}"#)).unwrap();
    assert!(Recipient::agree(off, &ours(Curve::P256)).is_none());
    let small = read(format!(r#"{{"kty":"OKP","crv":"X25519","x":"{zero}"}}"#)).unwrap();
    assert!(Recipient::agree(small, &ours(Curve::X25519)).is_none());
    assert!(Recipient::agree(ours(Curve::P256).public().unwrap(), &ours(Curve::X25519)).is_none());
    let other = PublicKey { algorithm: Some("RSA-OAEP-256".to_owned()), ..ours(Curve::P256).public().unwrap() };
    assert!(Recipient::agree(other, &ours(Curve::P256)).is_none());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, parts in prop::collection::vec("[A-Za-z0-9_-]{0,40}", 5)) {
        let _ = Message::compact(&bytes);
        let _ = Message::compact(parts.join(".").as_bytes());
        let names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"];
        let _ = Message::flattened(&Object::from_iter(names.into_iter().zip(parts)));
    }

    #[test]
    fn an_encrypted_message_can_be_decrypted(
        plain: Vec<u8>,
        ours in any::<[u8; 32]>(),
        theirs in any::<[u8; 32]>(),
        on_p256: bool,
        wraps: bool,
    ) {
        let curve = if on_p256 { Curve::P256 } else { Curve::X25519 };
        let (Some(ours), Some(private)) = (AgreementKey::read(curve, &ours), AgreementKey::read(curve, &theirs)) else {
            return Ok(());
        };
        let algorithm = wraps.then(|| "ECDH-ES+A256KW".to_owned());
        let public = PublicKey { algorithm, key_id: Some("k".to_owned()), ..private.public().unwrap() };
        let sealed = Recipient::agree(public, &ours).unwrap().seal([1; 32], [2; 12], &Object::new(), &plain).unwrap();
        let message = Message::compact(sealed.as_bytes()).unwrap();
        prop_assert_eq!(message.key_id(), Some("k"));
        prop_assert_eq!(message.open(&PrivateKey::Agreement(private), [0; 32]), Some(plain));
    }
}

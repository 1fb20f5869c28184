//! Encoding and decoding of the envelopes of the session form: bytes in, bytes out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::json::{Object, Value};

/// The first bytes of a binary envelope.
const MAGIC: &[u8] = b"SC";
/// The version of the protocol.
const VERSION: u8 = 2;
const ONE_OFF: u8 = 1;
const SESSION: u8 = 2;
const RESPONSE: u8 = 129;

/// Bytes of the nonce at the start of a payload.
pub const NONCE: usize = 12;
/// Bytes of the tag at the end of a payload.
const TAG: usize = 16;
/// The most bytes of an envelope: 64 KiB in base64 with everything around it, such as keys, identifiers and a header.
pub const MAX_BYTES: usize = 96 * 1024;

/// A request's envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope<'a> {
    /// Carries its own keys and leaves no session.
    OneOff {
        /// The server's key that the keys are encrypted to.
        key_id: &'a str,
        /// The key of the request, encrypted.
        request_key: &'a [u8],
        /// The key of the response, encrypted.
        response_key: &'a [u8],
        /// Nonce ‖ ciphertext ‖ tag.
        payload: &'a [u8],
    },
    /// Belongs to a session.
    Session {
        /// Nonce ‖ ciphertext ‖ tag.
        payload: &'a [u8],
    },
}

/// Checks whether bytes start like a binary envelope; no JSON text does.
pub fn is_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Decodes a binary envelope; `None` for another version, another type, or a truncated one.
pub fn read(bytes: &[u8]) -> Option<Envelope<'_>> {
    let (&[version, kind], rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
    match (version, kind) {
        (VERSION, ONE_OFF) => {
            let (length, rest) = rest.split_first()?;
            let (key_id, rest) = rest.split_at_checked((*length).into())?;
            let (request_key, rest) = long(rest)?;
            let (response_key, payload) = long(rest)?;
            let key_id = std::str::from_utf8(key_id).ok()?;
            is_whole(payload).then_some(Envelope::OneOff { key_id, request_key, response_key, payload })
        }
        (VERSION, SESSION) => is_whole(rest).then_some(Envelope::Session { payload: rest }),
        _ => None,
    }
}

/// Decodes the payload of a JSON envelope, an object of exactly the members `v` and `p`. `None` for any other object,
/// which is not an envelope; `Some(None)` for an envelope that is invalid.
pub fn read_json(object: &Object) -> Option<Option<Vec<u8>>> {
    let (Some(version), Some(payload)) = (object.get("v"), object.get("p")) else { return None };
    if object.len() != 2 {
        return None;
    }
    let is_known = matches!(version, Value::Number(number) if number.as_str() == "2");
    let payload = payload.as_str().filter(|_| is_known).and_then(|text| STANDARD.decode(text).ok());
    Some(payload.filter(|payload| is_whole(payload)))
}

/// Returns the binary envelope of a response.
pub fn response(payload: &[u8]) -> Vec<u8> {
    [MAGIC, &[VERSION, RESPONSE], payload].concat()
}

/// Returns the JSON envelope of a response.
pub fn response_json(payload: &[u8]) -> Vec<u8> {
    format!(r#"{{"v":{VERSION},"p":"{}"}}"#, STANDARD.encode(payload)).into_bytes()
}

/// Returns the nonce of a decoded payload.
pub fn nonce(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(NONCE)]
}

fn is_whole(payload: &[u8]) -> bool {
    payload.len() >= NONCE + TAG
}

/// Splits off bytes that are preceded by their length as a big-endian 16-bit integer.
fn long(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_off(key_id: &str, request_key: &[u8], response_key: &[u8], payload: &[u8]) -> Vec<u8> {
        let long = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
        let short = [&[key_id.len() as u8], key_id.as_bytes()].concat();
        [b"SC\x02\x01", short.as_slice(), &long(request_key), &long(response_key), payload].concat()
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, kind in 0..4u8) {
            let _ = read(&bytes);
            let _ = read(&[b"SC\x02".as_slice(), &[kind], &bytes].concat());
        }

        #[test]
        fn an_encoded_envelope_is_decoded(
            key_id in "[a-zA-Z0-9_-]{0,255}",
            request_key: Vec<u8>,
            response_key: Vec<u8>,
            payload in prop::collection::vec(any::<u8>(), NONCE + TAG..200),
        ) {
            let bytes = one_off(&key_id, &request_key, &response_key, &payload);
            let whole =
                Envelope::OneOff { key_id: &key_id, request_key: &request_key, response_key: &response_key, payload: &payload };
            prop_assert_eq!(read(&bytes), Some(whole));
            let bytes = [b"SC\x02\x02", payload.as_slice()].concat();
            prop_assert_eq!(read(&bytes), Some(Envelope::Session { payload: &payload }));
            // A response is not a request.
            let answer = response(&payload);
            prop_assert_eq!(read(&answer), None);
        }

        #[test]
        fn a_truncated_envelope_is_refused(
            payload in prop::collection::vec(any::<u8>(), NONCE + TAG..NONCE + TAG + 1),
            cut in 0..(4 + 1 + 3 + 2 + 4 + 2 + 4 + NONCE + TAG),
        ) {
            let whole = one_off("kid", b"1234", b"5678", &payload);
            prop_assert_eq!(read(&whole[..cut]), None);
        }

        #[test]
        fn a_json_answer_reads_like_a_json_request(payload in prop::collection::vec(any::<u8>(), NONCE + TAG..200)) {
            let object = crate::json::parse(&response_json(&payload)).unwrap().into_object().unwrap();
            prop_assert_eq!(read_json(&object), Some(Some(payload)));
        }
    }

    #[test]
    fn other_versions_and_types_are_refused() {
        let payload = [0; NONCE + TAG];
        for head in [b"SC\x01\x02", b"SC\x03\x02", b"SC\x02\x00", b"SC\x02\x03", b"SC\x02\x81", b"CS\x02\x02"] {
            assert_eq!(read(&[head.as_slice(), &payload].concat()), None);
        }
    }

    #[test]
    fn only_an_object_of_v_and_p_is_a_json_envelope() {
        let read = |text: &str| read_json(&crate::json::parse(text.as_bytes()).unwrap().into_object().unwrap());
        for other in ["{}", r#"{"v":2}"#, r#"{"p":""}"#, r#"{"v":2,"p":"","x":1}"#, r#"{"v":2,"q":""}"#] {
            assert_eq!(read(other), None, "{other}");
        }
        let payload = STANDARD.encode([0; NONCE + TAG]);
        for broken in [
            format!(r#"{{"v":1,"p":"{payload}"}}"#),
            format!(r#"{{"v":"2","p":"{payload}"}}"#),
            format!(r#"{{"v":2.0,"p":"{payload}"}}"#),
            format!(r#"{{"v":2,"p":"{}"}}"#, payload.replace('=', "")),
            r#"{"v":2,"p":""}"#.to_owned(),
            r#"{"v":2,"p":7}"#.to_owned(),
            r#"{"v":2,"p":"AAAA"}"#.to_owned(),
        ] {
            assert_eq!(read(&broken), Some(None), "{broken}");
        }
    }
}

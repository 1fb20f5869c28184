use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::json::{self, Object, Value};

/// The longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// Media types of access tokens (RFC 9068 §2.1, RFC 7519 §5.1).
const TYPES: [&str; 3] = ["at+jwt", "application/at+jwt", "JWT"];
/// Header parameters that name or carry a key: whoever sends the token must not choose what it is checked with. `crit` and
/// `b64` change what the rest means, and no extension is understood here (RFC 7515 §4.1.11, RFC 7797).
const REFUSED: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "crit", "b64"];

/// A JWT in compact form (RFC 7515 §7.1) whose header was read; its signature is checked when a key is at hand.
///
/// The library checks signatures; header and claims are read here, because it would read the clock by itself and let pass
/// what a strict reader refuses (doubled members, lone surrogates, claims of the wrong type).
pub(super) struct Signed<'a> {
    /// The key that the header names.
    pub(super) key_id: String,
    algorithm: String,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// A public key that a token may be signed with, and the one algorithm that it is for.
#[derive(Clone)]
pub(super) struct VerificationKey {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl<'a> Signed<'a> {
    /// Takes a token apart; `None` when it is not one that may be looked at further.
    pub(super) fn read(token: &'a str) -> Option<Signed<'a>> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        let header = object(header)?;
        let text = |name| header.get(name).and_then(Value::as_str);
        let known_type = match header.get("typ") {
            None => true,
            Some(Value::String(said)) => TYPES.iter().any(|known| said.eq_ignore_ascii_case(known)),
            Some(_) => false,
        };
        if !known_type || REFUSED.iter().any(|name| header.contains_key(name)) {
            return None;
        }
        Some(Signed {
            key_id: text("kid")?.to_owned(),
            algorithm: text("alg")?.to_owned(),
            message,
            payload,
            signature,
        })
    }

    /// Whether the algorithm is the key's and the signature holds.
    pub(super) fn is_signed_with(&self, key: &VerificationKey) -> bool {
        let algorithm = self.algorithm.parse::<Algorithm>();
        algorithm.is_ok_and(|algorithm| algorithm == key.algorithm)
            && jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), &key.decoding, key.algorithm)
                .unwrap_or(false)
    }

    /// The claims; to be believed only after [`Signed::is_signed_with`].
    pub(super) fn claims(&self) -> Option<Object> {
        object(self.payload)
    }
}

fn object(encoded: &str) -> Option<Object> {
    let text = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    json::parse(&text).ok()?.into_object().ok()
}

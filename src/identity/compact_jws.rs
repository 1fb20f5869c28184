use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use super::jwks::VerificationKey;
use crate::json::{self, Object};

/// The longest token that is looked at, in bytes.
pub(super) const MAX_LENGTH: usize = 8 * 1024;
/// Header parameters that name or carry a key: whoever sends the token must not choose what it is checked with. `crit` and
/// `b64` change what the rest means, and no extension is understood here (RFC 7515 §4.1.11, RFC 7797).
const REFUSED: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "crit", "b64"];

/// A JWT in compact form (RFC 7515 §7.1) whose header was read; its signature is checked when a key is at hand.
///
/// The library checks signatures; header and claims are read here, because it would read the clock by itself and let pass
/// what a strict reader refuses (doubled members, lone surrogates, claims of the wrong type).
pub(super) struct CompactJws<'a> {
    /// The key that the header names, if it names one.
    pub(super) key_id: Option<String>,
    /// The algorithm that the header names: one of those that this program knows, never `none`.
    pub(super) algorithm: Algorithm,
    media_type: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> CompactJws<'a> {
    /// Takes a token apart; `None` when it is not one that may be looked at further.
    pub(super) fn read(token: &'a str) -> Option<CompactJws<'a>> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if payload.contains('.') {
            return None;
        }
        let header = object(header)?;
        if REFUSED.iter().any(|name| header.contains_key(name)) {
            return None;
        }
        Some(CompactJws {
            key_id: optional_text(&header, "kid")?,
            algorithm: header.get("alg")?.as_str()?.parse().ok()?,
            media_type: optional_text(&header, "typ")?,
            message,
            payload,
            signature,
        })
    }

    /// Whether the header says one of these types (RFC 7515 §4.1.9, RFC 8725 §3.11); saying nothing is saying `JWT`.
    pub(super) fn is_of_type(&self, types: &[impl AsRef<str>]) -> bool {
        let media_type = self.media_type.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let media_type = media_type.strip_prefix("application/").unwrap_or(&media_type);
        types.iter().any(|known| known.as_ref().eq_ignore_ascii_case(media_type))
    }

    /// Whether the signature holds with a key that is for this algorithm.
    pub(super) fn is_signed_with(&self, key: &VerificationKey) -> bool {
        key.algorithms.contains(&self.algorithm)
            && jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), &key.decoding, self.algorithm)
                .unwrap_or(false)
    }

    /// The claims; to be believed only after [`CompactJws::is_signed_with`].
    pub(super) fn claims(&self) -> Option<Object> {
        object(self.payload)
    }
}

fn optional_text(header: &Object, name: &str) -> Option<Option<String>> {
    match header.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(|text| Some(text.to_owned())),
    }
}

fn object(encoded: &str) -> Option<Object> {
    let text = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    json::parse_unique(&text).ok()?.into_object().ok()
}

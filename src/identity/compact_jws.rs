use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use super::jwks::VerificationKey;
use crate::json::{self, Object};

/// The longest token that is parsed, in bytes.
pub(super) const MAX_LENGTH: usize = 8 * 1024;
/// Header parameters that name or carry a key: the sender of a token must not choose the key it is verified with.
/// `crit` and `b64` change the meaning of the rest, and no extension is supported (RFC 7515 §4.1.11, RFC 7797).
const REFUSED: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "crit", "b64"];

/// A JWT in compact form (RFC 7515 §7.1) whose header was parsed; its signature is verified once the key is known.
///
/// The library only verifies signatures. Header and claims are parsed here, because the library would read the system
/// clock and accept input that a strict parser refuses (duplicate members, lone surrogates, claims of the wrong type).
pub(super) struct CompactJws<'a> {
    /// The key that the header names, if any.
    pub(super) key_id: Option<String>,
    /// The algorithm that the header names: one that the library supports, never `none`.
    pub(super) algorithm: Algorithm,
    media_type: Option<String>,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> CompactJws<'a> {
    /// Splits a token and parses its header; `None` if it is malformed or has a refused header parameter.
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
        if REFUSED.iter().any(|name| header.contains_key(name)) || header.iter().any(|(_, value)| value.contains_nul())
        {
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

    /// Checks whether the header names one of these types (RFC 7515 §4.1.9, RFC 8725 §3.11); an absent type counts as
    /// `JWT`.
    pub(super) fn is_of_type(&self, types: &[impl AsRef<str>]) -> bool {
        let media_type = self.media_type.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        let media_type = media_type.strip_prefix("application/").unwrap_or(&media_type);
        types.iter().any(|known| known.as_ref().eq_ignore_ascii_case(media_type))
    }

    /// Verifies the signature with a key, which must be for this algorithm.
    pub(super) fn is_signed_with(&self, key: &VerificationKey) -> bool {
        key.algorithms.contains(&self.algorithm)
            && jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), &key.decoding, self.algorithm)
                .unwrap_or(false)
    }

    /// Returns the claims; not to be trusted before [`CompactJws::is_signed_with`].
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

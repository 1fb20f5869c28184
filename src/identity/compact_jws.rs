use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;

use super::jwks::VerificationKey;
use super::rule::{Refusal, Rule};
use crate::json::{self, Object};

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
    /// Splits a token of at most `max_bytes` and parses its header, which must have no refused parameter.
    pub(super) fn read(token: &'a str, max_bytes: usize) -> Result<CompactJws<'a>, Refusal> {
        if token.len() > max_bytes {
            let why = format!("{} bytes; server.max_token_bytes is {max_bytes}", token.len());
            return Err(Refusal::new(Rule::Length, why));
        }
        let parts: Vec<&str> = token.split('.').take(4).collect();
        let [header, payload, signature] = parts[..] else {
            return Err(Refusal::new(
                Rule::Form,
                "not three parts with a dot between them; opaque tokens are not accepted",
            ));
        };
        let message = &token[..header.len() + 1 + payload.len()];
        let header = object(header)
            .ok_or_else(|| Refusal::new(Rule::Form, "the header is not a JSON object in base64url without padding"))?;
        let refused = |why: String| Refusal::new(Rule::Header, why);
        if let Some(name) = REFUSED.iter().find(|name| header.contains_key(name)) {
            return Err(refused(format!("{name} is not accepted in a header")));
        }
        if header.iter().any(|(_, value)| value.contains_nul()) {
            return Err(refused("it contains U+0000".to_owned()));
        }
        let text = |name| optional_text(&header, name).ok_or_else(|| refused(format!("{name} is not text")));
        let algorithm = text("alg")?.ok_or_else(|| refused("alg is missing".to_owned()))?;
        Ok(CompactJws {
            key_id: text("kid")?,
            algorithm: algorithm
                .parse()
                .map_err(|_| refused(format!("the algorithm {algorithm:?} is not supported")))?,
            media_type: text("typ")?,
            message,
            payload,
            signature,
        })
    }

    /// Returns the type that the header names, in lower case and without `application/` (RFC 7515 §4.1.9); an absent type
    /// counts as `JWT`.
    pub(super) fn media_type(&self) -> String {
        let media_type = self.media_type.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        media_type.strip_prefix("application/").map(str::to_owned).unwrap_or(media_type)
    }

    /// Checks whether the header names one of these types (RFC 8725 §3.11).
    pub(super) fn is_of_type(&self, types: &[impl AsRef<str>]) -> bool {
        let media_type = self.media_type();
        types.iter().any(|known| known.as_ref().eq_ignore_ascii_case(&media_type))
    }

    /// Verifies the signature with a key, which must be for this algorithm.
    pub(super) fn is_signed_with(&self, key: &VerificationKey) -> bool {
        key.algorithms.contains(&self.algorithm)
            && jsonwebtoken::crypto::verify(self.signature, self.message.as_bytes(), &key.decoding, self.algorithm)
                .unwrap_or(false)
    }

    /// Returns the claims; not to be trusted before [`CompactJws::is_signed_with`].
    pub(super) fn claims(&self) -> Result<Object, Refusal> {
        object(self.payload)
            .ok_or_else(|| Refusal::new(Rule::Form, "the claims are not a JSON object in base64url without padding"))
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

use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::agreement::{Context, derive};
use super::key::{PrivateKey, PublicKey};
use super::{Algorithm, CONTENT_ALGORITHM, KEY_LENGTH, TAG, WRAPPED_LENGTH};
use crate::json::{self, Object, Value};
use crate::keys::SealingKey;

/// The longest header, in bytes of its encoded form.
const MAX_HEADER: usize = 8 * 1024;
/// The longest `apu` and `apv` in bytes, decoded.
const MAX_PARTY: usize = 256;
/// Bytes of a content key encrypted with RSA: the keys have 2048 bits.
const RSA_LENGTH: usize = 256;
/// Parameters that `crit` may name: extensions of the standard that are understood here.
const UNDERSTOOD: [&str; 4] = ["iat", "jti", "ath", "reply_jwk"];
/// Parameters allowed outside the protected header: changing one leads to a different key, which opens nothing.
const UNPROTECTED: [&str; 4] = ["epk", "apu", "apv", "kid"];
/// The members of the flattened form (RFC 7516 §7.2.2).
const MEMBERS: [&str; 8] = ["protected", "unprotected", "header", "encrypted_key", "aad", "iv", "ciphertext", "tag"];

/// A message that was parsed and not opened yet.
pub struct Message {
    header: Object,
    algorithm: Algorithm,
    key_id: Option<String>,
    ephemeral: Option<PublicKey>,
    party_u: Vec<u8>,
    party_v: Vec<u8>,
    encrypted_key: Vec<u8>,
    /// Nonce ‖ ciphertext ‖ tag.
    sealed: Vec<u8>,
    associated: Vec<u8>,
}

impl Message {
    /// Parses the compact form (RFC 7516 §7.1); `None` if the text is malformed or requires an unsupported feature.
    pub fn compact(text: &[u8]) -> Option<Message> {
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let (protected, encrypted_key, nonce, ciphertext, tag) = (next()?, next()?, next()?, next()?, next()?);
        if next().is_some() {
            return None;
        }
        Message::read(Parts { protected, unprotected: Vec::new(), encrypted_key, aad: None, nonce, ciphertext, tag })
    }

    /// Parses the flattened form (RFC 7516 §7.2.2); `None` as for [`Message::compact`].
    pub fn flattened(message: &Object) -> Option<Message> {
        if message.iter().any(|(name, _)| !MEMBERS.contains(&name.as_str())) {
            return None;
        }
        let optional = |name| match message.get(name) {
            None => Some(None),
            Some(value) => value.as_str().map(Some),
        };
        let text = |name| optional(name)?;
        let mut unprotected = Vec::new();
        for name in ["unprotected", "header"] {
            if let Some(value) = message.get(name) {
                unprotected.push(value.as_object()?);
            }
        }
        Message::read(Parts {
            protected: text("protected")?,
            unprotected,
            encrypted_key: optional("encrypted_key")?.unwrap_or_default(),
            aad: optional("aad")?,
            nonce: text("iv")?,
            ciphertext: text("ciphertext")?,
            tag: text("tag")?,
        })
    }

    /// Returns the protected header: not to be trusted before [`Message::open`].
    pub fn header(&self) -> &Object {
        &self.header
    }

    /// Returns the algorithm for the content key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the curve of the key agreement, if there is one.
    pub fn curve(&self) -> Option<super::Curve> {
        self.ephemeral.as_ref().map(|key| key.curve)
    }

    /// Returns the `kid` that it is encrypted to, if it names one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Decrypts the message; `None` for any error. If the content key cannot be recovered, `stand_in` is used in its
    /// place, so that a wrong key takes as long as a wrong ciphertext (RFC 7516 §11.5).
    pub fn open(&self, key: &PrivateKey, stand_in: [u8; KEY_LENGTH]) -> Option<Vec<u8>> {
        let found = self.content_key(key);
        let opened = SealingKey::new(&found.unwrap_or(stand_in)).open(&self.associated, &self.sealed);
        opened.ok().filter(|_| found.is_some())
    }

    fn content_key(&self, key: &PrivateKey) -> Option<[u8; KEY_LENGTH]> {
        let derived = || {
            let PrivateKey::Agreement(ours) = key else { return None };
            let algorithm = self.algorithm.derived_for();
            let context = Context { algorithm, party_u: &self.party_u, party_v: &self.party_v };
            derive::<KEY_LENGTH>(ours, self.ephemeral.as_ref()?, &context)
        };
        match self.algorithm {
            Algorithm::RsaOaep256 => key.decrypt(&self.encrypted_key)?.try_into().ok(),
            Algorithm::EcdhEs => derived(),
            Algorithm::EcdhEsA256Kw => {
                let mut content_key = [0; KEY_LENGTH];
                let kek = AesKek::new(&AES_256, &derived()?).ok()?;
                kek.unwrap(&self.encrypted_key, &mut content_key).ok()?;
                Some(content_key)
            }
        }
    }

    fn read(parts: Parts<'_>) -> Option<Message> {
        if parts.protected.len() > MAX_HEADER {
            return None;
        }
        let header = json::parse_unique(&decode(parts.protected)?).ok()?.into_object().ok()?;
        if header.contains_key("zip") || !is_understood(&header) {
            return None;
        }
        // No parameter may occur twice (RFC 7516 §4).
        let mut all = header.clone();
        for (name, value) in parts.unprotected.iter().flat_map(|unprotected| unprotected.iter()) {
            if !UNPROTECTED.contains(&name.as_str()) || all.insert(name.as_str(), value.clone()).is_some() {
                return None;
            }
        }
        if header.get("enc")?.as_str()? != CONTENT_ALGORITHM {
            return None;
        }
        let algorithm = Algorithm::named(header.get("alg")?.as_str()?)?;
        let encrypted_key = decode(parts.encrypted_key)?;
        let length = match algorithm {
            Algorithm::RsaOaep256 => RSA_LENGTH,
            Algorithm::EcdhEs => 0,
            Algorithm::EcdhEsA256Kw => WRAPPED_LENGTH,
        };
        let (nonce, tag) = (decode(parts.nonce)?, decode(parts.tag)?);
        if encrypted_key.len() != length || nonce.len() != NONCE_LEN || tag.len() != TAG {
            return None;
        }
        let ephemeral = match algorithm {
            Algorithm::RsaOaep256 => None,
            _ => Some(PublicKey::read(all.get("epk")?.as_object()?)?),
        };
        let key_id = match all.get("kid") {
            None => None,
            Some(name) => Some(name.as_str()?.to_owned()),
        };
        let associated = match parts.aad {
            Some(aad) => {
                decode(aad)?;
                format!("{}.{aad}", parts.protected)
            }
            None => parts.protected.to_owned(),
        };
        Some(Message {
            algorithm,
            key_id,
            ephemeral,
            party_u: party(&all, "apu")?,
            party_v: party(&all, "apv")?,
            encrypted_key,
            sealed: [nonce, decode(parts.ciphertext)?, tag].concat(),
            associated: associated.into_bytes(),
            header,
        })
    }
}

/// The encoded parts of a message in either form.
struct Parts<'a> {
    protected: &'a str,
    unprotected: Vec<&'a Object>,
    encrypted_key: &'a str,
    aad: Option<&'a str>,
    nonce: &'a str,
    ciphertext: &'a str,
    tag: &'a str,
}

/// Checks that every parameter named in `crit` is understood and present (RFC 7516 §4.1.13, RFC 7515 §4.1.11).
fn is_understood(header: &Object) -> bool {
    match header.get("crit") {
        None => true,
        Some(Value::Array(names)) => {
            let understood = |name: &Value| {
                name.as_str().is_some_and(|name| UNDERSTOOD.contains(&name) && header.contains_key(name))
            };
            !names.is_empty() && names.len() <= UNDERSTOOD.len() && names.iter().all(understood)
        }
        Some(_) => false,
    }
}

fn party(header: &Object, name: &str) -> Option<Vec<u8>> {
    match header.get(name) {
        None => Some(Vec::new()),
        Some(value) => decode(value.as_str()?).filter(|bytes| bytes.len() <= MAX_PARTY),
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

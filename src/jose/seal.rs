use aws_lc_rs::aead::NONCE_LEN;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::agreement::{Context, derive};
use super::key::{AgreementKey, PublicKey};
use super::{Algorithm, CONTENT_ALGORITHM, KEY_LENGTH, TAG, WRAPPED_LENGTH};
use crate::json::Object;
use crate::keys::SealingKey;

/// The recipient of one message.
pub struct Recipient {
    key: PublicKey,
    ephemeral: PublicKey,
    algorithm: Algorithm,
    derived: [u8; KEY_LENGTH],
}

impl Recipient {
    /// Agrees on a key with a public key, using a key on its curve that is generated for this one message: by
    /// `ECDH-ES+A256KW` if the public key names that, else by `ECDH-ES`. `None` if the public key is invalid or
    /// requires another algorithm.
    pub fn agree(key: PublicKey, ephemeral: &AgreementKey) -> Option<Recipient> {
        let algorithm = match key.algorithm.as_deref() {
            None => Algorithm::EcdhEs,
            Some(name) => Algorithm::named(name).filter(|algorithm| *algorithm != Algorithm::RsaOaep256)?,
        };
        let context = Context { algorithm: algorithm.derived_for(), party_u: &[], party_v: &[] };
        let derived = derive(ephemeral, &key, &context)?;
        Some(Recipient { ephemeral: ephemeral.public()?, key, algorithm, derived })
    }

    /// Encrypts a text in compact form, with further parameters in its protected header. The nonce must be random, and
    /// so must the content key, which is used only with key wrapping.
    pub fn seal(
        self,
        content_key: [u8; KEY_LENGTH],
        nonce: [u8; NONCE_LEN],
        parameters: &Object,
        plain: &[u8],
    ) -> Option<String> {
        let (content_key, encrypted_key) = if self.algorithm == Algorithm::EcdhEsA256Kw {
            let mut wrapped = vec![0; WRAPPED_LENGTH];
            AesKek::new(&AES_256, &self.derived).ok()?.wrap(&content_key, &mut wrapped).ok()?;
            (content_key, wrapped)
        } else {
            (self.derived, Vec::new())
        };
        let mut header = Object::from_iter([("alg", self.algorithm.name()), ("enc", CONTENT_ALGORITHM)]);
        header.insert("epk", self.ephemeral.jwk());
        if let Some(key_id) = &self.key.key_id {
            header.insert("kid", key_id.as_str());
        }
        for (name, value) in parameters.iter() {
            header.insert(name.as_str(), value.clone());
        }
        let protected = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).ok()?);
        let sealed = SealingKey::new(&content_key).seal(nonce, protected.as_bytes(), plain);
        let (nonce, text) = sealed.split_at(NONCE_LEN);
        let (ciphertext, tag) = text.split_at(text.len() - TAG);
        let encoded = [&encrypted_key, nonce, ciphertext, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
        Some(format!("{protected}.{}", encoded.join(".")))
    }
}

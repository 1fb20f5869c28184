use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// A key that seals bytes with AES-256-GCM, as nonce ‖ ciphertext ‖ tag.
#[derive(Clone)]
pub struct SealingKey(Arc<LessSafeKey>);

/// Sealed bytes do not open: wrong key, wrong context, or altered bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this key")]
pub struct OpenError;

impl SealingKey {
    /// Takes a 32-byte key.
    pub fn new(key: &[u8; 32]) -> SealingKey {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256-GCM takes every key of 32 bytes");
        SealingKey(Arc::new(LessSafeKey::new(key)))
    }

    /// Seals bytes to a context (what they belong to). The nonce must be random and new for every call: 2³² seals per
    /// key keep the chance of a repeat below 2⁻³² (NIST SP 800-38D §8.3).
    pub fn seal(&self, nonce: [u8; NONCE_LEN], context: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = nonce.to_vec();
        let mut text = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .expect("sealing fails only beyond 64 GiB");
        sealed.append(&mut text);
        sealed
    }

    /// Opens bytes that were sealed to this context.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut text = text.to_vec();
        let length = self.0.open_in_place(nonce, Aad::from(context), &mut text).map_err(|_| OpenError)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_only_with_their_key_in_their_context_and_whole() {
        let key = SealingKey::new(&[1; 32]);
        let sealed = key.seal([9; 12], b"here", b"secret");
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"secret");
        assert_eq!(key.open(b"there", &sealed), Err(OpenError));
        assert_eq!(SealingKey::new(&[2; 32]).open(b"here", &sealed), Err(OpenError));
        for cut in 0..sealed.len() {
            assert_eq!(key.open(b"here", &sealed[..cut]), Err(OpenError));
        }
    }
}

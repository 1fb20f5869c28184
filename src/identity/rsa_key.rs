use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;

use crate::account::{Cause, Error};
use crate::keys::rsa;

/// A key that signs tokens with RS256 (RFC 7518 §3.3), the one algorithm that every OpenID Connect client supports.
pub(super) struct RsaKey {
    key_id: String,
    pair: KeyPair,
}

impl RsaKey {
    /// Generates a 2048-bit key: its public half as a JWK without `kid`, and its private half in PKCS #8. May take
    /// seconds, so it must not run on a thread that serves requests.
    pub(super) fn generate() -> Result<(serde_json::Value, Vec<u8>), Error> {
        let unusable = |error: aws_lc_rs::error::Unspecified| Error::Internal(Cause::new(error));
        // The library draws the randomness itself.
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(unusable)?;
        let modulus = rsa::modulus(pair.public_key().as_ref());
        let modulus = modulus.ok_or_else(|| Error::Internal(Cause::new("a new RSA key has another form")))?;
        let modulus = URL_SAFE_NO_PAD.encode(modulus);
        let private: Pkcs8V1Der = pair.as_der().map_err(unusable)?;
        let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "n": modulus, "e": rsa::EXPONENT });
        Ok((jwk, private.as_ref().to_vec()))
    }

    /// Takes a private half in PKCS #8 and the key's `kid`.
    pub(super) fn open(key_id: String, private: &[u8]) -> Result<RsaKey, Error> {
        let pair = KeyPair::from_pkcs8(private).map_err(|error| Error::Internal(Cause::new(error)))?;
        Ok(RsaKey { key_id, pair })
    }

    /// Returns a signed token with these claims, in compact form (RFC 7515 §7.1).
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        #[derive(Serialize)]
        struct Header<'a> {
            kid: &'a str,
            typ: &'static str,
            alg: &'static str,
        }
        let encode = |part: serde_json::Result<Vec<u8>>| {
            part.map(|part| URL_SAFE_NO_PAD.encode(part)).map_err(|error| Error::Internal(Cause::new(error)))
        };
        let header = Header { kid: &self.key_id, typ: "JWT", alg: "RS256" };
        let header = encode(serde_json::to_vec(&header))?;
        let message = format!("{header}.{}", encode(serde_json::to_vec(claims))?);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // This padding is deterministic (RFC 8017 §8.2); the library takes a source of randomness all the same.
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature);
        signed.map_err(|error| Error::Internal(Cause::new(error)))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

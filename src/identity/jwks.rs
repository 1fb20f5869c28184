//! Public keys of issuers (RFC 7517), and the algorithms that each fits.

use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// The most keys kept of one issuer.
const MAX_KEYS: usize = 100;
/// The most keys that are tried for one token: each try costs the verification of a signature.
const MAX_TRIED: usize = 4;
/// The accepted RSA key sizes, in bytes: from 2048 bits (RFC 7518 §3.3) to 8192 bits, which bounds the cost of a
/// verification.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

const RSA: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// A public key that verifies tokens.
#[derive(Clone)]
pub(super) struct VerificationKey {
    /// The `kid` by which tokens name it.
    pub(super) key_id: Option<String>,
    /// The algorithms it may be used with: an algorithm must fit its key (RFC 8725 §3.1).
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
    /// Distinguishes the key from another one with the same `kid`.
    pub(super) fingerprint: [u8; 32],
}

/// The keys of one issuer at one point in time.
#[derive(Clone, Default)]
pub(super) struct KeySet(Vec<Arc<VerificationKey>>);

/// A JWK Set whose keys are parsed one by one: an unknown key is ignored (RFC 7517 §5), not the whole set.
#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a JWK Set, leaving out keys that are not for verification, of an unknown type, or with no algorithm in
    /// `allowed`. `None` if no usable key is left: an issuer without keys is an error on its side, not a state to
    /// adopt.
    pub(super) fn read(document: &[u8], allowed: &[Algorithm]) -> Option<KeySet> {
        let set: Set = serde_json::from_slice(document).ok()?;
        let understood = set.keys.into_iter().take(MAX_KEYS).filter_map(|jwk| serde_json::from_value(jwk).ok());
        let keys = understood.filter_map(|jwk| VerificationKey::read(&jwk, allowed)).map(Arc::new);
        let keys: Vec<_> = keys.collect();
        (!keys.is_empty()).then_some(KeySet(keys))
    }

    /// Returns the keys to try for a token: those that the token names, since a provider may publish two keys under one
    /// `kid`, or, if it names none, the only one that fits.
    pub(super) fn find(&self, key_id: Option<&str>, algorithm: Algorithm) -> Vec<Arc<VerificationKey>> {
        let fits = |key: &&Arc<VerificationKey>| {
            key.algorithms.contains(&algorithm) && (key_id.is_none() || key.key_id.as_deref() == key_id)
        };
        let fitting: Vec<_> = self.0.iter().filter(fits).take(MAX_TRIED).cloned().collect();
        if key_id.is_none() && fitting.len() > 1 { Vec::new() } else { fitting }
    }

    /// Checks whether a key is still in the set, with the same `kid` and fingerprint.
    pub(super) fn contains(&self, key: &VerificationKey) -> bool {
        self.0.iter().any(|kept| kept.key_id == key.key_id && kept.fingerprint == key.fingerprint)
    }

    /// Adds a key.
    pub(super) fn push(&mut self, key: VerificationKey) {
        self.0.push(Arc::new(key));
    }
}

impl VerificationKey {
    /// Reads one key; `None` if it is not for verification or fits no algorithm in `allowed`.
    pub(super) fn read(jwk: &Jwk, allowed: &[Algorithm]) -> Option<VerificationKey> {
        let for_signatures = jwk.common.public_key_use.as_ref().is_none_or(|r#use| *r#use == PublicKeyUse::Signature);
        let for_verifying =
            jwk.common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        let named = jwk.common.key_algorithm.map(|named| named.to_string().parse::<Algorithm>());
        let algorithms: Vec<Algorithm> = fitting(jwk)?
            .iter()
            .filter(|algorithm| allowed.contains(algorithm))
            .filter(|algorithm| {
                named.as_ref().is_none_or(|named| named.as_ref().is_ok_and(|named| named == *algorithm))
            })
            .copied()
            .collect();
        if !for_signatures || !for_verifying || algorithms.is_empty() {
            return None;
        }
        let material = serde_json::to_vec(&jwk.algorithm).ok()?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &material).as_ref());
        let decoding = DecodingKey::from_jwk(jwk).ok().filter(|key| is_whole(jwk, key))?;
        Some(VerificationKey { key_id: jwk.common.key_id.clone(), algorithms, decoding, fingerprint })
    }
}

/// Checks whether a key's bytes are a valid public key. A malformed key is an error on the provider's side, and its
/// earlier keys are better than none.
fn is_whole(jwk: &Jwk, key: &DecodingKey) -> bool {
    let point = key.try_get_as_bytes().unwrap_or_default();
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).is_ok()
        }
        AlgorithmParameters::EllipticCurve(_) => ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).is_ok(),
        AlgorithmParameters::OctetKeyPair(_) => ParsedPublicKey::new(&ED25519, point).is_ok(),
        _ => true,
    }
}

/// Returns the algorithms that a key can be used with; none for shared secrets, RSA keys of a refused size, and unknown
/// types.
fn fitting(jwk: &Jwk) -> Option<&'static [Algorithm]> {
    match &jwk.algorithm {
        AlgorithmParameters::RSA(key) => {
            let modulus = URL_SAFE_NO_PAD.decode(&key.n).ok()?;
            RSA_BYTES.contains(&modulus.len()).then_some(&RSA)
        }
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Some(&[Algorithm::ES256]),
            EllipticCurve::P384 => Some(&[Algorithm::ES384]),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(key) => match key.curve {
            EllipticCurve::Ed25519 => Some(&[Algorithm::EdDSA]),
            _ => None,
        },
        _ => None,
    }
}

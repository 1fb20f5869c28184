//! Public keys as others publish them (RFC 7517), and which algorithms each is for.

use std::sync::Arc;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

/// The most keys of one issuer that are kept.
const MAX_KEYS: usize = 100;
/// The RSA key sizes that are believed, in bytes: 2048 bits (RFC 7518 §3.3) to what costs no more than it should.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

const RSA: [Algorithm; 6] =
    [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// A public key that tokens may be signed with.
#[derive(Clone)]
pub(super) struct VerificationKey {
    /// The name that tokens call it by.
    pub(super) key_id: Option<String>,
    /// What it may be used with: an algorithm must fit its key (RFC 8725 §3.1).
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
    /// Tells the same key from another under the same name.
    pub(super) fingerprint: [u8; 32],
}

/// The keys of one issuer at a moment.
#[derive(Clone, Default)]
pub(super) struct KeySet(Vec<Arc<VerificationKey>>);

/// A JWK Set whose keys are read one by one: one that is not understood is ignored (RFC 7517 §5), not the whole set.
#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a JWK Set; keys that are not for verifying, that this program does not know, or whose algorithms are not
    /// `allowed` are left out. `None` when nothing usable is left: an issuer without keys has a fault, not a wish.
    pub(super) fn read(document: &[u8], allowed: &[Algorithm]) -> Option<KeySet> {
        let set: Set = serde_json::from_slice(document).ok()?;
        let understood = set.keys.into_iter().take(MAX_KEYS).filter_map(|jwk| serde_json::from_value(jwk).ok());
        let keys = understood.filter_map(|jwk| VerificationKey::read(&jwk, allowed)).map(Arc::new);
        let keys: Vec<_> = keys.collect();
        (!keys.is_empty()).then_some(KeySet(keys))
    }

    /// The key for a token: the one that it names, or, if it names none, the only one that fits.
    pub(super) fn find(&self, key_id: Option<&str>, algorithm: Algorithm) -> Option<Arc<VerificationKey>> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.algorithms.contains(&algorithm) && (key_id.is_none() || key.key_id.as_deref() == key_id));
        let key = fitting.next()?;
        (key_id.is_some() || fitting.next().is_none()).then(|| key.clone())
    }

    /// Whether a key is still among them, under its name and unchanged.
    pub(super) fn contains(&self, key: &VerificationKey) -> bool {
        self.0.iter().any(|kept| kept.key_id == key.key_id && kept.fingerprint == key.fingerprint)
    }

    /// Adds a key.
    pub(super) fn push(&mut self, key: VerificationKey) {
        self.0.push(Arc::new(key));
    }
}

impl VerificationKey {
    /// Reads one key; `None` when it is not for verifying or nothing that is `allowed` fits it.
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

/// Whether a key's bytes are a key: a provider that publishes something else has a fault, and the keys that it had are
/// better than none.
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

/// The algorithms that a key can be used with; none for shared secrets, small RSA keys and what is not known.
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

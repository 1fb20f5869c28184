use aws_lc_rs::agreement::{self, ECDH_P256, X25519};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::Object;

/// Bytes of a coordinate on either curve.
const COORDINATE: usize = 32;
/// The first byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The curves for key agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST's P-256 (RFC 7518 §6.2.1.1).
    P256,
    /// Curve25519 (RFC 8037 §2).
    X25519,
}

/// A public key on one of the curves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its curve.
    pub curve: Curve,
    /// Its `kid`, if any.
    pub key_id: Option<String>,
    /// The algorithm that its owner requires, if any.
    pub algorithm: Option<String>,
    /// Uncompressed on P-256, else the x-coordinate.
    pub(super) point: Vec<u8>,
}

/// A private key that opens messages.
pub enum PrivateKey {
    /// Of 2048 bits, for `RSA-OAEP-256`.
    Rsa(OaepPrivateDecryptingKey),
    /// For both key agreement algorithms.
    Agreement(AgreementKey),
}

/// A private key on one of the curves.
pub struct AgreementKey {
    pub(super) curve: Curve,
    pub(super) private: agreement::PrivateKey,
}

impl Curve {
    pub(super) fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Curve::P256 => &ECDH_P256,
            Curve::X25519 => &X25519,
        }
    }

    /// Returns the values of `kty` and `crv`.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Curve::P256 => ("EC", "P-256"),
            Curve::X25519 => ("OKP", "X25519"),
        }
    }
}

impl PublicKey {
    /// Reads a JWK; `None` if it is not a public key on one of the curves. A private key is refused: it should never be
    /// sent.
    pub fn read(jwk: &Object) -> Option<PublicKey> {
        let text = |name| jwk.get(name).and_then(|value| value.as_str());
        let optional = |name| match jwk.get(name) {
            None => Some(None),
            Some(value) => value.as_str().map(|text| Some(text.to_owned())),
        };
        let curve = [Curve::P256, Curve::X25519].into_iter().find(|curve| Some(curve.names().1) == text("crv"))?;
        if text("kty") != Some(curve.names().0) || jwk.contains_key("d") {
            return None;
        }
        let coordinate = |name| URL_SAFE_NO_PAD.decode(text(name)?).ok().filter(|bytes| bytes.len() == COORDINATE);
        let point = match curve {
            Curve::P256 => [vec![UNCOMPRESSED], coordinate("x")?, coordinate("y")?].concat(),
            Curve::X25519 => coordinate("x")?,
        };
        Some(PublicKey { curve, key_id: optional("kid")?, algorithm: optional("alg")?, point })
    }

    /// Returns the members that define the key, in the order of its thumbprint (RFC 7638 §3.2).
    pub fn jwk(&self) -> Object {
        let (kind, curve) = self.curve.names();
        let mut jwk = Object::from_iter([("crv", curve), ("kty", kind)]);
        let bytes = if self.curve == Curve::P256 { &self.point[1..] } else { &self.point };
        for (name, coordinate) in ["x", "y"].into_iter().zip(bytes.chunks(COORDINATE)) {
            jwk.insert(name, URL_SAFE_NO_PAD.encode(coordinate));
        }
        jwk
    }
}

impl PrivateKey {
    /// Takes an RSA key in PKCS #8.
    pub fn rsa(pkcs8: &[u8]) -> Option<PrivateKey> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        OaepPrivateDecryptingKey::new(key).ok().map(PrivateKey::Rsa)
    }

    /// Takes a key of 32 bytes on a curve.
    pub fn agreement(curve: Curve, bytes: &[u8]) -> Option<PrivateKey> {
        AgreementKey::read(curve, bytes).map(PrivateKey::Agreement)
    }

    /// Decrypts a short text with RSA-OAEP, with SHA-256 also for the mask generation; `None` for any error, and for
    /// any other kind of key.
    pub fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let PrivateKey::Rsa(key) = self else { return None };
        let mut plain = vec![0; key.min_output_size()];
        let length = key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut plain, None).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

impl AgreementKey {
    /// Takes a key of 32 bytes; on P-256, one in 2³² random values is not a valid key.
    pub fn read(curve: Curve, bytes: &[u8]) -> Option<AgreementKey> {
        let private = agreement::PrivateKey::from_private_key(curve.agreement(), bytes).ok()?;
        Some(AgreementKey { curve, private })
    }

    /// Returns its public half.
    pub fn public(&self) -> Option<PublicKey> {
        let point = self.private.compute_public_key().ok()?.as_ref().to_vec();
        Some(PublicKey { curve: self.curve, key_id: None, algorithm: None, point })
    }
}

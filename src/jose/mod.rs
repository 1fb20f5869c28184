//! The supported subset of JSON Web Encryption (RFC 7516): `RSA-OAEP-256`, `ECDH-ES` and `ECDH-ES+A256KW` on P-256 and
//! X25519 (RFC 7518 §4, RFC 8037 §3.2), with `A256GCM` as the only content encryption, in compact or flattened form.
//!
//! Everything else is refused before anything is computed: above all `zip`, whose text may inflate without bound,
//! `PBES2-…`, whose work the sender chooses, and `RSA1_5`, whose padding leaks information.

mod agreement;
mod key;
mod message;
mod seal;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

pub use key::{AgreementKey, Curve, PrivateKey, PublicKey};
pub use message::Message;
pub use seal::Recipient;

/// The algorithm for the content key (RFC 7518 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The content key is encrypted to an RSA key.
    RsaOaep256,
    /// The content key is the agreed key.
    EcdhEs,
    /// The content key is wrapped with the agreed key.
    EcdhEsA256Kw,
}

/// The only content encryption.
const CONTENT_ALGORITHM: &str = "A256GCM";
/// Bytes of a content key.
const KEY_LENGTH: usize = 32;
/// Bytes of the authentication tag (RFC 7518 §5.3).
const TAG: usize = 16;
/// Bytes of a wrapped content key (RFC 3394 §2.2.1).
const WRAPPED_LENGTH: usize = KEY_LENGTH + 8;

impl Algorithm {
    const ALL: [Algorithm; 3] = [Algorithm::RsaOaep256, Algorithm::EcdhEs, Algorithm::EcdhEsA256Kw];

    /// Returns the value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::RsaOaep256 => "RSA-OAEP-256",
            Algorithm::EcdhEs => "ECDH-ES",
            Algorithm::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }

    fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns the AlgorithmID of the key derivation (RFC 7518 §4.6.2): the content encryption for direct agreement,
    /// else the key wrapping.
    fn derived_for(self) -> &'static str {
        if self == Algorithm::EcdhEs { CONTENT_ALGORITHM } else { self.name() }
    }
}

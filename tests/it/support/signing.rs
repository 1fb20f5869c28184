//! Keys of every algorithm family, and signed tokens with any header and claims.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Generated once: generating an RSA key takes as long as a whole test.
static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

/// A signing key with a key identifier.
pub(crate) struct Key {
    pub(crate) id: String,
    pair: Pair,
}

enum Pair {
    Rsa(&'static RsaKeyPair),
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// The RSA key of 2048 bits that all tests of the process share.
    pub(crate) fn rsa(id: &str) -> Key {
        Key { id: id.to_owned(), pair: Pair::Rsa(&RSA) }
    }

    /// A new key on P-256, for ES256.
    pub(crate) fn p256(id: &str) -> Key {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Key { id: id.to_owned(), pair: Pair::Ecdsa(pair, "P-256") }
    }

    /// A new key on P-384, for ES384.
    pub(crate) fn p384(id: &str) -> Key {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        Key { id: id.to_owned(), pair: Pair::Ecdsa(pair, "P-384") }
    }

    /// A new Ed25519 key, for EdDSA.
    pub(crate) fn ed25519(id: &str) -> Key {
        Key { id: id.to_owned(), pair: Pair::Ed25519(Ed25519KeyPair::generate().unwrap()) }
    }

    /// The public key as a JWK, without `use` and `alg`.
    pub(crate) fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(_) => json!({"kty": "RSA", "kid": self.id, "n": text(&self.modulus()), "e": "AQAB"}),
            Pair::Ecdsa(pair, curve) => {
                // An uncompressed point: 4, x, y.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({"kty": "EC", "kid": self.id, "crv": curve, "x": text(x), "y": text(y)})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "kid": self.id, "crv": "Ed25519", "x": text(pair.public_key().as_ref())})
            }
        }
    }

    /// The modulus of an RSA key.
    pub(crate) fn modulus(&self) -> Vec<u8> {
        let Pair::Rsa(pair) = &self.pair else { panic!("only RSA keys have a modulus") };
        // RSAPublicKey (RFC 8017, appendix A.1.1) of 2048 bits with exponent 65537: the modulus begins after 9 bytes.
        pair.public_key().as_ref()[9..265].to_vec()
    }

    /// The public half of an RSA key as SubjectPublicKeyInfo.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let Pair::Rsa(pair) = &self.pair else { panic!("only asked of RSA keys") };
        let der: PublicKeyX509Der = pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// The private key as PKCS #8, for another program.
    pub(crate) fn private_der(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der>::as_der(*pair).unwrap().as_ref().to_vec(),
            Pair::Ecdsa(pair, _) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().unwrap().as_ref().to_vec(),
        }
    }

    /// Signs bytes with one of the key's algorithms from RFC 7518 or RFC 8037.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ecdsa(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// Signs a token whose header names the algorithm and this key.
    pub(crate) fn token(&self, algorithm: &str, claims: &Value) -> String {
        self.token_of(&json!({"alg": algorithm, "typ": "at+jwt", "kid": self.id}).to_string(), &claims.to_string())
    }

    /// Signs a token of exactly these texts with the algorithm in the header, or with the key's default.
    pub(crate) fn token_of(&self, header: &str, claims: &str) -> String {
        let named: Value = serde_json::from_str(header).unwrap();
        let message = message(header, claims);
        let signature = self.sign(named["alg"].as_str().unwrap_or_default(), message.as_bytes());
        with_signature(&message, &signature)
    }
}

/// The signing input of a token: the encoded header and claims with a dot between them.
pub(crate) fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// Joins a signing input and its signature to a token.
pub(crate) fn with_signature(message: &str, signature: &[u8]) -> String {
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

//! Access tokens of an identity provider (RFC 9068), signed with Ed25519.

use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, get_current_timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Outcome;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "bench";
const KEY_ID: &str = "bench";
/// Longer than any run, in seconds.
const LIFETIME: u64 = 24 * 60 * 60;

#[derive(Deserialize, Serialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: u64,
    exp: u64,
    jti: String,
    scope: String,
    client_hash: String,
}

/// Writes `jwks.json` and `tokens` into a folder; the tokens are for the subjects `1` to `count`.
pub(super) fn sign(folder: &Path, count: usize) -> Outcome {
    let pair = Ed25519KeyPair::generate()?;
    let public = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
    let key = json!({"kty": "OKP", "crv": "Ed25519", "x": public, "kid": KEY_ID, "alg": "EdDSA", "use": "sig"});
    fs::write(folder.join("jwks.json"), json!({"keys": [key]}).to_string())?;
    let private = EncodingKey::from_ed_der(pair.to_pkcs8v1()?.as_ref());
    let header =
        Header { typ: Some("at+jwt".to_owned()), kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
    let now = get_current_timestamp();
    let mut tokens = String::new();
    for subject in 1..=count {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.to_string(),
            iat: now,
            exp: now + LIFETIME,
            jti: format!("00000000-0000-4000-8000-{subject:012}"),
            scope: "openid profile email phone".to_owned(),
            client_hash: "bench".to_owned(),
        };
        tokens.push_str(&jsonwebtoken::encode(&header, &claims, &private)?);
        tokens.push('\n');
    }
    Ok(fs::write(folder.join("tokens"), tokens)?)
}

/// Checks the tokens that [`sign`] wrote into a folder.
pub(super) struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// Reads the key set of a folder.
    pub(super) fn read(folder: &Path) -> Outcome<Verifier> {
        let keys: JwkSet = serde_json::from_slice(&fs::read(folder.join("jwks.json"))?)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        Ok(Verifier { key: DecodingKey::from_jwk(keys.keys.first().ok_or("the key set is empty")?)?, validation })
    }

    /// Checks signature, issuer, audience and time, and returns when the token expires, in seconds since 1970.
    pub(super) fn verify(&self, token: &str) -> Option<u64> {
        jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation).ok().map(|token| token.claims.exp)
    }
}

//! External issuers whose tokens are accepted.

use crate::account::Contract;
use crate::json::{Object, Value};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Deserializer, de::Error};

use super::{
    url,
    value::{self, HOUR, MINUTE, duration, fits_issuer, list, read},
};

/// An external issuer whose tokens are accepted: a section `[trusted_issuer.NAME]`.
///
/// `config.default.toml` documents each setting under `[trusted_issuer.example]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Section")]
pub struct TrustedIssuer {
    /// The exact `iss` of its tokens; unique among the sections.
    pub issuer: String,
    /// Where its keys come from.
    pub keys: KeySource,
    /// Accepted signature algorithms, at least one; each is asymmetric.
    pub algorithms: Vec<Algorithm>,
    /// Accepted audiences, at least one; a token's `audience_claim` must name one of them.
    pub audience: Vec<String>,
    /// The claim that names a token's audiences.
    pub audience_claim: String,
    /// Accepted values of a token's `typ`, at least one.
    pub access_token_typ: Vec<String>,
    /// A claim that only its access tokens have.
    pub access_token_claim: Option<AccessTokenClaim>,
    /// Name of the tenant that its accounts belong to.
    pub tenant: String,
    /// Contracts that its tokens are valid for, at least one.
    pub contracts: Vec<Contract>,
    /// Tolerated difference between clocks when a token is verified.
    pub leeway: Duration,
    /// Time after which its keys are fetched again.
    pub refresh: Duration,
    /// How long fetched keys are trusted while the issuer cannot be reached.
    pub stale_for: Duration,
    /// How a person without an account is treated.
    pub provision: Provision,
    /// Whether an e-mail address or phone number that a token marks verified counts as verified here too.
    pub trust_verified_claims: bool,
    /// The claims that `/userinfo` shows for a token without an application; if empty, those of its scopes.
    pub userinfo_claims: Vec<String>,
    /// The claim that each field of a new account is copied from; fields that are not copied are absent.
    pub claims: BTreeMap<String, String>,
}

/// A claim that distinguishes access tokens from ID tokens: its name, and its value if only that value does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessTokenClaim {
    name: String,
    value: Option<String>,
}

impl AccessTokenClaim {
    /// Checks whether claims contain it.
    pub fn is_in(&self, claims: &Object) -> bool {
        let claim = claims.get(&self.name);
        match &self.value {
            Some(value) => claim.and_then(Value::as_str) == Some(value),
            None => claim.is_some_and(|claim| !matches!(claim, Value::Null)),
        }
    }
}

/// Where the keys of a trusted issuer come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySource {
    /// The `jwks_uri` that OpenID Connect Discovery finds at the issuer's URL.
    Discovery,
    /// This URL: `https`, or `http` with a loopback host.
    JwksUri(String),
    /// This file.
    JwksFile(PathBuf),
}

/// How a person with a valid token and no account is treated.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Provision {
    /// The request is refused.
    Refuse,
    /// An account is created from the token's claims.
    Create,
}

/// The section as written in the file; the rules between its settings are in `check`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(deserialize_with = "issuer")]
    issuer: String,
    #[serde(deserialize_with = "url::optional_trustworthy")]
    jwks_uri: Option<String>,
    #[serde(deserialize_with = "value::optional_path")]
    jwks_file: Option<PathBuf>,
    #[serde(deserialize_with = "algorithms")]
    algorithms: Vec<Algorithm>,
    #[serde(deserialize_with = "audience")]
    audience: Vec<String>,
    #[serde(deserialize_with = "claim")]
    audience_claim: String,
    #[serde(deserialize_with = "types")]
    access_token_typ: Vec<String>,
    #[serde(deserialize_with = "access_token_claim")]
    access_token_claim: Option<AccessTokenClaim>,
    #[serde(deserialize_with = "tenant")]
    tenant: String,
    #[serde(deserialize_with = "contracts")]
    contracts: Vec<Contract>,
    #[serde(deserialize_with = "duration::<_, 0, { 10 * MINUTE }>")]
    leeway: Duration,
    #[serde(deserialize_with = "duration::<_, 10_000, { 24 * HOUR }>")]
    refresh: Duration,
    #[serde(deserialize_with = "duration::<_, MINUTE, { 168 * HOUR }>")]
    stale_for: Duration,
    provision: Provision,
    trust_verified_claims: bool,
    #[serde(deserialize_with = "userinfo_claims")]
    userinfo_claims: Vec<String>,
    claims: BTreeMap<String, String>,
}

impl From<Section> for TrustedIssuer {
    fn from(section: Section) -> Self {
        let keys = match (section.jwks_uri, section.jwks_file) {
            (_, Some(file)) => KeySource::JwksFile(file),
            (Some(url), None) => KeySource::JwksUri(url),
            (None, None) => KeySource::Discovery,
        };
        Self {
            issuer: section.issuer,
            keys,
            algorithms: section.algorithms,
            audience: section.audience,
            audience_claim: section.audience_claim,
            access_token_typ: section.access_token_typ,
            access_token_claim: section.access_token_claim,
            tenant: section.tenant,
            contracts: section.contracts,
            leeway: section.leeway,
            refresh: section.refresh,
            stale_for: section.stale_for,
            provision: section.provision,
            trust_verified_claims: section.trust_verified_claims,
            userinfo_claims: section.userinfo_claims,
            claims: section.claims.into_iter().filter(|(_, claim)| !claim.is_empty()).collect(),
        }
    }
}

/// The signature algorithms with a public key; a shared secret would let this server forge tokens.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

fn algorithms<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Algorithm>, D::Error> {
    let expected = format!("expected {}", ALGORITHMS.map(|(name, _)| name).join(", "));
    let read = |text: &str| ALGORITHMS.iter().find(|(name, _)| *name == text).map(|(_, algorithm)| *algorithm);
    at_least_one(list(source, &expected, |text| read(text).ok_or(&expected))?, "algorithm")
}

fn audience<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    at_least_one(texts(source, "expected a list of audiences such as [\"https://id.example.com\"]")?, "audience")
}

fn types<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    at_least_one(texts(source, "expected a list of types such as [\"at+jwt\"]")?, "type")
}

fn claim<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    read(source, "must name a claim such as aud", |text| (!text.is_empty()).then(|| text.to_owned()))
}

fn access_token_claim<'de, D: Deserializer<'de>>(source: D) -> Result<Option<AccessTokenClaim>, D::Error> {
    read(source, "must be the name of a claim, or NAME=VALUE", |text| {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        match (name, &value) {
            ("", None) => Some(None),
            ("", Some(_)) => None,
            _ => Some(Some(AccessTokenClaim { name: name.to_owned(), value })),
        }
    })
}

fn userinfo_claims<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    texts(source, "expected a list of claims such as [\"name\", \"email\"]")
}

fn contracts<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Contract>, D::Error> {
    at_least_one(list(source, "expected a list of contracts such as [\"system\"]", str::parse)?, "contract")
}

fn issuer<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    let expected = "must be the iss of its tokens, 1 to 255 bytes without spaces, such as https://login.example.com";
    read(source, expected, |text| (!text.is_empty() && fits_issuer(text)).then(|| text.to_owned()))
}

fn tenant<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    read(source, "must name the tenant that its accounts belong to", |text| (!text.is_empty()).then(|| text.to_owned()))
}

/// Reads a list of texts that are not empty.
fn texts<'de, D: Deserializer<'de>>(source: D, expected: &str) -> Result<Vec<String>, D::Error> {
    list(source, expected, |text| if text.is_empty() { Err(expected) } else { Ok(text.to_owned()) })
}

fn at_least_one<T, E: Error>(items: Vec<T>, kind: &str) -> Result<Vec<T>, E> {
    if items.is_empty() { Err(E::custom(format!("must name at least one {kind}"))) } else { Ok(items) }
}

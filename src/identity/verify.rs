//! Verifies tokens: form, issuer, type, key, signature and claims, in the order of [`Rule`].

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Algorithm;

use super::compact_jws::CompactJws;
use super::jwks::VerificationKey;
use super::rule::{Refusal, Rule};
use super::trusted::Trusted;
use super::{Authenticator, Token, claims};
use crate::account::{Contract, Error};
use crate::config::AccessTokenClaim;
use crate::json::{Object, Value};

/// The types of access tokens that the embedded issuer signs (RFC 9068 §2.1, RFC 7519 §5.1).
const OWN_TYPES: [&str; 2] = ["at+jwt", "JWT"];
/// The claim that names a token's audiences (RFC 7519 §4.1.3).
const AUDIENCE: &str = "aud";

/// The source of a token.
pub(super) enum Source {
    /// The embedded issuer.
    Own,
    /// The embedded issuer, for one of its applications.
    Application,
    /// A trusted issuer.
    Trusted(Arc<Trusted>),
}

impl Source {
    /// Checks whether a token of this source, with these audiences, is valid for a contract.
    pub(super) fn opens(&self, contract: Contract, audience: &[String]) -> bool {
        match self {
            Source::Own => audience.iter().any(|audience| audience == contract.name()),
            // No other contract: there the application's claims would not limit what it may read and change.
            Source::Application => contract == Contract::Ciam,
            Source::Trusted(issuer) => issuer.settings.contracts.contains(&contract),
        }
    }
}

/// Why a token could not be verified.
pub(super) enum Unverified {
    /// The token breaks a rule.
    Refused(Refusal),
    /// It is not known whether it does.
    Failed(Error),
}

impl From<Refusal> for Unverified {
    fn from(refusal: Refusal) -> Unverified {
        Unverified::Refused(refusal)
    }
}

impl From<Error> for Unverified {
    fn from(error: Error) -> Unverified {
        Unverified::Failed(error)
    }
}

/// A parsed token of a known issuer; nothing in it may be trusted before its signature is verified.
pub(super) struct Candidate<'a> {
    pub(super) jws: CompactJws<'a>,
    pub(super) claims: Object,
    pub(super) source: Source,
}

impl Authenticator {
    /// Parses a token and finds its issuer.
    pub(super) fn candidate<'a>(&self, presented: &'a str) -> Result<Candidate<'a>, Refusal> {
        let jws = CompactJws::read(presented, self.max_token_bytes)?;
        let claims = jws.claims()?;
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let is_own = issuer == self.issuer.name();
        let is_application = issuer == self.public_url.as_str();
        let source = match jws.algorithm {
            Algorithm::RS256 if is_application => Source::Application,
            _ if is_own => Source::Own,
            _ if is_application => Source::Application,
            _ => match self.trusted.get(issuer) {
                Some(trusted) => Source::Trusted(trusted.clone()),
                None => return Err(Refusal::new(Rule::Issuer, self.unknown_issuer(issuer))),
            },
        };
        Ok(Candidate { jws, claims, source })
    }

    /// Explains why an issuer is not known, with the one that was probably meant.
    fn unknown_issuer(&self, issuer: &str) -> String {
        let bare = |text: &str| text.trim_end_matches('/').to_lowercase();
        match self.trusted.keys().find(|known| bare(known) == bare(issuer)) {
            Some(known) => format!("iss is {issuer:?}, but trusted is {known:?}; they must be the same to the letter"),
            None => format!("iss is {issuer:?}, which is no issuer of a [trusted_issuer.NAME] section"),
        }
    }

    /// Verifies a token but for its time, and returns its source, its claims and the key that signed it.
    pub(super) async fn check(&self, candidate: &Candidate<'_>) -> Result<(Token, Arc<VerificationKey>), Unverified> {
        candidate.check_type()?;
        candidate.check_algorithm()?;
        let keys = self.keys_for(candidate).await?;
        let key = candidate.signed_with(&keys)?;
        let token = candidate.token()?;
        candidate.check_kind()?;
        candidate.check_audience(&token)?;
        Ok((token, key))
    }

    /// Returns the keys that a token may be signed with.
    pub(super) async fn keys_for(&self, candidate: &Candidate<'_>) -> Result<Vec<Arc<VerificationKey>>, Unverified> {
        let (key_id, algorithm) = (candidate.jws.key_id.as_deref(), candidate.jws.algorithm);
        let keys = match (&candidate.source, key_id) {
            (Source::Trusted(trusted), _) => trusted.verification_keys(key_id, algorithm, self.clock.now()).await?,
            (_, Some(key_id)) => self.issuer.verification_key(key_id, algorithm).await?.into_iter().collect(),
            (_, None) => Vec::new(),
        };
        if keys.is_empty() {
            let why = match key_id {
                Some(key_id) => format!("no key of the issuer has the kid {key_id:?} and fits the algorithm"),
                None => "it names no kid, and not exactly one key fits".to_owned(),
            };
            return Err(Refusal::new(Rule::Key, why).into());
        }
        Ok(keys)
    }

    /// Returns the tolerated clock difference for tokens of a source.
    pub(super) fn leeway_of(&self, source: &Source) -> Duration {
        match source {
            Source::Own | Source::Application => self.leeway,
            Source::Trusted(trusted) => trusted.settings.leeway,
        }
    }

    /// Returns the name of a source in the log.
    pub(super) fn name_of<'a>(&'a self, source: &'a Source) -> &'a str {
        match source {
            Source::Own => self.issuer.name(),
            Source::Application => self.public_url.as_str(),
            Source::Trusted(trusted) => &trusted.settings.issuer,
        }
    }
}

impl Candidate<'_> {
    pub(super) fn check_type(&self) -> Result<(), Refusal> {
        let (is_accepted, accepted) = match &self.source {
            Source::Own | Source::Application => (self.jws.is_of_type(&OWN_TYPES), OWN_TYPES.join(", ")),
            Source::Trusted(trusted) => {
                let types = &trusted.settings.access_token_typ;
                (self.jws.is_of_type(types), types.join(", "))
            }
        };
        if is_accepted {
            return Ok(());
        }
        Err(Refusal::new(Rule::Type, format!("typ is {:?}; accepted are {accepted}", self.jws.media_type())))
    }

    pub(super) fn check_algorithm(&self) -> Result<(), Refusal> {
        let accepted: &[Algorithm] = match &self.source {
            Source::Own => &[Algorithm::EdDSA],
            Source::Application => &[Algorithm::RS256],
            Source::Trusted(trusted) => &trusted.settings.algorithms,
        };
        if accepted.contains(&self.jws.algorithm) {
            return Ok(());
        }
        Err(Refusal::new(Rule::Algorithm, format!("alg is {:?}; accepted are {accepted:?}", self.jws.algorithm)))
    }

    /// Returns the key that signed the token.
    pub(super) fn signed_with(&self, keys: &[Arc<VerificationKey>]) -> Result<Arc<VerificationKey>, Refusal> {
        let key = keys.iter().find(|key| self.jws.is_signed_with(key));
        key.cloned().ok_or_else(|| Refusal::new(Rule::Signature, "it was not made by the key that the token names"))
    }

    pub(super) fn token(&self) -> Result<Token, Refusal> {
        Token::read(&self.claims, self.audience_claim())
    }

    pub(super) fn check_kind(&self) -> Result<(), Refusal> {
        let marker: Option<&AccessTokenClaim> = match &self.source {
            Source::Own | Source::Application => {
                // Every access token of this installation has a scope and none of the others; its ID tokens have no scope.
                let is_one = claims::given(&self.claims, "scope").is_some()
                    && ["nonce", "at_hash"].iter().all(|name| claims::given(&self.claims, name).is_none());
                if !is_one {
                    return Err(Refusal::new(Rule::Kind, "it is no access token of this installation"));
                }
                None
            }
            Source::Trusted(trusted) => trusted.settings.access_token_claim.as_ref(),
        };
        claims::check_kind(&self.claims, &self.jws.media_type(), marker)
    }

    /// Checks the audience of a trusted issuer's token; for those of the embedded issuer it decides about the contract.
    pub(super) fn check_audience(&self, token: &Token) -> Result<(), Refusal> {
        let Source::Trusted(trusted) = &self.source else { return Ok(()) };
        let accepted = &trusted.settings.audience;
        if accepted.iter().any(|audience| token.audience.contains(audience)) {
            return Ok(());
        }
        let why = format!("{} is {:?}; accepted are {accepted:?}", self.audience_claim(), token.audience);
        Err(Refusal::new(Rule::Audience, why))
    }

    fn audience_claim(&self) -> &str {
        match &self.source {
            Source::Own | Source::Application => AUDIENCE,
            Source::Trusted(trusted) => &trusted.settings.audience_claim,
        }
    }
}

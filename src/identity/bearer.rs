//! Bearer tokens (RFC 6750): JWTs (RFC 7519) of the embedded issuer and of trusted identity providers.

use std::sync::Arc;

use axum::http::HeaderMap;
use jsonwebtoken::Algorithm;

use super::compact_jws::{CompactJws, MAX_LENGTH};
use super::jwks::VerificationKey;
use super::trusted::Trusted;
use super::{Authenticator, Caller, Token, credentials};
use crate::account::{AccessFault, AccountId, Application, Contract, CredentialFault, Error};
use crate::config::Provision;
use crate::json::{Object, Value};
use crate::keys::KeyedHash;
use crate::store::{CallerRecord, Subject};
use crate::telemetry;

/// The types of access tokens that the embedded issuer signs (RFC 9068 §2.1, RFC 7519 §5.1).
const OWN_TYPES: [&str; 2] = ["at+jwt", "JWT"];
/// The scope of a token for claims (OpenID Connect Core §3.1.2.1).
const OPENID: &str = "openid";
/// The most audiences of a token that are looked up as applications.
const MAX_AUDIENCES: usize = 4;

/// A token with a valid signature, and its source.
pub struct Verified {
    pub(super) token: Token,
    source: Source,
    key: Arc<VerificationKey>,
    /// The claims, if an account may be created from them.
    claims: Option<Object>,
}

/// The source of a token.
enum Source {
    Own,
    /// The embedded issuer, for one of its applications.
    Application,
    Trusted(Arc<Trusted>),
}

impl Authenticator {
    /// Authenticates a request by its bearer token: verifies the token, then fetches everything that decides in one
    /// query. A new account is created only for a token that opens `contract`; with `None`, for any.
    pub async fn bearer(&self, headers: &HeaderMap, contract: Option<Contract>) -> Result<Caller, Error> {
        let presented = credentials(headers, "Bearer")?;
        let verified = self.verified(presented).await?;
        self.caller(verified, presented, contract, Error::Credentials(CredentialFault::Invalid)).await
    }

    /// Authenticates a request by a token for claims (OpenID Connect Core §5.3), and returns the application it was
    /// issued to, if known. The scope is checked before the account is looked up.
    pub async fn claims(&self, headers: &HeaderMap) -> Result<(Caller, Option<Application>), Error> {
        let presented = credentials(headers, "Bearer")?;
        let verified = self.verified(presented).await?;
        if !verified.opens(Contract::Ciam) {
            return Err(CredentialFault::Invalid.into());
        }
        let application = self.application_of(&verified).await?;
        if !verified.token.scopes.iter().any(|scope| scope == OPENID) {
            let revoked = self.is_revoked(&verified.token).await?;
            return Err(if revoked {
                Error::Credentials(CredentialFault::Invalid)
            } else {
                Error::Credentials(CredentialFault::ScopeMissing)
            });
        }
        let caller =
            self.caller(verified, presented, Some(Contract::Ciam), Error::Access(AccessFault::AccountUnknown)).await?;
        if application.as_ref().is_some_and(|application| application.tenant_id != caller.tenant.id) {
            return Err(CredentialFault::Invalid.into());
        }
        Ok((caller, application))
    }

    /// Returns the application that a token was issued to. A token of the embedded issuer is invalid if its application
    /// was deleted; another provider may have applications that are unknown here.
    async fn application_of(&self, verified: &Verified) -> Result<Option<Application>, Error> {
        for audience in verified.token.audience.iter().take(MAX_AUDIENCES) {
            let found = self.store.application(audience).await?;
            match (&verified.source, found) {
                (Source::Application, Some((application, _))) => return Ok(Some(application)),
                (Source::Trusted(issuer), Some((application, tenant))) if tenant.name == issuer.settings.tenant => {
                    return Ok(Some(application));
                }
                _ => {}
            }
        }
        match verified.source {
            Source::Trusted(_) => Ok(None),
            Source::Own | Source::Application => Err(Error::Credentials(CredentialFault::Invalid)),
        }
    }

    /// Returns the account of a verified token; `gone` if the token is an application's and the account no longer
    /// exists.
    async fn caller(
        &self,
        verified: Arc<Verified>,
        presented: &str,
        contract: Option<Contract>,
        gone: Error,
    ) -> Result<Caller, Error> {
        let token = &verified.token;
        let session = self.session(token, presented);
        let found = match self.find(&verified, session).await? {
            Some(found) => found,
            None if matches!(verified.source, Source::Application) => return Err(gone),
            None => {
                self.provision_for(&verified, contract).await?;
                self.find(&verified, session).await?.ok_or(CredentialFault::Invalid)?
            }
        };
        let issued_too_early =
            found.tokens_not_before.is_some_and(|horizon| token.issued_at.is_none_or(|issued| issued < horizon));
        if found.revoked || issued_too_early || !verified.speaks_for(&found) {
            return Err(CredentialFault::Invalid.into());
        }
        self.keep_bound(&found, session, token).await?;
        Ok(Caller { account: found.account, tenant: found.tenant, bound_client: found.client_hash, session, verified })
    }

    /// Returns the key that a client hash is bound to: the keyed hash of the token's session if it names one, else of its
    /// identifier, else of the signed part. Not the signature: anyone can derive a second valid ECDSA signature from one.
    fn session(&self, token: &Token, presented: &str) -> KeyedHash {
        let (kind, value) = match (&token.session_id, &token.token_id) {
            (Some(session), _) => ("sid", session.as_str()),
            (None, Some(token_id)) => ("jti", token_id.as_str()),
            (None, None) => ("token", presented.rsplit_once('.').map_or(presented, |(signed, _)| signed)),
        };
        self.keys.session(&token.issuer, kind, value)
    }

    async fn find(&self, verified: &Verified, session: KeyedHash) -> Result<Option<CallerRecord>, Error> {
        let token = &verified.token;
        let subject = match &verified.source {
            Source::Own | Source::Application => {
                Subject::Account(token.subject.parse::<AccountId>().map_err(|_| CredentialFault::Invalid)?)
            }
            Source::Trusted(_) => Subject::Identity(token.issuer.clone(), self.keys.subject(&token.subject)),
        };
        let revocable = token.token_id.as_deref().map(|id| self.keys.revocation(&token.issuer, id));
        self.store.caller(subject, revocable, session).await
    }

    /// Creates an account for a trusted provider's user who has none yet, if the operator enabled that.
    async fn provision_for(&self, verified: &Verified, contract: Option<Contract>) -> Result<(), Error> {
        let token = &verified.token;
        let (Source::Trusted(issuer), Some(claims)) = (&verified.source, &verified.claims) else {
            return Err(CredentialFault::Invalid.into());
        };
        if contract.is_some_and(|contract| !verified.opens(contract)) {
            return Err(AccessFault::Denied.into());
        }
        if self.is_revoked(token).await? {
            return Err(CredentialFault::Invalid.into());
        }
        self.provision(&issuer.settings, token, claims).await
    }

    async fn is_revoked(&self, token: &Token) -> Result<bool, Error> {
        match &token.token_id {
            Some(id) => self.store.is_revoked(self.keys.revocation(&token.issuer, id)).await,
            None => Ok(false),
        }
    }

    /// Returns the token that an application presents, whatever its subject; `None` if it is not valid or was not
    /// issued to an application.
    pub(super) async fn of_application(&self, presented: &str) -> Result<Option<Token>, Error> {
        match self.verified(presented).await {
            Ok(verified) if matches!(verified.source, Source::Application) => Ok(Some(verified.token.clone())),
            Ok(_) | Err(Error::Credentials(CredentialFault::Invalid)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the verified token, from the cache if possible. Every refusal is the same error.
    async fn verified(&self, presented: &str) -> Result<Arc<Verified>, Error> {
        if presented.len() > MAX_LENGTH {
            return Err(CredentialFault::Invalid.into());
        }
        let name = self.keys.digest("presented", &[presented.as_bytes()]);
        if let Some(verified) = self.remembered.get(&name) {
            if verified.is_valid_now(self) {
                telemetry::token(true);
                return Ok(verified);
            }
            self.remembered.forget(&name);
        }
        telemetry::token(false);
        let verified = Arc::new(self.verify(presented).await?);
        if !verified.is_valid_now(self) {
            return Err(CredentialFault::Invalid.into());
        }
        self.remembered.insert(name, verified.clone());
        Ok(verified)
    }

    /// Verifies form, type, key, signature and the claims that do not depend on time.
    async fn verify(&self, presented: &str) -> Result<Verified, Error> {
        let signed = CompactJws::read(presented).ok_or(CredentialFault::Invalid)?;
        // Not verified yet: these claims only select the keys to try.
        let claims = signed.claims().ok_or(CredentialFault::Invalid)?;
        let issuer = claims.get("iss").and_then(Value::as_str).ok_or(CredentialFault::Invalid)?;
        let (source, key) = match signed.algorithm {
            Algorithm::EdDSA if issuer == self.issuer.name() => (Source::Own, self.own_key(&signed).await?),
            Algorithm::RS256 if issuer == self.public_url.as_str() => {
                (Source::Application, self.own_key(&signed).await?)
            }
            _ => {
                let trusted = self.trusted.get(issuer).ok_or(CredentialFault::Invalid)?.clone();
                let key = self.trusted_key(&signed, &trusted).await?;
                (Source::Trusted(trusted), key)
            }
        };
        if !signed.is_signed_with(&key) {
            return Err(CredentialFault::Invalid.into());
        }
        let token = Token::read(&claims).ok_or(CredentialFault::Invalid)?;
        let fit = match &source {
            // Every access token of this installation has a scope; its ID tokens have none.
            Source::Own | Source::Application => claims.contains_key("scope"),
            Source::Trusted(trusted) => {
                trusted.settings.audience.iter().any(|audience| token.audience.contains(audience))
            }
        };
        if !fit {
            return Err(CredentialFault::Invalid.into());
        }
        let provisions = matches!(&source, Source::Trusted(issuer) if issuer.settings.provision == Provision::Create);
        Ok(Verified { token, source, key, claims: provisions.then_some(claims) })
    }

    async fn own_key(&self, signed: &CompactJws<'_>) -> Result<Arc<VerificationKey>, Error> {
        let key_id =
            signed.key_id.as_deref().filter(|_| signed.is_of_type(&OWN_TYPES)).ok_or(CredentialFault::Invalid)?;
        self.issuer
            .verification_key(key_id, signed.algorithm)
            .await?
            .ok_or(Error::Credentials(CredentialFault::Invalid))
    }

    async fn trusted_key(
        &self,
        signed: &CompactJws<'_>,
        trusted: &Arc<Trusted>,
    ) -> Result<Arc<VerificationKey>, Error> {
        if !signed.is_of_type(&trusted.settings.access_token_typ) {
            return Err(CredentialFault::Invalid.into());
        }
        let key = trusted.verification_key(signed.key_id.as_deref(), signed.algorithm, self.clock.now()).await?;
        key.ok_or(Error::Credentials(CredentialFault::Invalid))
    }
}

impl Verified {
    /// Checks whether the token is valid for a contract.
    pub(super) fn opens(&self, contract: Contract) -> bool {
        match &self.source {
            Source::Own => self.token.audience.iter().any(|audience| audience == contract.name()),
            // No other contract: there the application's claims would not limit what it may read and change.
            Source::Application => contract == Contract::Ciam,
            Source::Trusted(issuer) => issuer.settings.contracts.contains(&contract),
        }
    }

    /// Checks whether the token is within its validity period and its key still in use.
    fn is_valid_now(&self, authenticator: &Authenticator) -> bool {
        let now = authenticator.clock.now();
        match &self.source {
            Source::Own | Source::Application => {
                self.token.is_valid_at(now, authenticator.leeway) && authenticator.issuer.still_has(&self.key)
            }
            Source::Trusted(issuer) => {
                self.token.is_valid_at(now, issuer.settings.leeway) && issuer.still_has(&self.key, now)
            }
        }
    }

    /// Checks that the account belongs to the tenant that the provider is configured for.
    fn speaks_for(&self, found: &CallerRecord) -> bool {
        match &self.source {
            Source::Own | Source::Application => true,
            Source::Trusted(issuer) => issuer.settings.tenant == found.tenant.name,
        }
    }
}

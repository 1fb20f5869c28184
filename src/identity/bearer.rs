//! Bearer tokens (RFC 6750): JWTs (RFC 7519) of the embedded issuer and of trusted identity providers.

use std::sync::{Arc, Mutex, PoisonError};

use super::jwks::VerificationKey;
use super::rule::{Refusal, Rule};
use super::verify::{Source, Unverified};
use super::{Authenticator, Caller, Token, credentials};
use crate::account::{AccessFault, AccountId, Application, Contract, CredentialFault, Error};
use crate::config::Provision;
use crate::json::Object;
use crate::keys::KeyedHash;
use crate::store::{CallerQuery, CallerRecord};
use crate::telemetry;
use axum::http::HeaderMap;

/// The scope of a token for claims (OpenID Connect Core §3.1.2.1).
const OPENID: &str = "openid";
/// The most audiences of a token that are looked up as applications.
const MAX_AUDIENCES: usize = 4;
/// The most accounts that one request asks for its identity: the one of the hint, the one of the link, and one more if the link
/// moves in between.
const LOOK_UPS: usize = 3;
/// The issuer of a token in the log, if it is not known: what a token names itself is not logged.
const UNKNOWN: &str = "unknown";

/// A token with a valid signature, and its source.
pub struct Verified {
    pub(super) token: Token,
    source: Source,
    key: Arc<VerificationKey>,
    /// The claims, if accounts may be created from them.
    claims: Option<Object>,
    hashes: Hashes,
    /// The account that the token's identity at another provider was linked to when it was last asked for: only where to look
    /// first. Each request checks that the identity is linked to that account still.
    hint: Mutex<Option<AccountId>>,
}

/// The keyed hashes of what a token names.
struct Hashes {
    /// The key that a client hash is bound to.
    session: KeyedHash,
    /// The key of the token's revocation, if it has an identifier.
    revocation: Option<KeyedHash>,
    /// The key of the subject at another provider; `None` for a token of this installation.
    subject: Option<KeyedHash>,
}

impl Authenticator {
    /// Authenticates a request by its bearer token: verifies the token, then fetches everything that decides in one
    /// query. A new account is created only for a token that opens `contract`; with `None`, for any.
    pub async fn bearer(&self, headers: &HeaderMap, contract: Option<Contract>) -> Result<Caller, Error> {
        let presented = credentials(headers, "Bearer")?;
        let verified = self.verified(presented).await?;
        self.caller(verified, contract, |source| self.refuse(source, Rule::Account)).await
    }

    /// Authenticates a request by a token for claims (OpenID Connect Core §5.3), and returns the application it was
    /// issued to, if known. The scope is checked before the account is looked up.
    pub async fn claims(&self, headers: &HeaderMap) -> Result<(Caller, Option<Application>), Error> {
        let presented = credentials(headers, "Bearer")?;
        let verified = self.verified(presented).await?;
        if !verified.opens(Contract::Ciam) {
            return Err(self.refuse(&verified.source, Rule::Audience));
        }
        let application = self.application_of(&verified).await?;
        if !verified.token.scopes.iter().any(|scope| scope == OPENID) {
            let revoked = self.is_revoked(&verified).await?;
            return Err(if revoked {
                self.refuse(&verified.source, Rule::Revocation)
            } else {
                Error::Credentials(CredentialFault::ScopeMissing)
            });
        }
        let unknown = |_: &Source| Error::Access(AccessFault::AccountUnknown);
        let caller = self.caller(verified, Some(Contract::Ciam), unknown).await?;
        if application.as_ref().is_some_and(|application| application.tenant_id != caller.tenant.id) {
            return Err(self.refuse(&caller.verified.source, Rule::Tenant));
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
            Source::Own | Source::Application => Err(self.refuse(&verified.source, Rule::Application)),
        }
    }

    /// Returns the account of a verified token; the error `gone` if the token is an application's and the account no longer
    /// exists.
    async fn caller(
        &self,
        verified: Arc<Verified>,
        contract: Option<Contract>,
        gone: impl Fn(&Source) -> Error,
    ) -> Result<Caller, Error> {
        let token = &verified.token;
        let found = match self.find(&verified, contract).await? {
            Some(found) => found,
            None if matches!(verified.source, Source::Application) => return Err(gone(&verified.source)),
            None => {
                self.provision_for(&verified, contract).await?;
                let found = self.find(&verified, contract).await?;
                found.ok_or_else(|| self.refuse(&verified.source, Rule::Account))?
            }
        };
        let issued_too_early =
            found.tokens_not_before.is_some_and(|horizon| token.issued_at.is_none_or(|issued| issued < horizon));
        if found.revoked || issued_too_early {
            return Err(self.refuse(&verified.source, Rule::Revocation));
        }
        if !verified.speaks_for(&found) {
            return Err(self.refuse(&verified.source, Rule::Tenant));
        }
        self.keep_bound(&found, verified.session(), token).await?;
        Ok(Caller { account: found.account, tenant: found.tenant, bound_client: found.client_hash, verified })
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

    /// Returns the keyed hashes of what a token names.
    fn hashes(&self, token: &Token, source: &Source, presented: &str) -> Hashes {
        Hashes {
            session: self.session(token, presented),
            revocation: token.token_id.as_deref().map(|id| self.keys.revocation(&token.issuer, id)),
            subject: matches!(source, Source::Trusted(_)).then(|| self.keys.subject(&token.subject)),
        }
    }

    /// Returns the account of a verified token with everything that decides the request, in one query; on the first use of a
    /// token of another provider, and after its link was moved or removed, in two.
    async fn find(&self, verified: &Verified, contract: Option<Contract>) -> Result<Option<CallerRecord>, Error> {
        let Some(subject) = verified.hashes.subject else {
            let account = verified.token.subject.parse().map_err(|_| self.refuse(&verified.source, Rule::Account))?;
            return self.store.caller(&verified.query(account, contract)).await;
        };
        let mut hint = verified.hint();
        for _ in 0..LOOK_UPS {
            if let Some(account) = hint
                && let Some(found) = self.store.caller(&verified.query(account, contract)).await?
            {
                verified.set_hint(account);
                return Ok(Some(found));
            }
            hint = self.store.linked_account(&verified.token.issuer, subject).await?;
            if hint.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Creates an account for a trusted provider's user who has none yet, if the operator enabled that.
    async fn provision_for(&self, verified: &Verified, contract: Option<Contract>) -> Result<(), Error> {
        let token = &verified.token;
        let Source::Trusted(issuer) = &verified.source else {
            return Err(self.refuse(&verified.source, Rule::Account));
        };
        let Some(tenant) = self.store.tenant_by_name(&issuer.settings.tenant).await? else {
            return Err(self.refuse(&verified.source, Rule::Tenant));
        };
        let Some(claims) = &verified.claims else {
            return Err(self.refuse(&verified.source, Rule::Account));
        };
        if contract.is_some_and(|contract| !verified.opens(contract)) {
            return Err(AccessFault::Denied.into());
        }
        if self.is_revoked(verified).await? {
            return Err(self.refuse(&verified.source, Rule::Revocation));
        }
        self.provision(&issuer.settings, &tenant, token, claims).await
    }

    /// Checks whether a token is revoked whose account the request does not read.
    async fn is_revoked(&self, verified: &Verified) -> Result<bool, Error> {
        let Some(revocation) = verified.hashes.revocation else { return Ok(false) };
        let account = match verified.hashes.subject {
            Some(subject) => self.store.linked_account(&verified.token.issuer, subject).await?,
            None => verified.token.account(),
        };
        self.store.is_revoked(account, revocation).await
    }

    /// Returns the token that an application presents, whatever its subject; `None` if it is not valid or was not
    /// issued to an application.
    pub(super) async fn of_application(&self, presented: &str) -> Result<Option<Token>, Error> {
        match self.try_verified(presented).await {
            Ok(verified) if matches!(verified.source, Source::Application) => Ok(Some(verified.token.clone())),
            Ok(_) | Err((Unverified::Refused(_), _)) => Ok(None),
            Err((Unverified::Failed(error), _)) => Err(error),
        }
    }

    /// Returns the verified token, from the cache if possible. Every refusal is the same error, and a line in the log.
    async fn verified(&self, presented: &str) -> Result<Arc<Verified>, Error> {
        self.try_verified(presented).await.map_err(|(why, source)| match why {
            Unverified::Refused(refusal) => {
                refuse(source.as_ref().map_or(UNKNOWN, |source| self.name_of(source)), refusal.rule)
            }
            Unverified::Failed(error) => error,
        })
    }

    /// Like [`Authenticator::verified`]; an error has the token's source, if that is known.
    async fn try_verified(&self, presented: &str) -> Result<Arc<Verified>, (Unverified, Option<Source>)> {
        let name = self.keys.digest("presented", &[presented.as_bytes()]);
        if let Some(verified) = self.remembered.get(&name) {
            if verified.check_now(self).is_ok() {
                telemetry::token(true);
                return Ok(verified);
            }
            self.remembered.forget(&name);
        }
        telemetry::token(false);
        let candidate = self.candidate(presented).map_err(|refusal| (refusal.into(), None))?;
        let (token, key) = match self.check(&candidate).await {
            Ok(checked) => checked,
            Err(why) => return Err((why, Some(candidate.source))),
        };
        let provisions =
            matches!(&candidate.source, Source::Trusted(issuer) if issuer.settings.provision == Provision::Create);
        let claims = provisions.then_some(candidate.claims);
        let hashes = self.hashes(&token, &candidate.source, presented);
        let verified = Verified { token, source: candidate.source, key, claims, hashes, hint: Mutex::default() };
        if let Err(refusal) = verified.check_now(self) {
            return Err((refusal.into(), Some(verified.source)));
        }
        let verified = Arc::new(verified);
        self.remembered.insert(name, verified.clone());
        Ok(verified)
    }

    /// Refuses a token whose signature is valid, and logs the rule that it breaks.
    fn refuse(&self, source: &Source, rule: Rule) -> Error {
        refuse(self.name_of(source), rule)
    }
}

/// Refuses a token, and logs the rule that it breaks and its issuer, if that is known. The answer does not name the rule,
/// and the log has nothing that the sender wrote.
fn refuse(issuer: &str, rule: Rule) -> Error {
    tracing::info!(issuer, rule = rule.name(), "token refused");
    telemetry::token_refused(rule.name());
    CredentialFault::Invalid.into()
}

impl Verified {
    /// Checks whether the token is valid for a contract.
    pub(super) fn opens(&self, contract: Contract) -> bool {
        self.source.opens(contract, &self.token.audience)
    }

    /// Returns the claims that its issuer lets `/userinfo` show to a client that is no application of this installation; if
    /// empty, those of its scopes.
    pub(super) fn userinfo_claims(&self) -> &[String] {
        match &self.source {
            Source::Own | Source::Application => &[],
            Source::Trusted(issuer) => &issuer.settings.userinfo_claims,
        }
    }

    /// Returns the key that a client hash is bound to.
    pub(super) fn session(&self) -> KeyedHash {
        self.hashes.session
    }

    /// Returns the query for an account and what decides a request of this token there.
    fn query(&self, account: AccountId, contract: Option<Contract>) -> CallerQuery<'_> {
        CallerQuery {
            account,
            identity: self.hashes.subject.map(|subject| (self.token.issuer.as_str(), subject)),
            token: self.hashes.revocation,
            session: self.needs_binding(contract).then_some(self.hashes.session),
        }
    }

    /// Checks whether the client binding of the token's session matters to a request: the contract checks it, unless the
    /// token has its own client hash, and any token prolongs the binding of a session that has further tokens.
    fn needs_binding(&self, contract: Option<Contract>) -> bool {
        let is_checked = self.token.client_hash.is_none() && contract.is_some_and(Contract::binds_clients);
        is_checked || self.token.session_id.is_some()
    }

    fn hint(&self) -> Option<AccountId> {
        *self.hint.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_hint(&self, account: AccountId) {
        *self.hint.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    /// Checks that the token is within its validity period, and its key still in use.
    fn check_now(&self, authenticator: &Authenticator) -> Result<(), Refusal> {
        let now = authenticator.clock.now();
        let has_key = match &self.source {
            Source::Own | Source::Application => authenticator.issuer.still_has(&self.key),
            Source::Trusted(issuer) => issuer.still_has(&self.key, now),
        };
        if !has_key {
            return Err(Refusal::new(Rule::Key, "the issuer no longer publishes the key"));
        }
        self.token.check_time(now, authenticator.leeway_of(&self.source))
    }

    /// Checks that the account belongs to the tenant that the provider is configured for.
    fn speaks_for(&self, found: &CallerRecord) -> bool {
        match &self.source {
            Source::Own | Source::Application => true,
            Source::Trusted(issuer) => issuer.settings.tenant == found.tenant.name,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::super::Grant;
    use super::super::tests::Bench;
    use super::*;
    use crate::store::{Identity, Link};

    /// Issues a token for the account, and verifies it.
    async fn verified(bench: &Bench) -> Verified {
        let (account, lifetime) = (bench.account.id, jiff::SignedDuration::from_mins(1).unsigned_abs());
        let grant = Grant { account, contract: Contract::System, scope: None, client_hash: None, lifetime };
        let issued = bench.sign_ins.issuer.issue(&grant).await.unwrap();
        let own = bench.sign_ins.authenticator.try_verified(&issued.token).await.ok().unwrap();
        Verified {
            token: own.token.clone(),
            source: Source::Own,
            key: own.key.clone(),
            claims: None,
            hashes: Hashes { session: own.session(), revocation: None, subject: None },
            hint: Mutex::default(),
        }
    }

    #[tokio::test]
    async fn a_client_binding_is_read_only_if_it_matters() {
        let mut verified = verified(&Bench::new().await).await;
        let reads = |verified: &Verified| {
            [Some(Contract::System), Some(Contract::RiverGen), Some(Contract::Ciam), None]
                .map(|contract| verified.query(AccountId(uuid::Uuid::nil()), contract).session.is_some())
        };
        assert_eq!(reads(&verified), [true, false, false, false]);
        verified.token.client_hash = Some("claimed".to_owned());
        assert_eq!(reads(&verified), [false; 4]);
        // Any token of a session that has further tokens keeps it bound.
        verified.token.session_id = Some("session".to_owned());
        assert_eq!(reads(&verified), [true; 4]);
        verified.token.client_hash = None;
        assert_eq!(reads(&verified), [true; 4]);
    }

    #[tokio::test]
    async fn a_token_of_another_provider_remembers_the_account_of_its_link() {
        let bench = Bench::new().await;
        let (authenticator, account) = (&bench.sign_ins.authenticator, bench.account.id);
        let subject = bench.scratch.keys.subject("jane");
        let mut verified = verified(&bench).await;
        // As if another provider had issued it.
        verified.hashes.subject = Some(subject);
        let find = async || authenticator.find(&verified, None).await.unwrap();
        assert!(find().await.is_none());
        assert_eq!(verified.hint(), None);

        let identity = Identity { issuer: verified.token.issuer.clone(), subject: "jane".to_owned() };
        let link = Link { key: subject, identity };
        bench.scratch.store.link(account, &link, bench.scratch.clock.now()).await.unwrap();
        assert_eq!(find().await.unwrap().account.id, account);
        assert_eq!(verified.hint(), Some(account));
        // A hint that does not fit decides nothing.
        verified.set_hint(AccountId(bench.scratch.clock.new_id()));
        assert_eq!(find().await.unwrap().account.id, account);
        assert_eq!(verified.hint(), Some(account));
    }
}

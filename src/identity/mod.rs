//! Authentication: turns credentials into a [`Caller`], which can only be created here.

pub mod api_key;
pub mod application;
pub mod bearer;
mod claims;
pub mod client_hash;
mod compact_jws;
pub mod explain;
mod issuer;
mod jwks;
mod provision;
mod remembered;
mod rsa_key;
mod rule;
pub mod sign_in;
mod trusted;
mod verify;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jiff::SignedDuration;

use crate::account::{AccessFault, Account, Cause, Contract, CredentialFault, Error, Tenant};
use crate::clock::Clock;
use crate::config::{self, Config, PublicUrl};
use crate::headers::Single;
use crate::keys::{KeyedHash, Keyring};
use crate::profile::Profiles;
use crate::store::Store;

use api_key::KeyUses;
use bearer::Verified;
pub use claims::Token;
pub use issuer::{Grant, Issued, Issuer};
use remembered::Remembered;
pub use rule::{Refusal, Rule};
pub use sign_in::SignIns;
pub use trusted::Trusted;

/// Authenticates callers; clones share everything.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    keys: Keyring,
    clock: Clock,
    issuer: Issuer,
    profiles: Profiles,
    trusted: Arc<HashMap<String, Arc<Trusted>>>,
    remembered: Arc<Remembered>,
    key_uses: KeyUses,
    public_url: PublicUrl,
    /// The tolerated clock difference for tokens of the embedded issuer.
    leeway: Duration,
    /// The longest token that is read, in bytes.
    max_token_bytes: usize,
}

impl Authenticator {
    /// Creates an authenticator for the embedded issuer and the configured providers; no request is sent yet. Fails if
    /// the HTTP client that fetches the providers' keys cannot be built.
    pub fn new(
        store: Store,
        keys: Keyring,
        clock: Clock,
        issuer: Issuer,
        profiles: Profiles,
        public_url: PublicUrl,
        config: &Config,
    ) -> Result<Authenticator, Cause> {
        Ok(Authenticator {
            key_uses: KeyUses::new(store.clone()),
            store,
            keys,
            clock,
            issuer,
            profiles,
            trusted: Arc::new(trusted::all(config)?),
            remembered: Arc::new(Remembered::new(config.identity.remembered_tokens)),
            public_url,
            leeway: config.issuer.leeway,
            max_token_bytes: config.server.max_token_bytes,
        })
    }

    /// Returns the sign-ins of applications, which share this authenticator's keys and clock.
    pub fn sign_ins(&self, settings: &config::Issuer) -> SignIns {
        SignIns {
            store: self.store.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            issuer: self.issuer.clone(),
            authenticator: self.clone(),
            public_url: self.public_url.clone(),
            refresh_grace_period: settings.refresh_grace_period.try_into().unwrap_or(SignedDuration::MAX),
        }
    }

    /// Returns the trusted identity provider with this issuer.
    pub fn trusted(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        self.trusted.get(issuer)
    }

    /// Iterates over the trusted identity providers.
    pub fn all_trusted(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.trusted.values()
    }

    /// Returns the trusted issuers whose tenant does not exist; all of their tokens are refused.
    pub async fn without_tenant(&self) -> Result<Vec<&Arc<Trusted>>, Error> {
        let mut found = Vec::new();
        for trusted in self.all_trusted() {
            if self.store.tenant_by_name(&trusted.settings.tenant).await?.is_none() {
                found.push(trusted);
            }
        }
        Ok(found)
    }

    /// Returns the uses of API keys that are not yet written.
    pub fn key_uses(&self) -> &KeyUses {
        &self.key_uses
    }
}

/// The authenticated account of a request, and the verified token.
pub struct Caller {
    /// The account, as it was when the request was authenticated.
    pub account: Account,
    /// The account's tenant.
    pub tenant: Tenant,
    verified: Arc<Verified>,
    /// The keyed hash of the client hash that the session is bound to, if it is bound and its contract has client hashes.
    bound_client: Option<KeyedHash>,
}

impl Caller {
    /// Refuses a caller whose account is not active or whose tenant is not open. An expired tenant is reported as
    /// [`AccessFault::TenantClosed`] too; only CL2C distinguishes the two.
    pub fn require_active(&self, now: jiff::Timestamp) -> Result<(), Error> {
        self.account.require_active()?;
        if self.tenant.is_open(now) { Ok(()) } else { Err(Error::Access(AccessFault::TenantClosed)) }
    }

    /// Refuses a token that is not valid for a contract: by its audience, or by the settings of its trusted issuer. Tokens of
    /// applications are valid only for CIAM.
    pub fn require_contract(&self, contract: Contract) -> Result<(), Error> {
        if self.verified.opens(contract) { Ok(()) } else { Err(Error::Access(AccessFault::Denied)) }
    }

    /// Returns the claims that a trusted issuer lets `/userinfo` show to a client that is no application of this
    /// installation; if empty, those of the token's scopes.
    pub fn userinfo_claims(&self) -> &[String] {
        self.verified.userinfo_claims()
    }

    /// Returns the verified token.
    pub fn token(&self) -> &Token {
        &self.verified.token
    }
}

/// Returns the credentials of one scheme from `Authorization` (RFC 9110 §11.6.2): the scheme is compared
/// case-insensitively and followed by one or more spaces.
pub fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Result<&'a str, Error> {
    let header = Single::of(headers, AUTHORIZATION);
    if header == Single::Absent {
        return Err(CredentialFault::Missing.into());
    }
    let field = header.once().ok_or(CredentialFault::Invalid)?.to_str().map_err(|_| CredentialFault::Invalid)?;
    let (presented, credentials) = field.split_once(' ').unwrap_or((field, ""));
    if !presented.eq_ignore_ascii_case(scheme) {
        return Err(CredentialFault::OtherScheme.into());
    }
    Ok(credentials.trim_start_matches(' '))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

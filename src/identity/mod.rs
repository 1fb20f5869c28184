//! Who is calling: credentials in, a [`Caller`] out. A caller cannot be made anywhere else.

pub mod api_key;
pub mod application;
pub mod bearer;
mod claims;
pub mod client_hash;
mod compact_jws;
mod issuer;
mod jwks;
mod provision;
mod remembered;
mod rsa_key;
pub mod sign_in;
mod trusted;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::account::{AccessFault, Account, Cause, Contract, CredentialFault, Error, Tenant};
use crate::clock::Clock;
use crate::config::{Config, PublicUrl};
use crate::headers::Single;
use crate::keys::{KeyedHash, Keyring};
use crate::profile::Profiles;
use crate::store::Store;

use api_key::KeyUses;
use bearer::Verified;
pub use claims::Token;
pub use issuer::{Grant, Issued, Issuer};
use remembered::Remembered;
pub use sign_in::SignIns;
pub use trusted::Trusted;

/// Finds out who is calling; clones share everything.
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
    /// How much clocks may differ for tokens of the embedded issuer.
    leeway: Duration,
}

impl Authenticator {
    /// Knows the embedded issuer and the providers that the configuration trusts; none of them is asked anything yet. An
    /// error says why the client that fetches their keys cannot be made.
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
        })
    }

    /// Signs people in to applications with the keys and the clock of this authenticator.
    pub fn sign_ins(&self) -> SignIns {
        SignIns {
            store: self.store.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            issuer: self.issuer.clone(),
            authenticator: self.clone(),
            public_url: self.public_url.clone(),
        }
    }

    /// The trusted identity provider whose tokens name this issuer.
    pub fn trusted(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        self.trusted.get(issuer)
    }

    /// Every trusted identity provider.
    pub fn all_trusted(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.trusted.values()
    }

    /// When API keys were used since that was last written down.
    pub fn key_uses(&self) -> &KeyUses {
        &self.key_uses
    }
}

/// Whose account a request is about, and how that was proved.
pub struct Caller {
    /// The account, as it was when the request was let in.
    pub account: Account,
    /// The account's tenant.
    pub tenant: Tenant,
    verified: Arc<Verified>,
    session: KeyedHash,
    bound_client: Option<KeyedHash>,
}

impl Caller {
    /// Refuses an account that may not be used now.
    pub fn require_active(&self, now: jiff::Timestamp) -> Result<(), Error> {
        self.account.require_active()?;
        if self.tenant.is_open(now) { Ok(()) } else { Err(Error::Access(AccessFault::TenantClosed)) }
    }

    /// Refuses a token that was not issued for a contract: audience keeps contracts apart.
    pub fn require_contract(&self, contract: Contract) -> Result<(), Error> {
        if self.verified.opens(contract) { Ok(()) } else { Err(Error::Access(AccessFault::Denied)) }
    }

    /// The verified token.
    pub fn token(&self) -> &Token {
        &self.verified.token
    }
}

/// The credentials of one scheme out of `Authorization` (RFC 9110 §11.6.2): the scheme's name compares without case, one
/// or more spaces follow it.
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

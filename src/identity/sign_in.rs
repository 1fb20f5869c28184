//! The tokens that an application gets for a person who signed in: an access token, an ID token, and a refresh token,
//! which yields one more set.
//!
//! The refresh tokens of one sign-in form a family, which has one generation of unspent tokens at a time: first the one of the
//! sign-in. Using any of them spends the whole generation and brings the first token of the next. An answer can be lost, and
//! two tabs can use one token at once; so for `issuer.refresh_grace_period` after a token was spent it brings a further token
//! of the present generation. One that is presented later was stolen: it ends the family and revokes every access token
//! issued with it (RFC 9700 §4.14.2).

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Authenticator, Issuer, issuer};
use crate::account::{AccessFault, AccountId, Application, CredentialFault, Error, GrantType};
use crate::clock::{Clock, after, before, random};
use crate::config::PublicUrl;
use crate::keys::{KeyedHash, Keyring};
use crate::store::{RefreshToken, SignIn, Store};

/// How long a refresh token can be used, once.
pub const REFRESH_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// How long an ID token is valid.
const ID_LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// How much longer than an access token its revocation is kept, as clocks differ.
const SLACK: SignedDuration = SignedDuration::from_hours(1);
/// The prefix of every refresh token.
const PREFIX: &str = "ssr_";
/// The scopes of an access token for an account.
const SCOPE: &[&str] = &["openid"];

/// The tokens issued to an application.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// Its `jti`, by which it can be revoked.
    pub token_id: String,
    /// How long the access token is valid, in seconds.
    pub expires_in: i64,
    /// Yields one more set, if the application may refresh.
    pub refresh_token: Option<String>,
    /// Identifies the person who signed in to the application.
    pub id_token: Option<String>,
}

/// The claims of an access token, in the order of the contract.
#[derive(Serialize)]
struct AccessClaims<'a> {
    sub: &'a str,
    aud: &'a str,
    nbf: i64,
    scope: &'a [&'a str],
    iss: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
}

/// The claims of an ID token (OpenID Connect Core §2). It has no scope, which distinguishes it from an access token.
#[derive(Serialize)]
struct IdClaims<'a> {
    sub: &'a str,
    aud: &'a str,
    azp: &'a str,
    iss: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
}

/// A signed access token and the key of its revocation.
struct Access {
    token: String,
    token_id: String,
    revocation: KeyedHash,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// Signs people in to applications; clones share everything.
#[derive(Clone)]
pub struct SignIns {
    pub(super) store: Store,
    pub(super) keys: Keyring,
    pub(super) clock: Clock,
    pub(super) issuer: Issuer,
    pub(super) authenticator: Authenticator,
    pub(super) public_url: PublicUrl,
    /// How long after it was spent a refresh token brings a further one.
    pub(super) refresh_grace_period: SignedDuration,
}

impl SignIns {
    /// Signs a person in; the caller has verified who it is.
    pub async fn begin(&self, application: &Application, account: AccountId) -> Result<Tokens, Error> {
        let horizon = self.store.tokens_not_before(account).await?;
        let access = self.access(application, Some(account), horizon).await?;
        let id_token = self.id_token(application, account, &access).await?;
        let refresh_token = if application.may(GrantType::RefreshToken) {
            let (secret, token) = self.refresh_token(&access);
            let sign_in = SignIn {
                id: self.clock.new_id(),
                account_id: account,
                application_id: application.id.clone(),
                started_at: access.issued_at,
                ended_at: None,
            };
            self.store.begin_sign_in(&sign_in, &token).await?;
            Some(secret)
        } else {
            None
        };
        Ok(tokens(application, access, refresh_token, Some(id_token)))
    }

    /// Exchanges a refresh token for another set; [`CredentialFault::Invalid`] if the token is not usable. One that was spent
    /// before the grace period ends its sign-in.
    pub async fn refresh(&self, application: &Application, presented: &str) -> Result<Tokens, Error> {
        let hash = self.hash(presented);
        let now = self.clock.now();
        let found = self.store.refresh_token(hash).await?.ok_or(CredentialFault::Invalid)?;
        let sign_in = found.sign_in;
        if sign_in.application_id != application.id {
            return Err(CredentialFault::Invalid.into());
        }
        let grace_began = self.grace_began(now);
        if found.spent && found.spent_at.is_none_or(|spent_at| spent_at <= grace_began) {
            self.store.end_sign_in(&sign_in, now).await?;
            return Err(CredentialFault::Invalid.into());
        }
        if sign_in.ended_at.is_some() || found.expires_at <= now {
            return Err(CredentialFault::Invalid.into());
        }
        let account = self.store.account(sign_in.account_id).await?.ok_or(CredentialFault::Invalid)?;
        account.require_active()?;
        let horizon = self.store.tokens_not_before(account.id).await?;
        if account.tenant_id != application.tenant_id || horizon.is_some_and(|horizon| found.issued_at < horizon) {
            return Err(CredentialFault::Invalid.into());
        }
        let access = self.access(application, Some(account.id), horizon).await?;
        let id_token = self.id_token(application, account.id, &access).await?;
        let (secret, next) = self.refresh_token(&access);
        if !self.store.refresh(sign_in.id, hash, &next, now, grace_began).await? {
            // A concurrent request spent the token, and there is no grace period: one of the two clients has stolen it.
            self.store.end_sign_in(&sign_in, now).await?;
            return Err(CredentialFault::Invalid.into());
        }
        Ok(tokens(application, access, Some(secret), Some(id_token)))
    }

    /// Returns the time after which a token must have been spent to bring a further one.
    fn grace_began(&self, now: Timestamp) -> Timestamp {
        match self.refresh_grace_period {
            // Not `now`: a concurrent request may have read the clock later and spent the token then.
            SignedDuration::ZERO => Timestamp::MAX,
            period => before(now, period),
        }
    }

    /// Issues a token to an application that acts on its own behalf: it has no account and no scope. An application with the
    /// identifier of an account gets none ([`AccessFault::Denied`]), because its subject would be that account.
    pub async fn for_itself(&self, application: &Application) -> Result<Tokens, Error> {
        if self.names_an_account(&application.id).await? {
            tracing::warn!(application = application.id, "application has the identifier of an account; token refused");
            return Err(AccessFault::Denied.into());
        }
        let access = self.access(application, None, None).await?;
        Ok(tokens(application, access, None, None))
    }

    /// Checks whether an application's identifier is, in any spelling, that of an account.
    pub async fn names_an_account(&self, application: &str) -> Result<bool, Error> {
        match application.parse::<AccountId>() {
            Ok(id) => Ok(self.store.account(id).await?.is_some()),
            Err(_) => Ok(false),
        }
    }

    /// Revokes a token that was issued to an application (RFC 7009 §2.1); a string that is not a token of this
    /// installation counts as revoked. [`CredentialFault::Invalid`] if the token belongs to another application.
    pub async fn revoke(&self, application: &Application, presented: &str) -> Result<(), Error> {
        if let Some(found) = self.store.refresh_token(self.hash(presented)).await? {
            return match found.sign_in.application_id == application.id {
                true => self.store.end_sign_in(&found.sign_in, self.clock.now()).await,
                false => Err(Error::Credentials(CredentialFault::Invalid)),
            };
        }
        let Some(token) = self.authenticator.of_application(presented).await? else { return Ok(()) };
        if !token.audience.contains(&application.id) {
            return Err(CredentialFault::Invalid.into());
        }
        let Some(token_id) = &token.token_id else { return Ok(()) };
        let end = after(token.expires_at, SLACK);
        self.store.revoke_token(token.account(), self.keys.revocation(&token.issuer, token_id), end).await
    }

    /// Signs an access token. One issued within the second of `horizon`, when the account's tokens were revoked, gets
    /// the next second as `iat`, as in [`Issuer::issue`](super::Issuer::issue).
    async fn access(
        &self,
        application: &Application,
        account: Option<AccountId>,
        horizon: Option<Timestamp>,
    ) -> Result<Access, Error> {
        let now = self.clock.now();
        let issued_at = horizon.map_or(now, |horizon| now.max(issuer::next_second(horizon)));
        let expires_at = after(issued_at, SignedDuration::from_secs(application.token_lifetime));
        let token_id = self.clock.new_id().to_string();
        let subject = account.map_or_else(|| application.id.clone(), |account| account.to_string());
        let claims = AccessClaims {
            sub: &subject,
            aud: &application.id,
            nbf: now.as_second(),
            scope: if account.is_some() { SCOPE } else { &[] },
            iss: self.public_url.as_str(),
            exp: expires_at.as_second(),
            iat: issued_at.as_second(),
            jti: &token_id,
        };
        Ok(Access {
            token: self.issuer.signing_key_for_applications().await?.sign(&claims)?,
            revocation: self.keys.revocation(self.public_url.as_str(), &token_id),
            token_id,
            issued_at,
            expires_at,
        })
    }

    async fn id_token(&self, application: &Application, account: AccountId, access: &Access) -> Result<String, Error> {
        let claims = IdClaims {
            sub: &account.to_string(),
            aud: &application.id,
            azp: &application.id,
            iss: self.public_url.as_str(),
            exp: after(access.issued_at, ID_LIFETIME).as_second(),
            iat: access.issued_at.as_second(),
            jti: &self.clock.new_id().to_string(),
        };
        self.issuer.signing_key_for_applications().await?.sign(&claims)
    }

    /// Generates a refresh token: the secret, and the record that is stored.
    fn refresh_token(&self, access: &Access) -> (String, RefreshToken) {
        let secret = format!("{PREFIX}{}", HEXLOWER.encode(&random::<32>()));
        let token = RefreshToken {
            hash: self.hash(&secret),
            issued_at: access.issued_at,
            expires_at: after(access.issued_at, REFRESH_LIFETIME),
            access_token: access.revocation,
            access_ends_at: after(access.expires_at, SLACK),
        };
        (secret, token)
    }

    fn hash(&self, secret: &str) -> KeyedHash {
        self.keys.digest("refresh token", &[secret.as_bytes()])
    }
}

fn tokens(
    application: &Application,
    access: Access,
    refresh_token: Option<String>,
    id_token: Option<String>,
) -> Tokens {
    let Access { token, token_id, .. } = access;
    Tokens { access_token: token, token_id, expires_in: application.token_lifetime, refresh_token, id_token }
}

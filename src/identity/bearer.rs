//! Bearer tokens (RFC 6750): JWTs (RFC 7519) of issuers that this installation trusts.

use axum::http::HeaderMap;
use jiff::SignedDuration;

use super::signed::Signed;
use super::{Caller, Token, credentials};
use crate::account::{AccountId, Error};
use crate::app::App;
use crate::keys::KeyedHash;
use crate::store::Subject;

/// Finds out who calls: verifies the token, then asks the database, in one query, for everything that decides.
pub async fn identify(app: &App, headers: &HeaderMap) -> Result<Caller, Error> {
    let presented = credentials(headers, "Bearer")?;
    let token = verify(app, presented).await?;
    let account = token.subject.parse::<AccountId>().map_err(|_| Error::CredentialsInvalid)?;
    let session = session(app, &token, presented);
    let revocable = token.token_id.as_deref().map(|id| revocation(app, &token.issuer, id));
    let found = app.store().caller(Subject::Account(account), revocable, session).await?;
    let found = found.ok_or(Error::CredentialsInvalid)?;
    let issued_too_early =
        found.tokens_not_before.is_some_and(|horizon| token.issued_at.is_none_or(|issued| issued < horizon));
    if found.revoked || issued_too_early {
        return Err(Error::CredentialsInvalid);
    }
    Ok(Caller { account: found.account, tenant: found.tenant, token, session, bound_client: found.client_hash })
}

/// What a token is revoked by: the keyed hash of issuer and `jti`.
pub fn revocation(app: &App, issuer: &str, token_id: &str) -> KeyedHash {
    app.keys().digest("token", &[issuer.as_bytes(), token_id.as_bytes()])
}

/// What a client hash is bound to: the session if the token names one, else the token by its identifier, else the very
/// token.
fn session(app: &App, token: &Token, presented: &str) -> KeyedHash {
    let (kind, value) = match (&token.session_id, &token.token_id) {
        (Some(session), _) => ("sid", session.as_str()),
        (None, Some(token_id)) => ("jti", token_id.as_str()),
        (None, None) => ("token", presented),
    };
    app.keys().digest("session", &[token.issuer.as_bytes(), kind.as_bytes(), value.as_bytes()])
}

/// Verifies form, type, key, signature and claims of a token. Every reason for refusal is the same error.
async fn verify(app: &App, presented: &str) -> Result<Token, Error> {
    let signed = Signed::read(presented).ok_or(Error::CredentialsInvalid)?;
    let key = app.issuer().verification_key(app, &signed.key_id).await?.ok_or(Error::CredentialsInvalid)?;
    if !signed.is_signed_with(&key) {
        return Err(Error::CredentialsInvalid);
    }
    let claims = signed.claims().ok_or(Error::CredentialsInvalid)?;
    let leeway = SignedDuration::try_from(app.config().issuer.leeway).unwrap_or(SignedDuration::ZERO);
    let token = Token::read(&claims, app.now(), leeway).ok_or(Error::CredentialsInvalid)?;
    // Our own tokens always say what they may be used for.
    if token.issuer != app.issuer().name() || !claims.contains_key("scope") {
        return Err(Error::CredentialsInvalid);
    }
    Ok(token)
}

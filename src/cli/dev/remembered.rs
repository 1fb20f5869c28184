//! The facts that record the credentials that `dev` made, and their revocation.

use jiff::Timestamp;

use super::super::{Failure, Outcome};
use super::KEY;
use crate::account::{Contract, Tenant};
use crate::app::App;
use crate::clock::after;
use crate::keys::KeyedHash;
use crate::store::DevCredentials;

/// The fact that holds the identifier of the demo account.
pub(super) const ACCOUNT: &str = "dev.account";
/// The fact that holds the identifier of the demo application.
pub(super) const APPLICATION: &str = "dev.application";
/// The fact that holds the last token of that application: its issuer, which is the address, and its identifier.
pub(super) const LAST_CIAM_TOKEN: &str = "dev.token.ciam";

/// The fact that holds the identifier of a contract's last token.
pub(super) fn last_token(contract: Contract) -> String {
    format!("dev.token.{}", contract.name())
}

/// Revokes the API key and the tokens of the last start.
pub(super) async fn revoke(app: &App, tenant: &Tenant) -> Outcome {
    for key in app.store().api_keys(tenant.id).await? {
        if key.name == KEY && key.revoked_at.is_none() {
            app.store().revoke_api_key(key.id, app.now()).await?;
        }
    }
    for (token, until) in tokens(app).await? {
        app.store().revoke_token(token, until).await?;
    }
    Ok(())
}

/// Returns the credentials that `dev` made in a database, which is only read.
pub(in crate::cli) async fn credentials(app: &App) -> Result<DevCredentials, Failure> {
    let account = app.store().find_fact(ACCOUNT).await?;
    let account = account.map(|id| id.parse().map_err(|_| Failure(format!("{ACCOUNT} is not an account's id: {id}"))));
    Ok(DevCredentials {
        account: account.transpose()?,
        application: app.store().find_fact(APPLICATION).await?,
        tokens: tokens(app).await?,
        ended_at: app.now(),
    })
}

/// Returns the revocation hash of each token of the last start, and until when the revocation must be kept.
async fn tokens(app: &App) -> Result<Vec<(KeyedHash, Timestamp)>, Failure> {
    let until = after(app.now(), app.issuer().max_lifetime());
    let mut tokens = Vec::new();
    for contract in Contract::WITH_TOKENS {
        if let Some(token_id) = app.store().find_fact(&last_token(contract)).await? {
            tokens.push((app.keys().revocation(app.issuer().name(), &token_id), until));
        }
    }
    let last = app.store().find_fact(LAST_CIAM_TOKEN).await?;
    if let Some((issuer, token_id)) = last.as_deref().and_then(|last| last.split_once(' ')) {
        tokens.push((app.keys().revocation(issuer, token_id), until));
    }
    Ok(tokens)
}

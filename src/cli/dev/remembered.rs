//! The credentials that `dev` made, recorded in rows of the table `installation`, and their revocation.

use jiff::Timestamp;

use super::super::{Failure, Outcome};
use super::KEY;
use crate::account::{AccountId, Contract, Tenant};
use crate::app::App;
use crate::clock::after;
use crate::keys::KeyedHash;
use crate::store::DevCredentials;

/// The name of the row with the identifier of the demo account.
pub(super) const ACCOUNT: &str = "dev.account";
/// The name of the row with the identifier of the demo application.
pub(super) const APPLICATION: &str = "dev.application";
/// The name of the row with the last token of that application: its issuer, which is the public URL, and its identifier.
pub(super) const LAST_CIAM_TOKEN: &str = "dev.token.ciam";

/// Returns the name of the row with the identifier of a contract's last token.
pub(super) fn last_token(contract: Contract) -> String {
    format!("dev.token.{}", contract.name())
}

/// Revokes the API key and the tokens of the previous start.
pub(super) async fn revoke(app: &App, tenant: &Tenant) -> Outcome {
    for key in app.store().api_keys(tenant.id).await? {
        if key.name == KEY && key.revoked_at.is_none() {
            app.store().revoke_api_key(key.id, app.now()).await?;
        }
    }
    for (token, until) in tokens(app).await? {
        app.store().revoke_token(None, token, until).await?;
    }
    Ok(())
}

/// Parses the identifier of an account that the row `name` contains.
pub(super) fn account_id(name: &str, text: &str) -> Result<AccountId, Failure> {
    let problem = "is not an account's id; start `selfsame dev` with another --data folder or --database";
    text.parse().map_err(|_| Failure(format!("{name} in the database: {text} {problem}")))
}

/// Returns the credentials that `dev` made in a database, which is only read.
pub(in crate::cli) async fn credentials(app: &App) -> Result<DevCredentials, Failure> {
    let account = app.store().find_fact(ACCOUNT).await?.map(|text| account_id(ACCOUNT, &text));
    Ok(DevCredentials {
        account: account.transpose()?,
        application: app.store().find_fact(APPLICATION).await?,
        tokens: tokens(app).await?,
        ended_at: app.now(),
    })
}

/// Returns the revocation hash of each token of the previous start, and until when the revocation must be kept.
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

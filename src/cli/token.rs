use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::duration::duration;
use super::token_explain::Explain;
use super::{Failure, Outcome, account_with, output};
use crate::account::{AccountId, Contract};
use crate::app::App;
use crate::clock::after;
use crate::identity::Grant;
use crate::json::Object;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Issue a token for an account
    Issue(Issue),
    /// Revoke one token, or every token of an account
    Revoke(Revoke),
    /// Check a token against each rule, and explain the rules that it breaks
    Explain(Explain),
}

#[derive(Args)]
pub(super) struct Issue {
    /// The account's identifier
    #[arg(long)]
    account: AccountId,
    /// The contract that the token is valid for: system or rivergen; tokens for CIAM come from /oauth2/token
    #[arg(long, value_parser = contract)]
    contract: Contract,
    /// The token's scope (default: profile)
    #[arg(long)]
    scope: Option<String>,
    /// The X-Client-Hash that the token is bound to (default: the first one that it is used with)
    #[arg(long)]
    client_hash: Option<String>,
    /// How long the token is valid, such as 1h (default: issuer.token_lifetime)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<SignedDuration>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Revoke {
    /// The token's identifier, its `jti`
    #[arg(long, required_unless_present = "account", conflicts_with = "account")]
    jti: Option<String>,
    /// The issuer of the token, exactly as in its `iss` (default: the embedded issuer)
    #[arg(long, requires = "jti", conflicts_with = "account")]
    issuer: Option<String>,
    /// The account whose tokens are revoked
    #[arg(long)]
    account: Option<AccountId>,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Issue(issue) => issue.run(app).await,
            Command::Revoke(revoke) => revoke.run(app).await,
            Command::Explain(explain) => explain.run(app).await,
        }
    }
}

impl Issue {
    async fn run(self, app: &App) -> Outcome {
        account_with(app, self.account).await?;
        let settings = &app.config().issuer;
        let lifetime = self.ttl.map_or(settings.token_lifetime, |ttl| ttl.unsigned_abs());
        if lifetime > settings.max_token_lifetime {
            let longest = SignedDuration::try_from(settings.max_token_lifetime).unwrap_or(SignedDuration::MAX);
            return Err(Failure(format!("ttl: must be at most issuer.max_token_lifetime, {longest:#}")));
        }
        let grant = Grant {
            account: self.account,
            contract: self.contract,
            scope: self.scope,
            client_hash: self.client_hash,
            lifetime,
        };
        let issued = app.issuer().issue(&grant).await?;
        if !self.json {
            return output::line(issued.token);
        }
        let mut record = Object::new();
        record.insert("token", issued.token);
        record.insert("jti", issued.token_id);
        record.insert("expires_at", issued.expires_at.to_string());
        output::record(&record, true)
    }
}

impl Revoke {
    async fn run(self, app: &App) -> Outcome {
        if let Some(account) = self.account {
            account_with(app, account).await?;
            app.store().revoke_tokens_before(account, app.now()).await?;
        }
        match (self.jti, self.issuer) {
            (Some(token_id), Some(issuer)) if issuer != app.issuer().name() => {
                revoke_elsewhere(app, &issuer, &token_id).await
            }
            (Some(token_id), _) => revoke(app, &token_id).await,
            (None, _) => Ok(()),
        }
    }
}

/// Revokes a token of the embedded issuer for as long as it could be valid.
async fn revoke(app: &App, token_id: &str) -> Outcome {
    let token = app.keys().revocation(app.issuer().name(), token_id);
    let end = after(app.now(), app.issuer().max_lifetime());
    Ok(app.store().revoke_token(token, end).await?)
}

/// Revokes a token of a trusted issuer permanently, since the lifetime of its tokens is not known.
async fn revoke_elsewhere(app: &App, issuer: &str, token_id: &str) -> Outcome {
    if app.authenticator().trusted(issuer).is_none() {
        return Err(Failure(format!(
            "issuer {issuer} is not trusted; give it exactly as a [trusted_issuer.NAME] section of the configuration does"
        )));
    }
    Ok(app.store().revoke_token(app.keys().revocation(issuer, token_id), Timestamp::MAX).await?)
}

fn contract(text: &str) -> Result<Contract, String> {
    crate::account::among(&Contract::WITH_TOKENS, text)
}

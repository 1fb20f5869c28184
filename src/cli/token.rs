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
use crate::keys::KeyedHash;

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
    #[arg(long, required_unless_present = "account")]
    jti: Option<String>,
    /// The issuer of the token, exactly as in its `iss` (default: the embedded issuer)
    #[arg(long, requires = "jti")]
    issuer: Option<String>,
    /// The account whose tokens are revoked; with --jti, the account of that one token, which is needed if
    /// `database.distributed` is set
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
        let account = match self.account {
            Some(id) => Some(account_with(app, id).await?.id),
            None => None,
        };
        match (self.jti, account) {
            (Some(_), None) if app.config().database.distributed => Err(Failure(
                "account: with database.distributed a token is revoked for its account; give --account ID too, or \
                 --account alone to revoke every token of the account"
                    .to_owned(),
            )),
            (Some(token_id), _) => {
                let (token, end) = match self.issuer {
                    Some(issuer) if issuer != app.issuer().name() => of_another_issuer(app, &issuer, &token_id)?,
                    _ => of_this_installation(app, &token_id),
                };
                Ok(app.store().revoke_token(account, token, end).await?)
            }
            (None, Some(account)) => Ok(app.store().revoke_tokens_before(account, app.now()).await?),
            (None, None) => Ok(()),
        }
    }
}

/// Returns the key of the revocation of a token of the embedded issuer, and until when it could be valid.
fn of_this_installation(app: &App, token_id: &str) -> (KeyedHash, Timestamp) {
    let token = app.keys().revocation(app.issuer().name(), token_id);
    (token, after(app.now(), app.issuer().max_lifetime()))
}

/// Returns the same for a token of a trusted issuer, which is revoked permanently, since the lifetime of its tokens is not
/// known.
fn of_another_issuer(app: &App, issuer: &str, token_id: &str) -> Result<(KeyedHash, Timestamp), Failure> {
    if app.authenticator().trusted(issuer).is_none() {
        return Err(Failure(format!(
            "issuer {issuer} is not trusted; give it exactly as a [trusted_issuer.NAME] section of the configuration does"
        )));
    }
    Ok((app.keys().revocation(issuer, token_id), Timestamp::MAX))
}

fn contract(text: &str) -> Result<Contract, String> {
    crate::account::among(&Contract::WITH_TOKENS, text)
}

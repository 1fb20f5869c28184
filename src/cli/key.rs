use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::duration::duration;
use super::{Failure, Outcome, account_with, label, output, tenant_named};
use crate::account::{AccountId, Tenant};
use crate::app::App;
use crate::identity::api_key;
use crate::json::Object;
use crate::store::ApiKey;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create an API key and print its secret, which is not shown again
    Create(Create),
    /// List a tenant's API keys
    List(List),
    /// Revoke an API key with immediate effect
    Revoke(Revoke),
}

#[derive(Args)]
pub(super) struct Create {
    /// The tenant's name
    #[arg(long)]
    tenant: String,
    /// The only account that the key acts for (default: every account of the tenant)
    #[arg(long)]
    account: Option<AccountId>,
    /// The key's name
    #[arg(long, default_value = "")]
    name: String,
    /// How long the key is valid, such as 90d or 12h (default: until it is revoked)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<SignedDuration>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    /// The tenant's name
    #[arg(long)]
    tenant: String,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Revoke {
    /// The key's id, as `key list` shows it
    id: Uuid,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Create(create) => create.run(app).await,
            Command::List(list) => list.run(app).await,
            Command::Revoke(revoke) => match app.store().revoke_api_key(revoke.id, app.now()).await? {
                true => Ok(()),
                false => Err(Failure(format!("no valid key has the id {}", revoke.id))),
            },
        }
    }
}

impl Create {
    async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        let name = label(self.name)?;
        if let Some(id) = self.account
            && account_with(app, id).await?.tenant_id != tenant.id
        {
            return Err(Failure(format!("account {id} does not belong to tenant {}", tenant.name)));
        }
        let expires_at = match self.expires {
            Some(life) => Some(app.now().checked_add(life).map_err(|_| "expires: too far away".to_owned())?),
            None => None,
        };
        let (secret, key) = create(app, &tenant, self.account, name, expires_at).await?;
        if !self.json {
            return output::line(secret);
        }
        let mut record = record(&key);
        record.insert("api_key", secret);
        output::record(&record, true)
    }
}

/// Creates an API key and returns it with its secret, of which only a hash is stored.
pub(super) async fn create(
    app: &App,
    tenant: &Tenant,
    account_id: Option<AccountId>,
    name: String,
    expires_at: Option<Timestamp>,
) -> Result<(String, ApiKey), Failure> {
    let secret = api_key::mint();
    let key = ApiKey {
        hash: api_key::hash(app.keys(), &secret),
        id: app.new_id(),
        tenant_id: tenant.id,
        account_id,
        name,
        created_at: app.now(),
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    app.store().add_api_key(&key).await?;
    Ok((secret, key))
}

impl List {
    async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        for key in app.store().api_keys(tenant.id).await? {
            if output::item(&record(&key), self.json)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn record(key: &ApiKey) -> Object {
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let mut record = Object::new();
    record.insert("id", key.id.to_string());
    record.insert("name", key.name.as_str());
    record.insert("account_id", key.account_id.map(|account| account.to_string()));
    record.insert("created_at", key.created_at.to_string());
    record.insert("expires_at", moment(key.expires_at));
    record.insert("revoked_at", moment(key.revoked_at));
    record.insert("last_used_at", moment(key.last_used_at));
    record
}

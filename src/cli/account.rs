use clap::{Args, Subcommand};
use uuid::Uuid;

use super::assignment::{Assignment, patch};
use super::transfer::{Export, Import};
use super::{Failure, Outcome, account_with, output, tenant_named};
use crate::account::history::ChangeContext;
use crate::account::{Account, AccountId, Patch, Portal, Status};
use crate::app::App;
use crate::json::Object;
use crate::store::{self, Identity};

/// Accounts read per page.
const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create an account
    Create(Create),
    /// Show an account
    Show(Show),
    /// List accounts
    List(List),
    /// Change fields of an account; the history records the operator as author
    Set(Set),
    /// Change an account's status
    SetStatus(SetStatus),
    /// Link a person at another identity provider to an account
    Link(Link),
    /// Import accounts from lines of JSON; they keep their identifiers
    Import(Import),
    /// Export accounts as lines of JSON
    Export(Export),
}

#[derive(Args)]
pub(super) struct Create {
    /// The tenant's name
    #[arg(long)]
    tenant: String,
    /// A UUID that clients already use as the identifier of the account (default: a new one)
    #[arg(long)]
    id: Option<AccountId>,
    /// A business identifier that clients already use (default: ACC_SYS_ and the number)
    #[arg(long)]
    biz_id: Option<String>,
    /// The portal: SYSTEM, TENANT, PARTNER or CONSUMER (default: the tenant's)
    #[arg(long)]
    portal: Option<Portal>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Fields, such as display_name="Jane Admin" email=jane@example.com email_verified=true; docs/moving.md lists their names
    fields: Vec<Assignment>,
}

#[derive(Args)]
pub(super) struct Show {
    /// The account's identifier
    id: AccountId,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    /// List only accounts of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Set {
    /// The account's identifier
    id: AccountId,
    /// Fields, such as display_name="Jane Admin"; docs/moving.md lists their names; an empty value clears a field
    #[arg(required = true)]
    fields: Vec<Assignment>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct SetStatus {
    /// The account's identifier
    id: AccountId,
    /// PENDING_APPROVAL, ACTIVE, REJECTED, LOCKED, SUSPENDED or CLOSED
    status: Status,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Link {
    /// The account's identifier
    id: AccountId,
    /// The issuer (`iss`) of the identity provider's tokens, exactly as in the token
    #[arg(long)]
    issuer: String,
    /// The person's subject (`sub`) in the identity provider's tokens, exactly as in the token
    #[arg(long)]
    subject: String,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Create(create) => create.run(app).await,
            Command::Show(show) => print(app, &account_with(app, show.id).await?, show.json).await,
            Command::List(list) => list.run(app).await,
            Command::Set(set) => change(app, set.id, patch(&set.fields, app.public_url())?, set.json).await,
            Command::SetStatus(set) => {
                change(app, set.id, Patch { status: Some(set.status), ..Patch::default() }, set.json).await
            }
            Command::Link(link) => link.run(app).await,
            Command::Import(import) => import.run(app).await,
            Command::Export(export) => export.run(app).await,
        }
    }
}

impl Create {
    async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        let mut patch = patch(&self.fields, app.public_url())?;
        patch.portal = self.portal.or(patch.portal);
        let id = self.id.unwrap_or_else(|| AccountId(app.new_id()));
        let number = app.store().next_account_number().await?;
        let account = Account::new(id, number, self.biz_id, &tenant, app.now());
        let account = app.profiles().create(account, &patch, None, &ChangeContext::operator()).await?;
        print(app, &account, self.json).await
    }
}

impl List {
    async fn run(self, app: &App) -> Outcome {
        let tenant = match &self.tenant {
            Some(name) => Some(tenant_named(app, name).await?.id),
            None => None,
        };
        let mut after = AccountId(Uuid::nil());
        loop {
            let page = app.store().accounts(after, tenant, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for account in &page {
                if output::item(&record(app, account).await?, self.json)?.is_break() {
                    return Ok(());
                }
            }
        }
    }
}

impl Link {
    async fn run(self, app: &App) -> Outcome {
        let account = account_with(app, self.id).await?;
        let identity = Identity { issuer: self.issuer, subject: self.subject };
        let link = store::Link { key: app.keys().subject(&identity.subject), identity };
        app.store().link(account.id, &link, app.now()).await?;
        Ok(())
    }
}

async fn change(app: &App, id: AccountId, patch: Patch, json: bool) -> Outcome {
    let account = account_with(app, id).await?;
    let account = app.profiles().update(account, patch, ChangeContext::operator(), |_| Ok(())).await?;
    print(app, &account, json).await
}

async fn print(app: &App, account: &Account, json: bool) -> Outcome {
    output::record(&record(app, account).await?, json)
}

async fn record(app: &App, account: &Account) -> Result<Object, Failure> {
    let tenant = app.store().tenant(account.tenant_id).await?;
    let tenant = tenant.ok_or_else(|| Failure(format!("account {} has no tenant", account.id)))?;
    let identities = app.store().identities(account.id).await?;
    Ok(output::account(account, &tenant, &identities))
}

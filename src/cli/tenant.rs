use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::tenant_schema::{SetSchema, ShowSchema};
use super::{Failure, Outcome, output, tenant_named};
use crate::account::{Portal, Tenant, TenantId, TenantStatus};
use crate::app::App;

/// The longest name or business identifier, in ASCII characters.
const MAX_NAME: usize = 128;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a tenant
    Create(Create),
    /// List tenants
    List(List),
    /// Change a tenant's name, business identifier, status, expiry or portal
    Set(Set),
    /// Set or remove the JSON Schema that the attributes of a tenant's accounts must match
    SetSchema(SetSchema),
    /// Print a tenant's JSON Schema
    ShowSchema(ShowSchema),
}

#[derive(Args)]
pub(super) struct Create {
    /// The name, as CL2C's `tenant` header carries it
    name: String,
    /// A business identifier that clients already use (default: INST_SYS_ and the number)
    #[arg(long)]
    biz_id: Option<String>,
    /// The portal of its accounts: SYSTEM, TENANT, PARTNER or CONSUMER
    #[arg(long, default_value = "SYSTEM")]
    portal: Portal,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Set {
    /// The tenant's present name
    name: String,
    /// A new name
    #[arg(long)]
    rename: Option<String>,
    /// A new business identifier
    #[arg(long)]
    biz_id: Option<String>,
    /// ACTIVE or INACTIVE
    #[arg(long)]
    status: Option<TenantStatus>,
    /// When the tenant expires, such as 2027-01-01T00:00:00Z, or `never`; its accounts are refused from then on
    #[arg(long)]
    valid_until: Option<String>,
    /// The portal of accounts created from now on
    #[arg(long)]
    portal: Option<Portal>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Create(create) => create.run(app).await,
            Command::List(list) => list.run(app).await,
            Command::Set(set) => set.run(app).await,
            Command::SetSchema(set) => set.run(app).await,
            Command::ShowSchema(show) => show.run(app).await,
        }
    }
}

impl Create {
    async fn run(self, app: &App) -> Outcome {
        let tenant = create(app, &self.name, self.biz_id, self.portal).await?;
        output::record(&output::tenant(&tenant), self.json)
    }
}

/// Adds a tenant.
pub(super) async fn create(app: &App, name: &str, biz_id: Option<String>, portal: Portal) -> Result<Tenant, Failure> {
    let number = app.store().next_tenant_number().await?;
    let name = checked("name", name.to_owned())?;
    let biz_id = biz_id.map(|biz_id| checked("biz-id", biz_id)).transpose()?;
    let tenant = Tenant::new(TenantId(app.new_id()), number, name, biz_id, portal, app.now());
    app.store().add_tenant(&tenant).await?;
    Ok(tenant)
}

impl List {
    async fn run(self, app: &App) -> Outcome {
        for tenant in app.store().tenants().await? {
            if output::item(&output::tenant(&tenant), self.json)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Set {
    async fn run(self, app: &App) -> Outcome {
        let mut tenant = tenant_named(app, &self.name).await?;
        if let Some(name) = self.rename {
            tenant.name = checked("rename", name)?;
        }
        if let Some(biz_id) = self.biz_id {
            tenant.biz_id = checked("biz-id", biz_id)?;
        }
        tenant.status = self.status.unwrap_or(tenant.status);
        tenant.portal = self.portal.unwrap_or(tenant.portal);
        match self.valid_until.as_deref() {
            None => {}
            Some("never") => tenant.valid_until = None,
            Some(text) => tenant.valid_until = Some(moment(text).map_err(|reason| format!("valid-until: {reason}"))?),
        }
        tenant.updated_at = app.now();
        app.store().set_tenant(&tenant).await?;
        output::record(&output::tenant(&tenant), self.json)
    }
}

/// Parses an RFC 3339 timestamp.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("{text} is not a moment such as 2027-01-01T00:00:00Z"))
}

/// Checks a name: it is sent in HTTP headers, so it must be visible ASCII without spaces at the ends.
fn checked(what: &str, name: String) -> Result<String, Failure> {
    let visible = name.chars().all(|c| c.is_ascii_graphic() || c == ' ') && name.trim() == name;
    if visible && (1..=MAX_NAME).contains(&name.len()) {
        return Ok(name);
    }
    Err(Failure(format!("{what}: expected 1 to {MAX_NAME} visible ASCII characters without spaces at the ends")))
}

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use uuid::Uuid;

use super::{Failure, Outcome, output, tenant_named};
use crate::account::{AccountId, Fault, Field, Schema, Tenant, schema};
use crate::app::App;
use crate::contract::RESERVED_ATTRIBUTES;

/// Accounts read per page; each may have 64 KiB of attributes.
const PAGE: i64 = 100;
/// The most accounts that a dry run lists.
const NAMED: usize = 10;

#[derive(Args)]
pub(super) struct SetSchema {
    /// The tenant's name
    tenant: String,
    /// The file with the JSON Schema (2020-12); - for standard input
    #[arg(required_unless_present = "remove")]
    file: Option<PathBuf>,
    /// Change nothing: count the accounts whose attributes would not match, and list the first ten
    #[arg(long)]
    dry_run: bool,
    /// Remove the schema; any attributes are valid again
    #[arg(long, conflicts_with_all = ["file", "dry_run"])]
    remove: bool,
}

#[derive(Args)]
pub(super) struct ShowSchema {
    /// The tenant's name
    tenant: String,
}

impl SetSchema {
    pub(super) async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        let Some(file) = self.file else {
            app.store().set_attribute_schema(tenant.id, None, app.now()).await?;
            return output::line(format_args!("{} no longer has a schema: attributes may be anything", tenant.name));
        };
        let refused = |reason: String| Failure(format!("{}: {reason}", file.display()));
        let schema = Schema::compile(&read(&file).map_err(refused)?, &RESERVED_ATTRIBUTES)
            .map_err(|reason| refused(reason.to_string()))?;
        if self.dry_run {
            return try_out(app, &tenant, &schema).await;
        }
        let version = app.store().set_attribute_schema(tenant.id, Some(schema.text()), app.now()).await?;
        let name = &tenant.name;
        output::line(format_args!("{name} has schema {version} now: attributes must match it whenever they change"))
    }
}

impl ShowSchema {
    pub(super) async fn run(self, app: &App) -> Outcome {
        let tenant = tenant_named(app, &self.tenant).await?;
        let (_, text) = app.store().attribute_schema(tenant.id).await?.ok_or_else(|| {
            Failure(format!(
                "{} has no schema; `selfsame tenant set-schema {} FILE` sets one",
                tenant.name, tenant.name
            ))
        })?;
        output::line(text)
    }
}

/// Reads at most one byte more than the longest schema, so that a wrong file cannot exhaust memory.
fn read(path: &Path) -> Result<String, String> {
    let limit = schema::MAX_BYTES as u64 + 1;
    let mut text = String::new();
    let read = match path == Path::new("-") {
        true => std::io::stdin().take(limit).read_to_string(&mut text),
        false => File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)),
    };
    read.map_err(|error| error.to_string())?;
    Ok(text)
}

/// Checks every account's attributes against a schema without setting it. Accounts without attributes cannot violate it and
/// are skipped.
async fn try_out(app: &App, tenant: &Tenant, schema: &Schema) -> Outcome {
    let (mut checked, mut failed) = (0_u64, 0_u64);
    let mut after = AccountId(Uuid::nil());
    loop {
        let page = app.store().accounts(after, Some(tenant.id), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for account in page.iter().filter(|account| account.text(Field::Attributes).is_some()) {
            checked += 1;
            let faults = schema.faults(account.attributes()?);
            if faults.is_empty() {
                continue;
            }
            failed += 1;
            if failed <= NAMED as u64 {
                output::line(format_args!("account {}: {}", account.id, places(&faults)))?;
            }
        }
    }
    if failed > NAMED as u64 {
        output::line(format_args!("and {} more", failed - NAMED as u64))?;
    }
    output::line(format_args!("{checked} accounts have attributes, {failed} of them would not match; nothing was set"))
}

/// Lists where attributes violate the schema, for a person; never their values.
pub(super) fn places(faults: &[Fault]) -> String {
    let shown =
        |fault: &Fault| if fault.field.is_empty() { "the whole object".to_owned() } else { fault.field.to_string() };
    faults.iter().map(shown).collect::<Vec<_>>().join(", ")
}

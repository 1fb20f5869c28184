use std::collections::HashMap;
use std::io::{self, Write};

use uuid::Uuid;

use super::draft::sort;
use super::line;
use crate::account::{AccountId, Cause, Error, Field, TenantId};
use crate::store::{Identity, Store};

/// Accounts read at once: few enough for even the largest to fit into memory.
const PAGE: i64 = 100;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A line cannot be written.
    #[error("{0}")]
    Output(#[from] io::Error),
    /// The accounts cannot be read.
    #[error("{0}")]
    Store(Error),
}

impl From<Error> for ExportError {
    fn from(error: Error) -> ExportError {
        ExportError::Store(error)
    }
}

/// Writes every account, of one tenant or of all, as lines in the order of account identifiers; returns their number.
pub async fn export(store: &Store, tenant: Option<TenantId>, out: &mut impl Write) -> Result<u64, ExportError> {
    let tenants: HashMap<_, _> = store.tenants().await?.into_iter().map(|tenant| (tenant.id, tenant)).collect();
    let mut written = 0;
    let mut after = AccountId(Uuid::nil());
    loop {
        let page = store.accounts(after, tenant, PAGE).await?;
        let Some(last) = page.last() else { return Ok(written) };
        after = last.id;
        let ids: Vec<AccountId> = page.iter().map(|account| account.id).collect();
        let mut identities: HashMap<AccountId, Vec<Identity>> = HashMap::new();
        for (id, identity) in store.identities_of(&ids).await? {
            identities.entry(id).or_default().push(identity);
        }
        for account in &page {
            let unreadable = |what: &str| Error::Internal(Cause::new(format!("account {}: {what}", account.id)));
            let tenant = tenants.get(&account.tenant_id).ok_or_else(|| unreadable("its tenant is missing"))?;
            let mut identities = identities.remove(&account.id).unwrap_or_default();
            sort(&mut identities);
            let mut line = line::record(account, tenant, &identities);
            if account.text(Field::Attributes).is_some() {
                line.insert(Field::Attributes.name(), account.attributes()?.clone());
            }
            writeln!(out, "{line}")?;
            written += 1;
        }
    }
}

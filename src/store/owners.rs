//! The owners of many unique keys at once.

use std::collections::HashMap;

use super::statement::{Statement, select};
use super::table::Columns;
use super::tables::UNIQUE_KEY;
use super::value::{Parameter, Row, parameters};
use super::{Store, UniqueKey, accounts};
use crate::account::{AccountId, Error, TenantId};
use crate::keys::KeyedHash;

// Only PostgreSQL handles a whole list in one statement; SQLite runs its statement once for each element.
const OWNERS: Statement = Statement {
    sqlite: accounts::OWNER.sqlite,
    postgres: select!(
        UNIQUE_KEY,
        "JOIN unnest(?1::uuid[], ?2::text[], ?3::bytea[]) AS w(tenant_id, kind, key) \
         ON unique_key.tenant_id = w.tenant_id AND unique_key.kind = w.kind AND unique_key.key = w.key"
    )
    .postgres,
};

impl Store {
    /// Returns the accounts that own unique keys, by tenant and key; keys without an owner are left out.
    pub async fn owners(
        &self,
        keys: &[(TenantId, UniqueKey)],
    ) -> Result<HashMap<(TenantId, KeyedHash), AccountId>, Error> {
        let owners = match self {
            Store::Sqlite(sqlite) => {
                let each = keys.iter().map(|(tenant, key)| parameters![*tenant, key.kind.name(), key.key]);
                sqlite.query_each(OWNERS, each, owner)?
            }
            Store::Postgres(postgres) => {
                let lists = lists(keys.iter().map(|(tenant, key)| (*tenant, key)));
                postgres.query(OWNERS, &lists, owner).await?
            }
        };
        Ok(owners.into_iter().collect())
    }
}

/// Returns the tenants, the kinds and the hashes of keys as three lists.
pub(super) fn lists<'a>(keys: impl Iterator<Item = (TenantId, &'a UniqueKey)>) -> Vec<Parameter> {
    let (mut tenants, mut kinds, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (tenant, key) in keys {
        tenants.push(tenant.0);
        kinds.push(key.kind.name().to_owned());
        hashes.push(key.key.to_vec());
    }
    vec![Parameter::Uuids(tenants), Parameter::Texts(kinds), Parameter::BytesList(hashes)]
}

/// Reads a key without its kind, which is a part of the keyed hash.
fn owner(row: &dyn Row) -> Result<((TenantId, KeyedHash), AccountId), Error> {
    let record = UNIQUE_KEY.at(row, 0);
    Ok(((record.get(UNIQUE_KEY.tenant_id)?, record.get(UNIQUE_KEY.key)?), record.get(UNIQUE_KEY.account_id)?))
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[OWNERS];

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::record::{self, ACCOUNT_COLUMNS, TENANT_COLUMNS};
use super::statement::{Statement, insert, select, statement};
use super::table::{Columns, values};
use super::tables::{ACCOUNT, API_KEY};
use super::value::{Row, parameters};
use crate::account::{Account, AccountId, Error, Tenant, TenantId};
use crate::keys::KeyedHash;

const ADD: Statement = insert!(API_KEY);
const LIST: Statement = select!(API_KEY, "WHERE api_key.tenant_id = ?1 ORDER BY api_key.id");
const REVOKE: Statement = statement!("UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL");
const USED: Statement =
    statement!("UPDATE api_key SET last_used_at = ?2 WHERE hash = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)");
// The account is asked by its identifier, like those of `accounts.rs`, and not by the one that the key is bound to.
const PRESENTED: Statement = statement!(
    "SELECT ",
    { Part::Columns(ACCOUNT.table()) },
    ", ",
    { record::TENANT_WITH_SCHEMA },
    ", ",
    { Part::Columns(API_KEY.table()) },
    " FROM tenant LEFT JOIN api_key ON api_key.hash = ?2 AND api_key.tenant_id = tenant.id LEFT JOIN account \
     ON account.id = ?3 AND account.tenant_id = tenant.id AND api_key.hash IS NOT NULL \
     AND (api_key.account_id IS NULL OR api_key.account_id = ?3) WHERE tenant.name = ?1"
);

/// An API key as it is stored, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The keyed hash of the secret.
    pub hash: KeyedHash,
    /// The identifier by which operators revoke it.
    pub id: Uuid,
    /// The only tenant that it is valid for.
    pub tenant_id: TenantId,
    /// The only account that it acts for, if it is bound to one.
    pub account_id: Option<AccountId>,
    /// Its name, for operators.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// When an operator revoked it.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, accurate to about a minute.
    pub last_used_at: Option<Timestamp>,
}

/// The result of looking up a tenant's name and a key's hash.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The tenant with that name.
    pub tenant: Tenant,
    /// The key, if it belongs to that tenant, with the account that was asked for, if the key opens it.
    pub key: Option<(ApiKey, Option<Account>)>,
}

impl Store {
    /// Adds a key.
    pub async fn add_api_key(&self, key: &ApiKey) -> Result<(), Error> {
        let values = values!(API_KEY {
            hash: key.hash,
            id: key.id,
            tenant_id: key.tenant_id,
            account_id: key.account_id,
            name: key.name.as_str(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        });
        self.execute(vec![(ADD, values)]).await.map(drop)
    }

    /// Returns a tenant's keys, oldest first.
    pub async fn api_keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>, Error> {
        self.query(LIST, parameters![tenant], |row| key(row, 0)).await
    }

    /// Revokes a key at once, on every instance; returns false when there is no such key or it is already revoked.
    pub async fn revoke_api_key(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let touched = self.execute(vec![(REVOKE, parameters![id, now])]).await?;
        Ok(touched == [1])
    }

    /// Records when keys were last used, in one transaction.
    pub async fn used_api_keys(&self, used: &[(KeyedHash, Timestamp)]) -> Result<(), Error> {
        let statements = used.iter().map(|(hash, at)| (USED, parameters![*hash, *at]));
        self.execute(statements.collect()).await.map(drop)
    }

    /// Returns the tenant with a name, the key with a hash if it belongs to that tenant, and an account of the tenant that the
    /// key opens. Runs the same single query whatever it finds.
    pub async fn presented(
        &self,
        tenant: &str,
        hash: KeyedHash,
        account: Option<AccountId>,
    ) -> Result<Option<Presented>, Error> {
        self.find(PRESENTED, parameters![tenant, hash, account], presented).await
    }
}

fn presented(row: &dyn Row) -> Result<Presented, Error> {
    let after = ACCOUNT_COLUMNS + TENANT_COLUMNS;
    let account = if ACCOUNT.at(row, 0).is_absent() { None } else { Some(record::account(row)?) };
    let key = if API_KEY.at(row, after).is_absent() { None } else { Some((key(row, after)?, account)) };
    Ok(Presented { tenant: record::tenant_at(row, ACCOUNT_COLUMNS)?, key })
}

fn key(row: &dyn Row, first: usize) -> Result<ApiKey, Error> {
    let record = API_KEY.at(row, first);
    Ok(ApiKey {
        hash: record.get(API_KEY.hash)?,
        id: record.get(API_KEY.id)?,
        tenant_id: record.get(API_KEY.tenant_id)?,
        account_id: record.get(API_KEY.account_id)?,
        name: record.get(API_KEY.name)?,
        created_at: record.get(API_KEY.created_at)?,
        expires_at: record.get(API_KEY.expires_at)?,
        revoked_at: record.get(API_KEY.revoked_at)?,
        last_used_at: record.get(API_KEY.last_used_at)?,
    })
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[ADD, LIST, REVOKE, USED, PRESENTED];

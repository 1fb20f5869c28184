use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::record::{self, ACCOUNT_COLUMNS, TENANT_COLUMNS};
use super::statement::{Statement, account_columns, statement, tenant_columns};
use super::value::{Parameter, Row, hash, optional_time, parameters, present, time};
use crate::account::{Account, AccountId, Error, Tenant, TenantId};
use crate::keys::KeyedHash;

/// The columns of a key, in the order of [`key`].
macro_rules! key_columns {
    () => {
        "k.hash, k.id, k.tenant_id, k.account_id, k.name, k.created_at, k.expires_at, k.revoked_at, k.last_used_at"
    };
}

const ADD: Statement = statement!(
    "INSERT INTO api_key (hash, id, tenant_id, account_id, name, created_at, expires_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
);
const LIST: Statement = statement!("SELECT ", key_columns!(), " FROM api_key k WHERE k.tenant_id = ?1 ORDER BY k.id");
const REVOKE: Statement = statement!("UPDATE api_key SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL");
const USED: Statement =
    statement!("UPDATE api_key SET last_used_at = ?2 WHERE hash = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)");
const PRESENTED: Statement = statement!(
    "SELECT ",
    account_columns!(),
    ", ",
    tenant_columns!(),
    ", ",
    key_columns!(),
    ", k.hash IS NOT NULL, a.id IS NOT NULL \
     FROM tenant t LEFT JOIN api_key k ON k.hash = ?2 AND k.tenant_id = t.id LEFT JOIN account a \
     ON a.id = k.account_id AND a.tenant_id = t.id \
     WHERE t.name = ?1"
);

/// A key as it is stored: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The keyed hash of the secret.
    pub hash: KeyedHash,
    /// The name by which operators revoke it.
    pub id: Uuid,
    /// The tenant that it never leaves.
    pub tenant_id: TenantId,
    /// The only account that it acts for, if it is bound to one.
    pub account_id: Option<AccountId>,
    /// What operators call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When an operator ended it.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within a minute or so.
    pub last_used_at: Option<Timestamp>,
}

/// What a tenant's name and a key's hash lead to.
#[derive(Clone, Debug)]
pub struct Presented {
    /// The tenant with that name.
    pub tenant: Tenant,
    /// The key, if it is that tenant's, and the account that it is bound to, if it is and if there still is one.
    pub key: Option<(ApiKey, Option<Account>)>,
}

impl Store {
    /// Adds a key.
    pub async fn add_api_key(&self, key: &ApiKey) -> Result<(), Error> {
        let bound = vec![
            Parameter::from(key.hash),
            Parameter::Uuid(Some(key.id)),
            Parameter::from(key.tenant_id),
            Parameter::Uuid(key.account_id.map(|account| account.0)),
            Parameter::from(key.name.as_str()),
            Parameter::from(key.created_at),
            Parameter::from(key.expires_at),
        ];
        self.execute(vec![(ADD, bound)]).await.map(drop)
    }

    /// A tenant's keys, oldest first.
    pub async fn api_keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>, Error> {
        self.query(LIST, parameters![tenant], |row| key(row, 0)).await
    }

    /// Ends a key at once, on every instance; false when there is none that still holds.
    pub async fn revoke_api_key(&self, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let touched = self.execute(vec![(REVOKE, vec![Parameter::Uuid(Some(id)), now.into()])]).await?;
        Ok(touched == [1])
    }

    /// Records when keys were last used, all at once.
    pub async fn used_api_keys(&self, used: &[(KeyedHash, Timestamp)]) -> Result<(), Error> {
        let statements = used.iter().map(|(hash, at)| (USED, parameters![*hash, *at]));
        self.execute(statements.collect()).await.map(drop)
    }

    /// The tenant with a name, the key with a hash if it is that tenant's, and the key's account: one query, and the same
    /// one whatever it finds.
    pub async fn presented(&self, tenant: &str, hash: KeyedHash) -> Result<Option<Presented>, Error> {
        self.find(PRESENTED, parameters![tenant, hash], presented).await
    }
}

fn presented(row: &dyn Row) -> Result<Presented, Error> {
    let after = ACCOUNT_COLUMNS + TENANT_COLUMNS;
    let account = if row.boolean(after + 10)? { Some(record::account(row)?) } else { None };
    let key = if row.boolean(after + 9)? { Some((key(row, after)?, account)) } else { None };
    Ok(Presented { tenant: record::tenant_from(row, ACCOUNT_COLUMNS)?, key })
}

fn key(row: &dyn Row, first: usize) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        hash: hash(row, first)?,
        id: row.uuid(first + 1).and_then(present)?,
        tenant_id: TenantId(row.uuid(first + 2).and_then(present)?),
        account_id: row.uuid(first + 3)?.map(AccountId),
        name: row.text(first + 4)?,
        created_at: time(row, first + 5)?,
        expires_at: optional_time(row, first + 6)?,
        revoked_at: optional_time(row, first + 7)?,
        last_used_at: optional_time(row, first + 8)?,
    })
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[ADD, LIST, REVOKE, USED, PRESENTED];

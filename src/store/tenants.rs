use super::statement::{Statement, statement, tenant_columns};
use super::value::{parameters, present};
use super::{Store, record};
use crate::account::{Error, Tenant, TenantId};

const NEXT_NUMBER: Statement = statement!("UPDATE counter SET last = last + 1 WHERE name = ?1 RETURNING last");
const ADD: Statement = statement!(
    "INSERT INTO tenant (id, number, name, biz_id, status, valid_until, portal, created_at, updated_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
);
const SET: Statement = statement!(
    "UPDATE tenant SET number = ?2, name = ?3, biz_id = ?4, status = ?5, valid_until = ?6, portal = ?7, \
     created_at = ?8, updated_at = ?9 WHERE id = ?1"
);
const BY_NAME: Statement = statement!("SELECT ", tenant_columns!(), " FROM tenant t WHERE t.name = ?1");
const BY_ID: Statement = statement!("SELECT ", tenant_columns!(), " FROM tenant t WHERE t.id = ?1");
const LIST: Statement = statement!("SELECT ", tenant_columns!(), " FROM tenant t ORDER BY t.number");

impl Store {
    /// Draws the next tenant number.
    pub async fn next_tenant_number(&self) -> Result<i64, Error> {
        self.next_number("tenant").await
    }

    /// Draws the next account number; numbers of accounts that were never committed leave gaps.
    pub async fn next_account_number(&self) -> Result<i64, Error> {
        self.next_number("account").await
    }

    async fn next_number(&self, of: &str) -> Result<i64, Error> {
        let drawn = self.write(NEXT_NUMBER, parameters![of], |row| row.integer(0).and_then(present)).await?;
        present(drawn.into_iter().next())
    }

    /// Adds a tenant; [`Error::Taken`] when its name or business identifier is another's.
    pub async fn add_tenant(&self, tenant: &Tenant) -> Result<(), Error> {
        self.execute(vec![(ADD, record::tenant_parameters(tenant))]).await.map(drop)
    }

    /// Replaces a tenant's facts.
    pub async fn set_tenant(&self, tenant: &Tenant) -> Result<(), Error> {
        self.execute(vec![(SET, record::tenant_parameters(tenant))]).await.map(drop)
    }

    /// The tenant with this name.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, Error> {
        self.find(BY_NAME, parameters![name], record::tenant).await
    }

    /// The tenant with this identifier.
    pub async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, Error> {
        self.find(BY_ID, parameters![id], record::tenant).await
    }

    /// Every tenant, by number.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        self.query(LIST, vec![], record::tenant).await
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[NEXT_NUMBER, ADD, SET, BY_NAME, BY_ID, LIST];

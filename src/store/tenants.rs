use super::statement::{Part, Statement, insert, parts, statement};
use super::tables::TENANT;
use super::value::{always, computed, parameters};
use super::{Postgres, Store, record};
use crate::account::{Error, Tenant, TenantId};

const NEXT_NUMBER: Statement = statement!("UPDATE counter SET last = last + 1 WHERE name = ?1 RETURNING last");
const ADD: Statement = insert!(TENANT);
const SET: Statement =
    statement!("UPDATE tenant SET ", { Part::Assignments(TENANT.table()) }, " WHERE id = ", { TENANT.id.place() });
const TENANTS: Part = Part::All(parts!["SELECT ", { record::TENANT_WITH_SCHEMA }, " FROM tenant "]);
const BY_NAME: Statement = statement!({ TENANTS }, "WHERE tenant.name = ?1");
const BY_ID: Statement = statement!({ TENANTS }, "WHERE tenant.id = ?1");
const LIST: Statement = statement!({ TENANTS }, "ORDER BY tenant.number");

impl Store {
    /// Draws the next tenant number.
    pub async fn next_tenant_number(&self) -> Result<i64, Error> {
        self.next_number("tenant").await
    }

    /// Draws the next account number; accounts that are never committed leave gaps, and so does each instance of a distributed
    /// installation that ends.
    pub async fn next_account_number(&self) -> Result<i64, Error> {
        match self {
            Store::Postgres(Postgres { numbers: Some(numbers), .. }) => numbers.next(self).await,
            _ => self.next_number("account").await,
        }
    }

    /// Drops the account numbers that are drawn in advance, because another account has one of them.
    pub(super) async fn forget_numbers(&self) {
        if let Store::Postgres(Postgres { numbers: Some(numbers), .. }) = self {
            numbers.forget().await;
        }
    }

    async fn next_number(&self, of: &str) -> Result<i64, Error> {
        let drawn = self.write(NEXT_NUMBER, parameters![of], |row| computed(row, 0)).await?;
        always(drawn.into_iter().next())
    }

    /// Adds a tenant; [`Error::Taken`] when another has its name or business identifier.
    pub async fn add_tenant(&self, tenant: &Tenant) -> Result<(), Error> {
        self.execute(vec![(ADD, record::tenant_values(tenant))]).await.map(drop)
    }

    /// Replaces a tenant's data.
    pub async fn set_tenant(&self, tenant: &Tenant) -> Result<(), Error> {
        self.execute(vec![(SET, record::tenant_values(tenant))]).await.map(drop)
    }

    /// Returns the tenant with this name.
    pub async fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, Error> {
        self.find(BY_NAME, parameters![name], record::tenant).await
    }

    /// Returns the tenant with this identifier.
    pub async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, Error> {
        self.find(BY_ID, parameters![id], record::tenant).await
    }

    /// Returns every tenant, ordered by number.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        self.query(LIST, vec![], record::tenant).await
    }
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[NEXT_NUMBER, ADD, SET, BY_NAME, BY_ID, LIST];

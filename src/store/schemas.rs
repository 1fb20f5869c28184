use super::Store;
use super::statement::{Statement, select, statement};
use super::stored::utf8;
use super::table::Columns;
use super::tables::ATTRIBUTE_SCHEMA as SCHEMA;
use super::value::{Row, always, computed, parameters};
use crate::account::{Error, TenantId};
use jiff::Timestamp;

// The row stays when a schema is removed, so that a version is never used again and cached versions stay correct.
const SET: Statement = statement!(
    "INSERT INTO attribute_schema (tenant_id, version, document, set_at) VALUES (?1, 1, ?2, ?3) \
     ON CONFLICT (tenant_id) DO UPDATE SET version = attribute_schema.version + 1, document = excluded.document, \
     set_at = excluded.set_at RETURNING version"
);
const OF: Statement =
    select!(SCHEMA, "WHERE attribute_schema.tenant_id = ?1 AND attribute_schema.document IS NOT NULL");

impl Store {
    /// Sets or removes the schema that the attributes of a tenant's accounts must match; returns its new version.
    pub async fn set_attribute_schema(
        &self,
        tenant: TenantId,
        document: Option<&str>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        let document = document.map(|document| document.as_bytes().to_vec());
        let versions = self.write(SET, parameters![tenant, document, now], |row| computed(row, 0)).await?;
        always(versions.into_iter().next())
    }

    /// Returns the schema that the attributes of a tenant's accounts must match, with its version.
    pub async fn attribute_schema(&self, tenant: TenantId) -> Result<Option<(i64, String)>, Error> {
        let read = |row: &dyn Row| {
            let record = SCHEMA.at(row, 0);
            let document = record.get(SCHEMA.document)?.unwrap_or_default();
            let document = utf8(document).map_err(|wrong| record.unreadable(SCHEMA.document, wrong))?;
            Ok((record.get(SCHEMA.version)?, document))
        };
        self.find(OF, parameters![tenant], read).await
    }
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[SET, OF];

use super::Store;
use super::statement::{Statement, statement};
use super::value::{parameters, present, unreadable};
use crate::account::{Error, TenantId};
use jiff::Timestamp;

// The row stays when a schema is taken away: a version is never used again, so that nobody who remembers one can be wrong.
const SET: Statement = statement!(
    "INSERT INTO attribute_schema (tenant_id, version, document, set_at) VALUES (?1, 1, ?2, ?3) \
     ON CONFLICT (tenant_id) DO UPDATE SET version = attribute_schema.version + 1, document = excluded.document, \
     set_at = excluded.set_at RETURNING version"
);
const OF: Statement =
    statement!("SELECT version, document FROM attribute_schema WHERE tenant_id = ?1 AND document IS NOT NULL");

impl Store {
    /// Sets the schema that the attributes of a tenant's accounts are held to, or takes it away; returns its version.
    pub async fn set_attribute_schema(
        &self,
        tenant: TenantId,
        document: Option<&str>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        let document = document.map(|document| document.as_bytes().to_vec());
        let versions =
            self.write(SET, parameters![tenant, document, now], |row| row.integer(0).and_then(present)).await?;
        present(versions.into_iter().next())
    }

    /// The schema that the attributes of a tenant's accounts are held to, with its version.
    pub async fn attribute_schema(&self, tenant: TenantId) -> Result<Option<(i64, String)>, Error> {
        self.find(OF, parameters![tenant], |row| {
            let document = String::from_utf8(present(row.bytes(1)?)?).map_err(unreadable)?;
            Ok((present(row.integer(0)?)?, document))
        })
        .await
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[SET, OF];

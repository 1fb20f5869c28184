use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Profiles;
use crate::account::{Cause, Error, Patch, Rules, Schema, Tenant, TenantId};
use crate::store::unreadable;

/// How many compiled schemas are remembered: one tenant has one.
const REMEMBERED: usize = 200;

/// Compiled schemas by tenant and version. A version never means another schema, so none is ever out of date.
pub(super) struct Schemas(Cache<(TenantId, i64), Arc<Schema>>);

impl Default for Schemas {
    fn default() -> Schemas {
        Schemas(Cache::new(REMEMBERED))
    }
}

impl Profiles {
    /// What the attributes of a tenant's accounts are held to.
    pub async fn rules(&self, tenant: &Tenant) -> Result<Rules, Error> {
        let Some(version) = tenant.schema else { return Ok(Rules::Free) };
        if let Some(schema) = self.schemas.0.get(&(tenant.id, version)) {
            return Ok(Rules::Schema(schema));
        }
        // A newer one than the tenant was read with is as good: the change is made after it was set.
        let Some((version, text)) = self.store.attribute_schema(tenant.id).await? else { return Ok(Rules::Free) };
        let compiled = tokio::task::spawn_blocking(move || {
            // Reserved names were refused when it was set.
            Schema::compile(&text, &[])
        });
        let compiled = compiled.await;
        let schema = compiled.map_err(internal)?.map(Arc::new);
        let schema = schema.map_err(|error| unreadable("attribute_schema", tenant.id, "document", error))?;
        self.schemas.0.insert((tenant.id, version), schema.clone());
        Ok(Rules::Schema(schema))
    }

    /// Looks up what a patch is held to, unless that was done already or does not matter.
    pub(super) async fn look_up(&self, tenant: TenantId, patch: &mut Patch) -> Result<(), Error> {
        if patch.rules == Rules::Unknown && patch.touches_attributes() {
            let tenant = self.store.tenant(tenant).await?;
            let tenant = tenant.ok_or_else(|| Error::Internal(Cause::new("an account has no tenant")))?;
            patch.rules = self.rules(&tenant).await?;
        }
        Ok(())
    }
}

fn internal(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Cause::new(cause))
}

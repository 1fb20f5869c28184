use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Profiles;
use crate::account::{Cause, Error, Patch, Rules, Schema, Tenant, TenantId};
use crate::store::unreadable;

/// The most compiled schemas in the cache; a tenant in use needs one.
const REMEMBERED: usize = 200;

/// A cache of compiled schemas by tenant and version. The schema of a version never changes, so no cache entry gets
/// outdated.
pub(super) struct Schemas(Cache<(TenantId, i64), Arc<Schema>>);

impl Default for Schemas {
    fn default() -> Schemas {
        Schemas(Cache::new(REMEMBERED))
    }
}

impl Profiles {
    /// Returns the rules for the attributes of a tenant's accounts.
    pub async fn rules(&self, tenant: &Tenant) -> Result<Rules, Error> {
        let Some(version) = tenant.schema else { return Ok(Rules::Free) };
        if let Some(schema) = self.schemas.0.get(&(tenant.id, version)) {
            return Ok(Rules::Schema(schema));
        }
        // A newer version than the tenant was read with is valid too: the change is made after it was set.
        let Some((version, text)) = self.store.attribute_schema(tenant.id).await? else { return Ok(Rules::Free) };
        let compiled = tokio::task::spawn_blocking(move || {
            // Reserved names were refused when the schema was set.
            Schema::compile(&text, &[])
        });
        let compiled = compiled.await;
        let schema = compiled.map_err(internal)?.map(Arc::new);
        let schema = schema.map_err(|error| unreadable("attribute_schema", tenant.id, "document", error))?;
        self.schemas.0.insert((tenant.id, version), schema.clone());
        Ok(Rules::Schema(schema))
    }

    /// Looks up the rules for a patch, unless they are known already or the patch does not touch the attributes.
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

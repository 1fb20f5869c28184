use super::Profiles;
use crate::account::{Account, AccountId, Contact, Error, TenantId};
use crate::store::Holding;

impl Profiles {
    /// The account of a tenant that has proved an address.
    pub async fn owner_of(&self, tenant: TenantId, contact: &Contact) -> Result<Option<AccountId>, Error> {
        let kind = contact.field().name();
        let key = self.keys.index(tenant.0, kind, &contact.comparable());
        self.store.holder(tenant, &Holding { kind, key }).await
    }

    /// Whether another account of the tenant has proved an address. The answer may differ when a change commits, and that
    /// one counts.
    pub async fn is_taken(&self, account: &Account, contact: &Contact) -> Result<bool, Error> {
        let owner = self.owner_of(account.tenant_id, contact).await?;
        Ok(owner.is_some_and(|owner| owner != account.id))
    }
}

use super::Profiles;
use crate::account::{Account, AccountId, Contact, Error, TenantId};
use crate::code::Proof;
use crate::store::UniqueKey;

/// An account that has verified an address, and the address.
#[derive(Debug)]
pub struct Owner {
    /// The account.
    pub account: Account,
    /// The address as the account stores it: it compares equal to the requested one, and may be another mailbox.
    pub contact: Contact,
}

impl Owner {
    /// Whether the code of a proof was sent to the account's own address. A code that was sent to another spelling gives no
    /// access to the account.
    pub fn is_proved_by(&self, proof: &Proof) -> bool {
        self.contact.has_destination_of(proof.contact())
    }
}

impl Profiles {
    /// Finds the account of the tenant that has verified an address, or one that compares equal. The result may be outdated
    /// a moment later.
    pub async fn owner_of(&self, tenant: TenantId, contact: &Contact) -> Result<Option<Owner>, Error> {
        let Some(owner) = self.owner_id(tenant, contact).await? else { return Ok(None) };
        let account = self.store.account(owner).await?;
        Ok(account.and_then(|account| {
            // The account may have changed between the two queries.
            let stored = account.verified_contact(contact.medium())?;
            (stored.comparable() == contact.comparable()).then_some(Owner { account, contact: stored })
        }))
    }

    /// Whether another account of the tenant has proved an address. The result may differ when a change commits, and only
    /// the check at commit is binding.
    pub async fn is_taken(&self, account: &Account, contact: &Contact) -> Result<bool, Error> {
        let owner = self.owner_id(account.tenant_id, contact).await?;
        Ok(owner.is_some_and(|owner| owner != account.id))
    }

    /// The identifier of the account that has proved an address.
    async fn owner_id(&self, tenant: TenantId, contact: &Contact) -> Result<Option<AccountId>, Error> {
        let kind = contact.unique();
        let key = self.keys.index(tenant.0, kind.name(), &contact.comparable());
        self.store.owner_of(tenant, &UniqueKey { kind, key }).await
    }
}

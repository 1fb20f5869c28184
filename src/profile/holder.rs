use crate::account::{Account, AccountId, Contact, Error, TenantId};
use crate::app::App;
use crate::code::Proof;
use crate::store::Holding;

/// An account that has verified an address, and the address.
#[derive(Debug)]
pub struct Owner {
    /// The account.
    pub account: Account,
    /// The address as the account has it: it compares equal to the one that was asked for, and may be another mailbox.
    pub contact: Contact,
}

impl Owner {
    /// Whether a code was sent to the account's own address. One that was sent to another spelling opens nothing here.
    pub fn is_proved_by(&self, proof: &Proof) -> bool {
        self.contact.has_destination_of(proof.contact())
    }
}

/// The account of the tenant that has verified an address, or one that compares equal. It may be another answer a moment
/// later.
pub async fn owner_of(app: &App, tenant: TenantId, contact: &Contact) -> Result<Option<Owner>, Error> {
    let holder = holder(app, tenant, contact).await?;
    let Some(holder) = holder else { return Ok(None) };
    let account = app.store().account(holder).await?;
    Ok(account.and_then(|account| {
        // It may have changed between the two queries.
        let stored = account.verified_contact(contact.channel())?;
        (stored.comparable() == contact.comparable()).then_some(Owner { account, contact: stored })
    }))
}

/// Whether another account of the tenant has proved an address. It may be another answer when a change commits, and that
/// one counts.
pub async fn is_taken(app: &App, account: &Account, contact: &Contact) -> Result<bool, Error> {
    Ok(holder(app, account.tenant_id, contact).await?.is_some_and(|holder| holder != account.id))
}

/// Whose an address is: the account of the tenant that has proved it.
async fn holder(app: &App, tenant: TenantId, contact: &Contact) -> Result<Option<AccountId>, Error> {
    let kind = contact.field().name();
    let key = app.keys().index(tenant, kind, &contact.comparable());
    app.store().holder(tenant, &Holding { kind, key }).await
}

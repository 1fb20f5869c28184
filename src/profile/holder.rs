use crate::account::{Account, AccountId, Contact, Error, TenantId};
use crate::app::App;
use crate::store::Holding;

/// Whose an address is: the account of the tenant that has proved it.
pub async fn holder(app: &App, tenant: TenantId, contact: &Contact) -> Result<Option<AccountId>, Error> {
    let kind = contact.unique();
    let key = app.keys().index(tenant.0, kind.name(), &contact.comparable());
    app.store().holder(tenant, &Holding { kind, key }).await
}

/// Whether another account of the tenant has proved an address. It may be another answer when a change commits, and that
/// one counts.
pub async fn is_taken(app: &App, account: &Account, contact: &Contact) -> Result<bool, Error> {
    Ok(holder(app, account.tenant_id, contact).await?.is_some_and(|holder| holder != account.id))
}

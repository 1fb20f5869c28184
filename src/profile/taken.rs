use crate::account::{Account, Contact, Error};
use crate::app::App;
use crate::store::Holding;

/// Whether another account of the tenant has proved an address. It may be another answer when a change commits, and that
/// one counts.
pub async fn is_taken(app: &App, account: &Account, contact: &Contact) -> Result<bool, Error> {
    let kind = contact.field().name();
    let key = app.keys().index(account.tenant_id, kind, &contact.comparable());
    let holder = app.store().holder(account.tenant_id, &Holding { kind, key }).await?;
    Ok(holder.is_some_and(|holder| holder != account.id))
}

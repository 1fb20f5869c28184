use crate::account::{AccountId, Contact, Error, Tenant};
use crate::app::App;
use crate::store::Holding;

/// Whose an address is: the account of the tenant that has proved it.
pub async fn holder(app: &App, tenant: &Tenant, contact: &Contact) -> Result<Option<AccountId>, Error> {
    let kind = match contact {
        Contact::Phone(_) => "phone",
        Contact::Email(_) => "email",
    };
    let key = app.keys().index(tenant.id, kind, &contact.comparable());
    app.store().holder(tenant.id, &Holding { kind, key }).await
}

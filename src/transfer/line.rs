//! The members of an account in an export, which has one JSON object a line.

use crate::account::{Account, Field, Tenant};
use crate::json::{Object, Value};
use crate::store::Identity;

/// The names of the members that are not text fields.
pub(super) const ID: &str = "id";
pub(super) const NUMBER: &str = "number";
pub(super) const BIZ_ID: &str = "biz_id";
pub(super) const TENANT: &str = "tenant";
pub(super) const PORTAL: &str = "portal";
pub(super) const STATUS: &str = "status";
pub(super) const EMAIL_VERIFIED: &str = "email_verified";
pub(super) const PHONE_VERIFIED: &str = "phone_verified";
pub(super) const AUTHENTICATED: &str = "authenticated";
pub(super) const AUTH_VALID_UNTIL: &str = "auth_valid_until";
pub(super) const IDENTITIES: &str = "identities";
pub(super) const CREATED_AT: &str = "created_at";
pub(super) const UPDATED_AT: &str = "updated_at";

/// Returns every member of a line, in order.
pub(super) fn members() -> impl Iterator<Item = &'static str> {
    let before = [ID, NUMBER, BIZ_ID, TENANT, PORTAL, STATUS];
    let behind = [EMAIL_VERIFIED, PHONE_VERIFIED, AUTHENTICATED, AUTH_VALID_UNTIL, IDENTITIES, CREATED_AT, UPDATED_AT];
    before.into_iter().chain(Field::ALL.into_iter().map(Field::name)).chain(behind)
}

/// Returns an account as a record with every member of a line; an unset one is `null`, and attributes are the stored
/// text.
pub fn record(account: &Account, tenant: &Tenant, identities: &[Identity]) -> Object {
    let mut record = Object::new();
    record.insert(ID, account.id.to_string());
    record.insert(NUMBER, account.number);
    record.insert(BIZ_ID, account.biz_id.as_str());
    record.insert(TENANT, tenant.name.as_str());
    record.insert(PORTAL, account.portal.code());
    record.insert(STATUS, account.status.code());
    for field in Field::ALL {
        record.insert(field.name(), account.text(field));
    }
    record.insert(EMAIL_VERIFIED, account.email_verified);
    record.insert(PHONE_VERIFIED, account.phone_verified);
    record.insert(AUTHENTICATED, account.authenticated);
    record.insert(AUTH_VALID_UNTIL, account.auth_valid_until.map(|until| until.to_string()));
    record.insert(IDENTITIES, identities.iter().map(identity).collect::<Vec<Value>>());
    record.insert(CREATED_AT, account.created_at.to_string());
    record.insert(UPDATED_AT, account.updated_at.to_string());
    record
}

fn identity(identity: &Identity) -> Value {
    let pair = [("issuer", identity.issuer.as_str()), ("subject", identity.subject.as_str())];
    Value::Object(pair.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountId, Portal, TenantId};

    #[test]
    fn a_record_has_the_members_of_a_line_in_their_order() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let tenant = Tenant::new(TenantId(uuid::Uuid::nil()), 1, "demo", None, Portal::System, at);
        let account = Account::new(AccountId(uuid::Uuid::nil()), 1, None, &tenant, at);
        let record = record(&account, &tenant, &[]);
        assert!(record.iter().map(|(name, _)| name.as_str()).eq(members()));
    }
}

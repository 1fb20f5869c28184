//! Specimens for the examples: accounts, and errors that a request can end in.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::account::{
    Account, AccountId, BodyFault, Cause, DayUsedUp, Error, Field, Portal, RequestFault, Tenant, TenantId, Text,
    TooMany,
};

/// An error that a request can end in, after a text that describes when it does.
pub(in crate::contract) type Ending = (&'static str, Error);

/// Returns the errors of any request that is rate-limited and needs the database.
pub(in crate::contract) fn failures() -> Vec<Ending> {
    let early = TooMany { limit: 120, wait: Duration::from_millis(500) };
    vec![
        ("too many requests came from the address, or for the account", early.into()),
        ("a bug", Error::Internal(Cause::new("an example"))),
        unavailable(),
    ]
}

/// Returns the error that only a change can end in.
pub(in crate::contract) fn change_faults() -> Vec<Ending> {
    let used_up = DayUsedUp { wait: Duration::from_millis(500) };
    vec![("the account has stored as much as it may in 24 hours", used_up.into())]
}

/// Returns the error that any request can end in.
pub(super) fn unavailable() -> Ending {
    ("the server is too busy, or its database does not answer", Error::Unavailable(Cause::new("an example")))
}

/// Returns the errors of a request with a body, before its members are read.
pub(in crate::contract) fn body_faults() -> Vec<Ending> {
    vec![
        ("no body", BodyFault::Empty.into()),
        ("not JSON", BodyFault::Malformed.into()),
        ("null", BodyFault::Null.into()),
        ("not an object", BodyFault::NotAnObject.into()),
        ("the body did not arrive in time", RequestFault::BodyTooSlow.into()),
        ("the body is too large", RequestFault::BodyTooLarge.into()),
        ("the media type is not application/json in UTF-8", RequestFault::MediaType.into()),
        ("the body is in a content coding", RequestFault::ContentEncoding.into()),
    ]
}

/// Returns a tenant, numbered like the first one of a fresh installation.
pub(in crate::contract) fn tenant() -> Tenant {
    Tenant::new(TenantId(Uuid::nil()), 1, "demo", None, Portal::System, Timestamp::UNIX_EPOCH)
}

/// Returns the first account of that tenant.
pub(in crate::contract) fn person(fields: &[(Field, &str)], created_at: Timestamp, updated_at: Timestamp) -> Account {
    let id = AccountId(Uuid::from_u128(0x3fa8_5f64_5717_4562_b3fc_2c96_3f66_afa6));
    let mut account = Account::new(id, 1, None, &tenant(), created_at);
    for (field, value) in fields {
        account.set_text(*field, Text::new(*value).ok());
    }
    account.updated_at = updated_at;
    account
}

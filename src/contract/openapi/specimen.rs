//! What the examples are made of: people, and ways for a request to end.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::account::{
    Account, AccountId, BodyFault, Cause, Error, Field, Portal, RequestFault, Tenant, TenantId, Text, TooMany,
};

/// A way for a request to end, and when it does.
pub(in crate::contract) type Ending = (&'static str, Error);

/// How any request can end that is counted, and that needs the database.
pub(in crate::contract) fn failures() -> Vec<Ending> {
    let early = TooMany { limit: 120, wait: Duration::from_millis(500) };
    vec![
        ("too many requests came from the address, or for the account", early.into()),
        ("a bug", Error::Internal(Cause::new("an example"))),
        unavailable(),
    ]
}

/// How any request at all can end.
pub(super) fn unavailable() -> Ending {
    ("the server is too busy, or its database does not answer", Error::Unavailable(Cause::new("an example")))
}

/// How a request with a body can end before its members are looked at.
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

/// A tenant, as a fresh installation numbers its first one.
pub(in crate::contract) fn tenant() -> Tenant {
    Tenant::new(TenantId(Uuid::nil()), 1, "demo", None, Portal::System, Timestamp::UNIX_EPOCH)
}

/// The first account of that tenant.
pub(in crate::contract) fn person(fields: &[(Field, &str)], created_at: Timestamp, updated_at: Timestamp) -> Account {
    let id = AccountId(Uuid::from_u128(0x3fa8_5f64_5717_4562_b3fc_2c96_3f66_afa6));
    let mut account = Account::new(id, 1, None, &tenant(), created_at);
    for (field, value) in fields {
        account.set_text(*field, Text::new(*value).ok());
    }
    account.updated_at = updated_at;
    account
}

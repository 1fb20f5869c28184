//! Rows to values and back.

use super::value::{Parameter, Row, hash, optional_hash, optional_time, parameters, present, time, unreadable};
use super::{Found, Identity, SigningKeyRecord};
use crate::account::history::{Entry, Metadata, SealedPayload};
use crate::account::{
    Account, AccountId, Attributes, Digest, Error, Field, Portal, Status, Tenant, TenantId, TenantStatus, Text, Texts,
};

/// How many columns an account has.
pub(super) const ACCOUNT_COLUMNS: usize = 31;
/// How many columns a tenant has.
pub(super) const TENANT_COLUMNS: usize = 10;
/// The first personal column.
const FIRST_TEXT: usize = 7;
/// The first column behind the personal ones.
const AFTER_TEXTS: usize = FIRST_TEXT + Field::ALL.len();
/// Personal columns with this key are plain UTF-8.
pub(super) const PLAIN: i64 = 0;

pub(super) fn account(row: &dyn Row) -> Result<Account, Error> {
    if present(row.integer(6)?)? != PLAIN {
        return Err(unreadable("an account is encrypted with a key that this version does not know"));
    }
    let mut account = Account {
        id: AccountId(row.uuid(0).and_then(present)?),
        number: present(row.integer(1)?)?,
        tenant_id: TenantId(row.uuid(2).and_then(present)?),
        biz_id: row.text(3)?,
        portal: member(Portal::from_value, row, 4)?,
        status: member(Status::from_value, row, 5)?,
        texts: Texts::default(),
        attributes: Attributes::default(),
        email_verified: row.boolean(AFTER_TEXTS)?,
        phone_verified: row.boolean(AFTER_TEXTS + 1)?,
        authenticated: row.boolean(AFTER_TEXTS + 2)?,
        auth_valid_until: optional_time(row, AFTER_TEXTS + 3)?,
        version: present(row.integer(AFTER_TEXTS + 4)?)?,
        created_at: time(row, AFTER_TEXTS + 5)?,
        updated_at: time(row, AFTER_TEXTS + 6)?,
        history_head: Digest(hash(row, AFTER_TEXTS + 7)?),
    };
    for (position, field) in Field::ALL.into_iter().enumerate() {
        account.set_text(field, row.bytes(FIRST_TEXT + position)?.map(text).transpose()?);
    }
    Ok(account)
}

/// Parameters 1 to 31 of every statement that writes an account.
pub(super) fn account_parameters(account: &Account) -> Vec<Parameter> {
    let mut parameters = parameters![
        account.id,
        account.number,
        account.tenant_id,
        account.biz_id.as_str(),
        account.portal.value(),
        account.status.value(),
        PLAIN,
    ];
    for field in Field::ALL {
        parameters.push(Parameter::Bytes(account.text(field).map(|text| text.as_bytes().to_vec())));
    }
    parameters.extend(parameters![
        account.email_verified,
        account.phone_verified,
        account.authenticated,
        account.auth_valid_until,
        account.version,
        account.created_at,
        account.updated_at,
        account.history_head,
    ]);
    parameters
}

pub(super) fn tenant(row: &dyn Row) -> Result<Tenant, Error> {
    tenant_from(row, 0)
}

pub(super) fn tenant_from(row: &dyn Row, first: usize) -> Result<Tenant, Error> {
    Ok(Tenant {
        id: TenantId(row.uuid(first).and_then(present)?),
        number: present(row.integer(first + 1)?)?,
        name: row.text(first + 2)?,
        biz_id: row.text(first + 3)?,
        status: member(TenantStatus::from_value, row, first + 4)?,
        valid_until: optional_time(row, first + 5)?,
        portal: member(Portal::from_value, row, first + 6)?,
        created_at: time(row, first + 7)?,
        updated_at: time(row, first + 8)?,
        schema: row.integer(first + 9)?,
    })
}

/// Parameters 1 to 9 of every statement that writes a tenant.
pub(super) fn tenant_parameters(tenant: &Tenant) -> Vec<Parameter> {
    parameters![
        tenant.id,
        tenant.number,
        tenant.name.as_str(),
        tenant.biz_id.as_str(),
        tenant.status.value(),
        tenant.valid_until,
        tenant.portal.value(),
        tenant.created_at,
        tenant.updated_at,
    ]
}

pub(super) fn found(row: &dyn Row) -> Result<Found, Error> {
    let after = ACCOUNT_COLUMNS + TENANT_COLUMNS;
    Ok(Found {
        account: account(row)?,
        tenant: tenant_from(row, ACCOUNT_COLUMNS)?,
        tokens_not_before: optional_time(row, after)?,
        revoked: row.boolean(after + 1)?,
        client_hash: optional_hash(row, after + 2)?,
    })
}

pub(super) fn entry(row: &dyn Row) -> Result<Entry, Error> {
    let sealed = match (row.integer(8)?, row.bytes(9)?, optional_hash(row, 10)?) {
        (Some(key), Some(payload), Some(salt)) => Some(SealedPayload { key, payload, salt }),
        _ => None,
    };
    Ok(Entry {
        metadata: Metadata {
            account_id: AccountId(row.uuid(0).and_then(present)?),
            sequence: present(row.integer(1)?)?,
            at: time(row, 2)?,
            actor: row.text(3)?,
            contract: row.text(4)?,
            request_id: row.text(5)?,
        },
        commitment: Digest(hash(row, 6)?),
        link: Digest(hash(row, 7)?),
        sealed,
    })
}

/// The eleven parameters of a history entry, in the order of its columns.
pub(super) fn entry_parameters(entry: &Entry) -> Vec<Parameter> {
    let metadata = &entry.metadata;
    let sealed = entry.sealed.as_ref();
    parameters![
        metadata.account_id,
        metadata.sequence,
        metadata.at,
        metadata.actor.as_str(),
        metadata.contract.as_str(),
        metadata.request_id.as_str(),
        entry.commitment,
        entry.link,
        sealed.map(|sealed| sealed.key),
        sealed.map(|sealed| sealed.payload.clone()),
        sealed.map(|sealed| sealed.salt),
    ]
}

pub(super) fn signing_key(row: &dyn Row) -> Result<SigningKeyRecord, Error> {
    Ok(SigningKeyRecord {
        key_id: row.text(0)?,
        algorithm: row.text(1)?,
        public_key: row.text(2)?,
        sealed: present(row.bytes(3)?)?,
        created_at: time(row, 4)?,
        retired_at: optional_time(row, 5)?,
    })
}

pub(super) fn identity(row: &dyn Row) -> Result<Identity, Error> {
    if present(row.integer(1)?)? != PLAIN {
        return Err(unreadable("a subject is encrypted with a key that this version does not know"));
    }
    let subject = String::from_utf8(present(row.bytes(2)?)?).map_err(unreadable)?;
    Ok(Identity { issuer: row.text(0)?, subject })
}

fn text(bytes: Vec<u8>) -> Result<Text, Error> {
    Text::new(String::from_utf8(bytes).map_err(unreadable)?).map_err(unreadable)
}

fn member<T>(from_value: fn(i64) -> Option<T>, row: &dyn Row, column: usize) -> Result<T, Error> {
    let value = present(row.integer(column)?)?;
    from_value(value).ok_or_else(|| unreadable(format!("{value} in column {column} is not a known member")))
}

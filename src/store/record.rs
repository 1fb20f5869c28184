//! Conversions between rows and domain values.

use super::statement::{Part, parts};
use super::stored::{Plain, Stored, utf8};
use super::table::{Columns, unreadable, values};
use super::tables::{ACCOUNT, HISTORY, IDENTITY, SIGNING_KEY, TENANT};
use super::value::{Parameter, Row, computed};
use super::{CallerRecord, Identity, SigningKeyRecord};
use crate::account::history::{Entry, Metadata, SealedPayload};
use crate::account::{Account, Attributes, DailyUsage, Error, Field, Tenant, Texts};

/// How many columns an account has.
pub(super) const ACCOUNT_COLUMNS: usize = ACCOUNT.table().width();
/// How many columns [`tenant_at`] reads.
pub(super) const TENANT_COLUMNS: usize = TENANT.table().width() + 1;
/// Those columns: the tenant's own, and the version of its schema, which is set separately.
pub(super) const TENANT_WITH_SCHEMA: Part = Part::All(parts![
    { Part::Columns(TENANT.table()) },
    ", (SELECT s.version FROM attribute_schema s WHERE s.tenant_id = tenant.id AND s.document IS NOT NULL)",
]);

pub(super) fn account(row: &dyn Row) -> Result<Account, Error> {
    let record = ACCOUNT.at(row, 0);
    record.get(ACCOUNT.personal_key)?;
    let mut account = Account {
        id: record.get(ACCOUNT.id)?,
        number: record.get(ACCOUNT.number)?,
        tenant_id: record.get(ACCOUNT.tenant_id)?,
        biz_id: record.get(ACCOUNT.biz_id)?,
        portal: record.get(ACCOUNT.portal)?,
        status: record.get(ACCOUNT.status)?,
        texts: Texts::default(),
        attributes: Attributes::default(),
        email_verified: record.get(ACCOUNT.email_verified)?,
        phone_verified: record.get(ACCOUNT.phone_verified)?,
        authenticated: record.get(ACCOUNT.authenticated)?,
        auth_valid_until: record.get(ACCOUNT.auth_valid_until)?,
        version: record.get(ACCOUNT.version)?,
        created_at: record.get(ACCOUNT.created_at)?,
        updated_at: record.get(ACCOUNT.updated_at)?,
        history_head: record.get(ACCOUNT.history_head)?,
        usage: DailyUsage {
            began_at: record.get(ACCOUNT.day_began_at)?,
            picture_bytes: record.get(ACCOUNT.picture_bytes)?,
            history_bytes: record.get(ACCOUNT.history_bytes)?,
        },
    };
    for field in Field::ALL {
        account.set_text(field, record.field(field)?);
    }
    Ok(account)
}

pub(super) fn account_values(account: &Account) -> Vec<Parameter> {
    let mut values = values!(ACCOUNT {
        id: account.id,
        number: account.number,
        tenant_id: account.tenant_id,
        biz_id: account.biz_id.as_str(),
        portal: account.portal.value(),
        status: account.status.value(),
        personal_key: Plain,
        email_verified: account.email_verified,
        phone_verified: account.phone_verified,
        authenticated: account.authenticated,
        auth_valid_until: account.auth_valid_until,
        version: account.version,
        created_at: account.created_at,
        updated_at: account.updated_at,
        history_head: account.history_head,
        day_began_at: account.usage.began_at,
        picture_bytes: account.usage.picture_bytes,
        history_bytes: account.usage.history_bytes,
    });
    values.extend(Field::ALL.map(|field| account.text(field).map(|text| text.as_bytes().to_vec()).into()));
    values
}

pub(super) fn tenant(row: &dyn Row) -> Result<Tenant, Error> {
    tenant_at(row, 0)
}

pub(super) fn tenant_at(row: &dyn Row, first: usize) -> Result<Tenant, Error> {
    let record = TENANT.at(row, first);
    Ok(Tenant {
        id: record.get(TENANT.id)?,
        number: record.get(TENANT.number)?,
        name: record.get(TENANT.name)?,
        biz_id: record.get(TENANT.biz_id)?,
        status: record.get(TENANT.status)?,
        valid_until: record.get(TENANT.valid_until)?,
        portal: record.get(TENANT.portal)?,
        created_at: record.get(TENANT.created_at)?,
        updated_at: record.get(TENANT.updated_at)?,
        schema: computed(row, first + TENANT.table().width())?,
    })
}

pub(super) fn tenant_values(tenant: &Tenant) -> Vec<Parameter> {
    values!(TENANT {
        id: tenant.id,
        number: tenant.number,
        name: tenant.name.as_str(),
        biz_id: tenant.biz_id.as_str(),
        status: tenant.status.value(),
        valid_until: tenant.valid_until,
        portal: tenant.portal.value(),
        created_at: tenant.created_at,
        updated_at: tenant.updated_at,
    })
}

/// How many columns [`caller_record`] reads.
const CALLER_COLUMNS: usize = ACCOUNT_COLUMNS + TENANT_COLUMNS + 2;

/// Reads an account with its tenant and revocations; the client binding was not read.
pub(super) fn caller_record(row: &dyn Row) -> Result<CallerRecord, Error> {
    let account = account(row)?;
    let after = ACCOUNT_COLUMNS + TENANT_COLUMNS;
    let horizon = Stored::read(row, after);
    Ok(CallerRecord {
        tenant: tenant_at(row, ACCOUNT_COLUMNS)?,
        tokens_not_before: horizon.map_err(|wrong| unreadable("token_horizon", account.id, "not_before", wrong))?,
        revoked: computed(row, after + 1)?,
        client_hash: None,
        bound_until: None,
        account,
    })
}

/// Like [`caller_record`], with the client binding.
pub(super) fn bound_caller_record(row: &dyn Row) -> Result<CallerRecord, Error> {
    let found = caller_record(row)?;
    let (client_hash, bound_until) = (Stored::read(row, CALLER_COLUMNS), Stored::read(row, CALLER_COLUMNS + 1));
    let unreadable = |column, wrong| unreadable("client_binding", found.account.id, column, wrong);
    Ok(CallerRecord {
        client_hash: client_hash.map_err(|wrong| unreadable("client_hash", wrong))?,
        bound_until: bound_until.map_err(|wrong| unreadable("expires_at", wrong))?,
        ..found
    })
}

pub(super) fn entry(row: &dyn Row) -> Result<Entry, Error> {
    let record = HISTORY.at(row, 0);
    let sealed = (record.get(HISTORY.sealing_key)?, record.get(HISTORY.payload)?, record.get(HISTORY.salt)?);
    Ok(Entry {
        metadata: Metadata {
            account_id: record.get(HISTORY.account_id)?,
            sequence: record.get(HISTORY.sequence)?,
            at: record.get(HISTORY.at)?,
            actor: record.get(HISTORY.actor)?,
            contract: record.get(HISTORY.contract)?,
            request_id: record.get(HISTORY.request_id)?,
        },
        commitment: record.get(HISTORY.commitment)?,
        link: record.get(HISTORY.link)?,
        sealed: match sealed {
            (Some(key), Some(payload), Some(salt)) => Some(SealedPayload { key, payload, salt }),
            _ => None,
        },
    })
}

pub(super) fn entry_values(entry: &Entry) -> Vec<Parameter> {
    let Entry { metadata, sealed, .. } = entry;
    let sealed = sealed.as_ref();
    values!(HISTORY {
        account_id: metadata.account_id,
        sequence: metadata.sequence,
        at: metadata.at,
        actor: metadata.actor.as_str(),
        contract: metadata.contract.as_str(),
        request_id: metadata.request_id.as_str(),
        commitment: entry.commitment,
        link: entry.link,
        sealing_key: sealed.map(|sealed| sealed.key),
        payload: sealed.map(|sealed| sealed.payload.clone()),
        salt: sealed.map(|sealed| sealed.salt),
    })
}

pub(super) fn signing_key(row: &dyn Row) -> Result<SigningKeyRecord, Error> {
    let record = SIGNING_KEY.at(row, 0);
    Ok(SigningKeyRecord {
        key_id: record.get(SIGNING_KEY.key_id)?,
        algorithm: record.get(SIGNING_KEY.algorithm)?,
        public_key: record.get(SIGNING_KEY.public_key)?,
        sealed: record.get(SIGNING_KEY.sealed)?,
        created_at: record.get(SIGNING_KEY.created_at)?,
        retired_at: record.get(SIGNING_KEY.retired_at)?,
    })
}

pub(super) fn identity(row: &dyn Row) -> Result<Identity, Error> {
    let record = IDENTITY.at(row, 0);
    record.get(IDENTITY.personal_key)?;
    let subject = utf8(record.get(IDENTITY.subject)?).map_err(|wrong| record.unreadable(IDENTITY.subject, wrong))?;
    Ok(Identity { issuer: record.get(IDENTITY.issuer)?, subject })
}

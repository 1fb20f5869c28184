//! How records are printed: a block of `name: value` lines for people, one JSON object a line for programs.

use std::io::Write;

use crate::account::{Account, Tenant};
use crate::json::{Object, Value};
use crate::store::Identity;
use crate::transfer;

/// Prints a record to standard output.
pub(super) fn print(record: &Object, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        return writeln!(out, "{record}");
    }
    let width = record.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    for (name, value) in record.iter().filter(|(_, value)| **value != Value::Null) {
        let value = value.as_str().map_or_else(|| value.to_text(), printable);
        writeln!(out, "{:width$} {value}", format!("{name}:"))?;
    }
    writeln!(out)
}

/// An account as a record; what is unset is null.
pub(super) fn account(account: &Account, tenant: &Tenant, identities: &[Identity]) -> Object {
    let mut record = Object::new();
    for (name, value) in transfer::record(account, tenant, identities) {
        // What moves has no version: where it comes to, its history begins anew.
        if name == "created_at" {
            record.insert("version", account.version);
        }
        record.insert(name, value);
    }
    record
}

/// A tenant as a record.
pub(super) fn tenant(tenant: &Tenant) -> Object {
    let mut record = Object::new();
    record.insert("id", tenant.id.to_string());
    record.insert("number", tenant.number);
    record.insert("name", tenant.name.as_str());
    record.insert("biz_id", tenant.biz_id.as_str());
    record.insert("status", tenant.status.code());
    record.insert("valid_until", tenant.valid_until.map(|until| until.to_string()));
    record.insert("portal", tenant.portal.code());
    record.insert("schema", tenant.schema);
    record.insert("created_at", tenant.created_at.to_string());
    record.insert("updated_at", tenant.updated_at.to_string());
    record
}

/// Keeps control characters that somebody stored from steering the terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

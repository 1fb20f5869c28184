//! Output of the commands: a record is a block of `name: value` lines for people, or one line of JSON for programs. A closed
//! pipe (`… | head -1`) is not an error: a list ends there, and any other command continues to its own exit code.

use std::fmt::{Arguments, Display};
use std::io::{self, ErrorKind, Write};
use std::ops::ControlFlow;

use super::{Failure, Outcome};
use crate::account::{Account, Tenant};
use crate::json::{Object, Value};
use crate::store::Identity;
use crate::transfer;

/// Prints a text and a line break. A closed pipe is not an error.
pub(super) fn line(text: impl Display) -> Outcome {
    print(format_args!("{text}\n")).map(drop)
}

/// Prints a text of whole lines. A closed pipe is not an error.
pub(super) fn text(text: impl Display) -> Outcome {
    print(format_args!("{text}")).map(drop)
}

/// Prints a record. A closed pipe is not an error.
pub(super) fn record(record: &Object, json: bool) -> Outcome {
    item(record, json).map(drop)
}

/// Prints a record of a list. Returns `Break` if the pipe is closed, which ends the list.
pub(super) fn item(record: &Object, json: bool) -> Result<ControlFlow<()>, Failure> {
    if json { print(format_args!("{record}\n")) } else { print(format_args!("{}\n", block(record))) }
}

/// Converts the result of a write to standard output: a closed pipe becomes `Break`, any other error fails the command.
pub(super) fn written(result: io::Result<()>) -> Result<ControlFlow<()>, Failure> {
    match result {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Failure(format!("standard output: {error}"))),
    }
}

/// Prints a line to standard error. Errors are ignored: there is no other place to report them.
pub(super) fn report(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn print(text: Arguments<'_>) -> Result<ControlFlow<()>, Failure> {
    let mut out = io::stdout().lock();
    written(out.write_fmt(text).and_then(|()| out.flush()))
}

/// Formats a record as lines of `name: value`, without null values.
fn block(record: &Object) -> String {
    let width = record.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let line = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_text(), printable);
        format!("{:width$} {value}\n", format!("{name}:"))
    };
    record.iter().filter(|(_, value)| **value != Value::Null).map(line).collect()
}

/// Returns an account as a record; unset fields are null.
pub(super) fn account(account: &Account, tenant: &Tenant, identities: &[Identity]) -> Object {
    let mut record = Object::new();
    for (name, value) in transfer::record(account, tenant, identities) {
        // An exported account has no version, since its history starts over where it is imported.
        if name == "created_at" {
            record.insert("version", account.version);
        }
        record.insert(name, value);
    }
    record
}

/// Returns a tenant as a record.
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

/// Escapes control characters, so that stored text cannot control the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

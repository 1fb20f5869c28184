use jiff::Timestamp;

use super::statement::{Statement, insert, statement};
use super::table::{Columns, values};
use super::tables::USED_CODE as USED;
use super::value::{Row, parameters};
use super::{CodeId, Query, Store};
use crate::account::Error;
use crate::keys::KeyedHash;

const KEEP: Statement =
    insert!(USED, " ON CONFLICT (slot) DO UPDATE SET ", { Part::AssignmentsFrom(USED.table(), "excluded.") });
const COUNT_TRY: Statement = statement!(
    "UPDATE used_code SET tries = tries + 1 WHERE slot = ?1 AND binding = ?2 AND expires_at > ?3 AND tries < ?4 RETURNING ",
    { Part::Names(USED.table()) }
);
pub(super) const FORGET: Statement = statement!("DELETE FROM used_code WHERE expires_at <= ?1");

/// A code that changed an address, as it is kept until its time is over; no part of it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedCode {
    /// Its slot and identifier. A slot has one: the one that was used last.
    pub code_id: CodeId,
    /// The keyed hash of every other parameter that must be the same when it comes back.
    pub binding: KeyedHash,
    /// The keyed hash of the code.
    pub code: KeyedHash,
    /// When the code expires, and the row can be deleted.
    pub expires_at: Timestamp,
    /// The address that it was sent to, sealed.
    pub contact: Vec<u8>,
    /// The address that it replaced, sealed, if there was one.
    pub previous: Option<Vec<u8>>,
}

impl Store {
    /// Counts an attempt to present a used code once more, and returns what to compare with. Returns nothing when there is no
    /// such code, it has expired, a parameter differs, or `tries` attempts were made since it was used.
    pub async fn count_repetition(
        &self,
        slot: KeyedHash,
        binding: KeyedHash,
        now: Timestamp,
        tries: i64,
    ) -> Result<Option<UsedCode>, Error> {
        let counted = self.write(COUNT_TRY, parameters![slot, binding, now, tries], used).await?;
        Ok(counted.into_iter().next())
    }
}

fn used(row: &dyn Row) -> Result<UsedCode, Error> {
    let record = USED.at(row, 0);
    Ok(UsedCode {
        code_id: CodeId { slot: record.get(USED.slot)?, id: record.get(USED.id)? },
        binding: record.get(USED.binding)?,
        code: record.get(USED.code)?,
        expires_at: record.get(USED.expires_at)?,
        contact: record.get(USED.contact)?,
        previous: record.get(USED.previous)?,
    })
}

/// Returns the query that keeps a used code.
pub(super) fn keeping(code: &UsedCode) -> Query {
    let values = values!(USED {
        slot: code.code_id.slot,
        id: code.code_id.id,
        binding: code.binding,
        code: code.code,
        tries: 0,
        expires_at: code.expires_at,
        contact: code.contact.clone(),
        previous: code.previous.clone(),
    });
    (KEEP, values).into()
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[KEEP, COUNT_TRY, FORGET];

use jiff::Timestamp;
use uuid::Uuid;

use super::statement::{Statement, insert, statement};
use super::table::{Columns, values};
use super::tables::NOTICE;
use super::value::{Row, parameters};
use super::{Query, Store};
use crate::account::{Error, Medium};

const ADD: Statement = insert!(NOTICE);
/// The outer condition on `due_at` is evaluated again after another instance's claim of the same row has committed.
const CLAIM: Statement = statement!(
    "UPDATE notice SET attempts = attempts + 1, due_at = ?3 WHERE due_at <= ?2 AND id = (SELECT id FROM notice \
     WHERE medium = ?1 AND due_at <= ?2 AND expires_at > ?2 ORDER BY due_at LIMIT 1) RETURNING ",
    { Part::Names(NOTICE.table()) }
);
const POSTPONE: Statement = statement!("UPDATE notice SET due_at = ?3 WHERE id = ?1 AND attempts = ?2");
const FORGET: Statement = statement!("DELETE FROM notice WHERE id = ?1");
const FORGET_EXPIRED: Statement = statement!("DELETE FROM notice WHERE expires_at <= ?1");

/// A queued notice; its address and text are sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedNotice {
    /// New for every notice.
    pub id: Uuid,
    /// The medium it is sent through.
    pub medium: Medium,
    /// The generation of the key that sealed it.
    pub key: i64,
    /// The address and text, sealed.
    pub sealed: Vec<u8>,
}

/// A notice that this instance may deliver until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedNotice {
    /// The notice.
    pub notice: SealedNotice,
    /// The number of this attempt, from 1.
    pub attempt: i64,
}

impl Store {
    /// Claims the notice that has been due longest, if any. No other instance claims it until `lease`; after that it is due
    /// again.
    pub async fn claim_notice(
        &self,
        medium: Medium,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Option<ClaimedNotice>, Error> {
        let read = |row: &dyn Row| {
            let record = NOTICE.at(row, 0);
            let (id, key) = (record.get(NOTICE.id)?, record.get(NOTICE.sealing_key)?);
            Ok((id, key, record.get(NOTICE.sealed)?, record.get(NOTICE.attempts)?))
        };
        let claimed = self.write(CLAIM, parameters![medium.name(), now, lease], read).await?;
        Ok(claimed.into_iter().next().map(|(id, key, sealed, attempt)| {
            let notice = SealedNotice { id, medium, key, sealed };
            ClaimedNotice { notice, attempt }
        }))
    }

    /// Makes a notice due again at a given time, unless another instance has claimed it since.
    pub async fn postpone_notice(&self, claimed: &ClaimedNotice, due_at: Timestamp) -> Result<(), Error> {
        self.execute(vec![(POSTPONE, parameters![claimed.notice.id, claimed.attempt, due_at])]).await.map(drop)
    }

    /// Deletes a notice that was delivered or given up.
    pub async fn forget_notice(&self, id: Uuid) -> Result<(), Error> {
        self.execute(vec![(FORGET, parameters![id])]).await.map(drop)
    }

    /// Deletes expired notices, and returns how many.
    pub async fn forget_expired_notices(&self, now: Timestamp) -> Result<u64, Error> {
        Ok(self.execute(vec![(FORGET_EXPIRED, parameters![now])]).await?.into_iter().sum())
    }
}

/// Returns the query that queues a notice.
pub(super) fn leaving(notice: &SealedNotice, due_at: Timestamp, expires_at: Timestamp) -> Query {
    let SealedNotice { id, medium, key, sealed } = notice;
    let values = values!(NOTICE {
        id: *id,
        medium: medium.name(),
        sealing_key: *key,
        sealed: sealed.clone(),
        attempts: 0,
        due_at,
        expires_at,
    });
    (ADD, values).into()
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[ADD, CLAIM, POSTPONE, FORGET, FORGET_EXPIRED];

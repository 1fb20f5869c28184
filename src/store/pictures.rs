use jiff::Timestamp;

use super::Store;
use super::statement::{Statement, insert, select, statement};
use super::table::{Columns, values};
use super::tables::{PENDING_PICTURE as PENDING, REPLACED_PICTURE as REPLACED};
use super::value::{Row, always, computed, parameters};
use crate::account::{AccountId, Error};

const ADD_PENDING: Statement = insert!(PENDING);
const IS_PENDING: Statement = statement!("SELECT EXISTS (SELECT 1 FROM pending_picture WHERE name = ?1)");
const FORGET_PENDING: Statement = statement!("DELETE FROM pending_picture WHERE name = ?1");
const LIST_PENDING: Statement =
    select!(PENDING, "WHERE pending_picture.uploaded_at < ?1 ORDER BY pending_picture.uploaded_at LIMIT 100");
const LIST_REPLACED: Statement =
    select!(REPLACED, "WHERE replaced_picture.replaced_at < ?1 ORDER BY replaced_picture.replaced_at LIMIT 100");
const FORGET_REPLACED: Statement = statement!("DELETE FROM replaced_picture WHERE name = ?1");

impl Store {
    /// Records a picture that is about to be uploaded.
    pub async fn add_pending_picture(&self, name: &str, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(ADD_PENDING, values!(PENDING { name, uploaded_at: now }))]).await.map(drop)
    }

    /// Checks whether an uploaded picture still awaits its change.
    pub async fn is_pending_picture(&self, name: &str) -> Result<bool, Error> {
        self.find(IS_PENDING, parameters![name], |row| computed(row, 0)).await.and_then(always)
    }

    /// Returns at most a hundred pictures that were uploaded before a given time and still await their change, oldest first.
    pub async fn pending_pictures(&self, before: Timestamp) -> Result<Vec<String>, Error> {
        self.query(LIST_PENDING, parameters![before], |row| PENDING.at(row, 0).get(PENDING.name)).await
    }

    /// Deletes the record of an upload that was deleted.
    pub async fn forget_pending_picture(&self, name: &str) -> Result<(), Error> {
        self.execute(vec![(FORGET_PENDING, parameters![name])]).await.map(drop)
    }

    /// Returns at most a hundred pictures that were replaced before a given time, each with its account, oldest first.
    pub async fn replaced_pictures(&self, before: Timestamp) -> Result<Vec<(String, AccountId)>, Error> {
        let read = |row: &dyn Row| {
            let record = REPLACED.at(row, 0);
            Ok((record.get(REPLACED.name)?, record.get(REPLACED.account_id)?))
        };
        self.query(LIST_REPLACED, parameters![before], read).await
    }

    /// Deletes the record of a replaced picture that was deleted, or is in use again.
    pub async fn forget_replaced_picture(&self, name: &str) -> Result<(), Error> {
        self.execute(vec![(FORGET_REPLACED, parameters![name])]).await.map(drop)
    }
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] =
    &[ADD_PENDING, IS_PENDING, FORGET_PENDING, LIST_PENDING, LIST_REPLACED, FORGET_REPLACED];

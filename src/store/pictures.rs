use jiff::Timestamp;

use super::Store;
use super::statement::{Statement, statement};
use super::value::{parameters, present};
use crate::account::{AccountId, Error};

const ADD_PENDING: Statement = statement!("INSERT INTO pending_picture (name, uploaded_at) VALUES (?1, ?2)");
const IS_PENDING: Statement = statement!("SELECT name FROM pending_picture WHERE name = ?1");
const FORGET_PENDING: Statement = statement!("DELETE FROM pending_picture WHERE name = ?1");
const PENDING: Statement =
    statement!("SELECT name FROM pending_picture WHERE uploaded_at < ?1 ORDER BY uploaded_at LIMIT 100");
const REPLACED: Statement =
    statement!("SELECT name, account_id FROM replaced_picture WHERE replaced_at < ?1 ORDER BY replaced_at LIMIT 100");
const FORGET_REPLACED: Statement = statement!("DELETE FROM replaced_picture WHERE name = ?1");

impl Store {
    /// Remembers a picture that is about to be uploaded.
    pub async fn add_pending_picture(&self, name: &str, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(ADD_PENDING, parameters![name, now])]).await.map(drop)
    }

    /// Whether an uploaded picture still waits for its change.
    pub async fn is_pending_picture(&self, name: &str) -> Result<bool, Error> {
        Ok(self.find(IS_PENDING, parameters![name], |row| row.text(0)).await?.is_some())
    }

    /// At most a hundred pictures that were uploaded before a moment and still wait for their change, the oldest first.
    pub async fn pending_pictures(&self, before: Timestamp) -> Result<Vec<String>, Error> {
        self.query(PENDING, parameters![before], |row| row.text(0)).await
    }

    /// Forgets an upload that was deleted.
    pub async fn forget_pending_picture(&self, name: &str) -> Result<(), Error> {
        self.execute(vec![(FORGET_PENDING, parameters![name])]).await.map(drop)
    }

    /// At most a hundred pictures that were replaced before a moment, each with whose it was, the oldest first.
    pub async fn replaced_pictures(&self, before: Timestamp) -> Result<Vec<(String, AccountId)>, Error> {
        let read = |row: &dyn super::value::Row| Ok((row.text(0)?, AccountId(row.uuid(1).and_then(present)?)));
        self.query(REPLACED, parameters![before], read).await
    }

    /// Forgets a replaced picture that was deleted, or is shown again.
    pub async fn forget_replaced_picture(&self, name: &str) -> Result<(), Error> {
        self.execute(vec![(FORGET_REPLACED, parameters![name])]).await.map(drop)
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[ADD_PENDING, IS_PENDING, FORGET_PENDING, PENDING, REPLACED, FORGET_REPLACED];

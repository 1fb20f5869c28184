use super::statement::{Statement, insert, select};
use super::tables::HISTORY;
use super::value::parameters;
use super::{Store, record};
use crate::account::history::Entry;
use crate::account::{AccountId, Error};

const OF_ACCOUNT: Statement =
    select!(HISTORY, "WHERE history.account_id = ?1 AND history.sequence > ?2 ORDER BY history.sequence LIMIT ?3");
pub(super) const ADD: Statement = insert!(HISTORY);

impl Store {
    /// Returns at most `limit` entries of an account's history after a sequence number, oldest first.
    pub async fn history(&self, account: AccountId, after: i64, limit: i64) -> Result<Vec<Entry>, Error> {
        self.query(OF_ACCOUNT, parameters![account, after, limit], record::entry).await
    }
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[OF_ACCOUNT, ADD];

use super::statement::{Statement, statement};
use super::value::parameters;
use super::{Store, record};
use crate::account::history::Entry;
use crate::account::{AccountId, Error};

const OF_ACCOUNT: Statement = statement!(
    "SELECT account_id, sequence, at, actor, contract, request_id, commitment, link, sealing_key, payload, salt \
     FROM history WHERE account_id = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
);
pub(super) const ADD: Statement = statement!(
    "INSERT INTO history (account_id, sequence, at, actor, contract, request_id, commitment, link, sealing_key, payload, \
     salt) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
);

impl Store {
    /// At most `limit` entries of an account's history after a sequence number, oldest first.
    pub async fn history(&self, account: AccountId, after: i64, limit: i64) -> Result<Vec<Entry>, Error> {
        self.query(OF_ACCOUNT, parameters![account, after, limit], record::entry).await
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[OF_ACCOUNT, ADD];

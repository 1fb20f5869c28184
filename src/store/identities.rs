use jiff::Timestamp;

use super::statement::{Statement, statement};
use super::value::parameters;
use super::{Identity, Link, Query, Store, record};
use crate::account::{AccountId, Error};

const LINK: Statement = statement!(
    "INSERT INTO identity (issuer, subject_key, account_id, personal_key, subject, created_at) \
     VALUES (?1, ?2, ?3, 0, ?4, ?5)"
);
const OF_ACCOUNT: Statement =
    statement!("SELECT issuer, personal_key, subject FROM identity WHERE account_id = ?1 ORDER BY issuer, subject_key");

impl Store {
    /// Binds a person of another identity provider to an account; [`Error::Taken`] when they are bound already.
    pub async fn link(&self, account: AccountId, link: &Link, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![linking(account, link, now)]).await.map(drop)
    }

    /// Who an account is at other identity providers.
    pub async fn identities(&self, account: AccountId) -> Result<Vec<Identity>, Error> {
        self.query(OF_ACCOUNT, parameters![account], record::identity).await
    }
}

/// The statement that binds.
pub(super) fn linking(account: AccountId, link: &Link, now: Timestamp) -> Query {
    let Link { identity: Identity { issuer, subject }, key } = link;
    (LINK, parameters![issuer.as_str(), *key, account, subject.as_bytes().to_vec(), now]).into()
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[LINK, OF_ACCOUNT];

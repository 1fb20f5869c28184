use jiff::Timestamp;

use super::statement::{Statement, statement};
use super::value::parameters;
use super::{Identity, Store, record};
use crate::account::{AccountId, Error};
use crate::keys::KeyedHash;

pub(super) const LINK: Statement = statement!(
    "INSERT INTO identity (issuer, subject_key, account_id, personal_key, subject, created_at) \
     VALUES (?1, ?2, ?3, 0, ?4, ?5)"
);
const OF_ACCOUNT: Statement =
    statement!("SELECT issuer, personal_key, subject FROM identity WHERE account_id = ?1 ORDER BY issuer, subject_key");

impl Store {
    /// Binds a person of another identity provider to an account; [`Error::Taken`] when they are bound already.
    pub async fn link(
        &self,
        account: AccountId,
        identity: &Identity,
        subject_key: KeyedHash,
        now: Timestamp,
    ) -> Result<(), Error> {
        let subject = identity.subject.as_bytes().to_vec();
        let bound = parameters![identity.issuer.as_str(), subject_key, account, subject, now];
        self.execute(vec![(LINK, bound)]).await.map(drop)
    }

    /// Who an account is at other identity providers.
    pub async fn identities(&self, account: AccountId) -> Result<Vec<Identity>, Error> {
        self.query(OF_ACCOUNT, parameters![account], record::identity).await
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[LINK, OF_ACCOUNT];

use jiff::Timestamp;

use super::statement::{Statement, insert, select, statement};
use super::stored::Plain;
use super::table::{Values, values};
use super::tables::IDENTITY;
use super::value::{computed, parameters};
use super::{Identity, Link, Query, Store, record};
use crate::account::{AccountId, Error};
use crate::keys::KeyedHash;

const LINK: Statement = insert!(IDENTITY);
const LINKED_TO: Statement = statement!("SELECT account_id FROM identity WHERE issuer = ?1 AND subject_key = ?2");
const OF_ACCOUNT: Statement =
    select!(IDENTITY, "WHERE identity.account_id = ?1 ORDER BY identity.issuer, identity.subject_key");

impl Store {
    /// Links an identity at another provider to an account; [`Error::Taken`] when it is linked already.
    pub async fn link(&self, account: AccountId, link: &Link, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![linking(account, link, now)]).await.map(drop)
    }

    /// Returns the account that an identity is linked to: an issuer, and the keyed hash of the subject there.
    pub async fn linked_account(&self, issuer: &str, subject_key: KeyedHash) -> Result<Option<AccountId>, Error> {
        self.find(LINKED_TO, parameters![issuer, subject_key], |row| computed(row, 0)).await
    }

    /// Returns an account's identities at other providers.
    pub async fn identities(&self, account: AccountId) -> Result<Vec<Identity>, Error> {
        self.query(OF_ACCOUNT, parameters![account], record::identity).await
    }
}

/// Returns the query that links an identity to an account.
pub(super) fn linking(account: AccountId, link: &Link, now: Timestamp) -> Query {
    (LINK, link_values(account, link, now)).into()
}

pub(super) fn link_values(account: AccountId, link: &Link, now: Timestamp) -> Values {
    let Link { identity: Identity { issuer, subject }, key } = link;
    values!(IDENTITY {
        issuer: issuer.as_str(),
        subject_key: *key,
        account_id: account,
        personal_key: Plain,
        subject: subject.as_bytes().to_vec(),
        created_at: now,
    })
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[LINK, LINKED_TO, OF_ACCOUNT];

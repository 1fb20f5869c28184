use jiff::Timestamp;

use super::statement::{Statement, insert, select};
use super::stored::Plain;
use super::table::{Values, values};
use super::tables::IDENTITY;
use super::value::parameters;
use super::{Identity, Link, Query, Store, record};
use crate::account::{AccountId, Error};

const LINK: Statement = insert!(IDENTITY);
const OF_ACCOUNT: Statement =
    select!(IDENTITY, "WHERE identity.account_id = ?1 ORDER BY identity.issuer, identity.subject_key");

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

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[LINK, OF_ACCOUNT];

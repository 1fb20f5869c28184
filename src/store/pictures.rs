//! The pictures that this installation stores: which account has each, and whether its file is still needed.

use jiff::Timestamp;

use super::statement::{Statement, insert, select, statement};
use super::table::{Columns, Values, values};
use super::tables::STORED_PICTURE;
use super::value::{Parameter, Row, always, computed, parameters};
use super::{Query, Store};
use crate::account::{AccountId, Error};

const ADD: Statement = insert!(STORED_PICTURE);
const PUT: Statement = insert!(
    STORED_PICTURE,
    " ON CONFLICT (account_id, name) DO UPDATE SET ",
    { Part::AssignmentsFrom(STORED_PICTURE.table(), "excluded.") },
    " WHERE stored_picture.state <> 'deleting'"
);
const IS_PENDING: Statement =
    statement!("SELECT EXISTS (SELECT 1 FROM stored_picture WHERE name = ?1 AND state = 'pending')");
const IS_SHOWN: Statement =
    statement!("SELECT EXISTS (SELECT 1 FROM stored_picture WHERE name = ?1 AND state = 'shown')");
const IN_STATE: Statement = select!(
    STORED_PICTURE,
    "WHERE stored_picture.state = ?1 AND stored_picture.changed_at < ?2 ORDER BY stored_picture.changed_at LIMIT 100"
);
const BEGIN_DELETION: Statement = statement!(
    "UPDATE stored_picture SET state = 'deleting', changed_at = ?4 WHERE account_id = ?1 AND name = ?2 AND state = ?3"
);
const DROP: Statement = statement!(
    "UPDATE stored_picture SET state = 'deleting', changed_at = ?3 WHERE account_id = ?1 AND state = 'replaced' \
     AND name NOT IN (SELECT name FROM stored_picture WHERE account_id = ?1 AND state = 'replaced' \
     ORDER BY changed_at DESC, name LIMIT ?2)"
);
const FORGET: Statement =
    statement!("DELETE FROM stored_picture WHERE account_id = ?1 AND name = ?2 AND state = 'deleting'");
const IS_NEEDED: Statement = statement!(
    "SELECT EXISTS (SELECT 1 FROM stored_picture WHERE name = ?2 AND account_id <> ?1 AND state <> 'deleting')"
);
const IS_OF_ANOTHER: Statement =
    statement!("SELECT EXISTS (SELECT 1 FROM stored_picture WHERE name = ?2 AND account_id <> ?1)");
// Only PostgreSQL handles a whole list in one statement; SQLite runs its statement once for each element.
const OWNERS: Statement = Statement {
    sqlite: select!(STORED_PICTURE, "WHERE stored_picture.name = ?1").sqlite,
    postgres: select!(STORED_PICTURE, "WHERE stored_picture.name = ANY(?1)").postgres,
};

/// What is known about a stored picture of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureState {
    /// It was uploaded, and its change is not committed yet.
    Pending,
    /// The account shows it.
    Shown,
    /// The account showed it, and it is kept so that the change can be undone.
    Replaced,
    /// Its file is being deleted; no account can show it again.
    Deleting,
}

impl PictureState {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            PictureState::Pending => "pending",
            PictureState::Shown => "shown",
            PictureState::Replaced => "replaced",
            PictureState::Deleting => "deleting",
        }
    }
}

impl Store {
    /// Records a picture that an account is about to upload.
    pub async fn add_pending_picture(&self, account: AccountId, name: &str, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(ADD, row(account, name, PictureState::Pending, now))]).await.map(drop)
    }

    /// Checks whether an uploaded picture still awaits its change.
    pub async fn is_pending_picture(&self, name: &str) -> Result<bool, Error> {
        self.find(IS_PENDING, parameters![name], |row| computed(row, 0)).await.and_then(always)
    }

    /// Checks whether an account shows a stored picture.
    pub async fn is_shown_picture(&self, name: &str) -> Result<bool, Error> {
        self.find(IS_SHOWN, parameters![name], |row| computed(row, 0)).await.and_then(always)
    }

    /// Returns at most a hundred pictures that have been in a state since before a given time, with their accounts, oldest
    /// first. A row that cannot be read is an error in its place.
    pub async fn pictures_in_state(
        &self,
        state: PictureState,
        before: Timestamp,
    ) -> Result<Vec<Result<(AccountId, String), Error>>, Error> {
        self.query(IN_STATE, parameters![state.name(), before], |row| Ok(picture(row))).await
    }

    /// Takes an account's picture out of a state for deletion: from then on no account can show it. False if it is not in
    /// that state any more.
    pub async fn begin_picture_deletion(
        &self,
        account: AccountId,
        name: &str,
        state: PictureState,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let bound = parameters![account, name, state.name(), now];
        Ok(self.execute(vec![(BEGIN_DELETION, bound)]).await? == [1])
    }

    /// Removes the record of a picture whose deletion began.
    pub async fn forget_picture(&self, account: AccountId, name: &str) -> Result<(), Error> {
        self.execute(vec![(FORGET, parameters![account, name])]).await.map(drop)
    }

    /// Checks whether another account needs the file of a picture. Earlier versions let an account show another's.
    pub async fn is_picture_needed(&self, account: AccountId, name: &str) -> Result<bool, Error> {
        self.find(IS_NEEDED, parameters![account, name], |row| computed(row, 0)).await.and_then(always)
    }

    /// Checks whether another account has a stored picture of this name, in any state.
    pub async fn is_picture_of_another(&self, account: AccountId, name: &str) -> Result<bool, Error> {
        self.find(IS_OF_ANOTHER, parameters![account, name], |row| computed(row, 0)).await.and_then(always)
    }

    /// Returns the accounts that have stored pictures of these names.
    pub(super) async fn picture_owners(&self, names: Vec<String>) -> Result<Vec<(AccountId, String)>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Store::Sqlite(sqlite) => {
                sqlite.query_each(OWNERS, names.iter().map(|name| parameters![name.as_str()]), picture)
            }
            Store::Postgres(postgres) => postgres.query(OWNERS, &[Parameter::Texts(names)], picture).await,
        }
    }
}

/// Returns the row of a picture.
pub(super) fn row(account: AccountId, name: &str, state: PictureState, at: Timestamp) -> Values {
    values!(STORED_PICTURE { account_id: account, name, state: state.name(), changed_at: at })
}

/// Returns the query that sets the state of an account's picture; it changes no row of a picture that is being deleted.
pub(super) fn putting(account: AccountId, name: &str, state: PictureState, at: Timestamp) -> Query {
    (PUT, row(account, name, state, at)).into()
}

/// Returns the query that begins the deletion of all but the newest replaced pictures of an account.
pub(super) fn dropping(account: AccountId, kept: usize, at: Timestamp) -> Query {
    (DROP, parameters![account, i64::try_from(kept).unwrap_or(i64::MAX), at]).into()
}

fn picture(row: &dyn Row) -> Result<(AccountId, String), Error> {
    let record = STORED_PICTURE.at(row, 0);
    Ok((record.get(STORED_PICTURE.account_id)?, record.get(STORED_PICTURE.name)?))
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] =
    &[ADD, PUT, IS_PENDING, IS_SHOWN, IN_STATE, BEGIN_DELETION, DROP, FORGET, IS_NEEDED, IS_OF_ANOTHER, OWNERS];

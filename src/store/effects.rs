use jiff::Timestamp;

use super::Query;
use super::codes::{self, CodeId};
use super::notices::{self, SealedNotice};
use super::statement::{Statement, insert, statement};
use super::table::values;
use super::tables::REPLACED_PICTURE;
use super::value::parameters;
use crate::account::{AccountId, CodeFault, Error};

const ADOPT_PICTURE: Statement = statement!("DELETE FROM pending_picture WHERE name = ?1");
const RETIRE_PICTURE: Statement =
    insert!(REPLACED_PICTURE, " ON CONFLICT (name) DO UPDATE SET replaced_at = excluded.replaced_at");

/// An effect that happens together with a change, in its transaction or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Assigns an uploaded picture to the account, so that the sweeper does not delete it as an orphan.
    AdoptPicture {
        /// The picture's name.
        name: String,
    },
    /// Retires a replaced picture: it is kept for a while, so that the change can be undone, and then deleted.
    RetirePicture {
        /// The picture's name.
        name: String,
        /// The account it belonged to.
        account: AccountId,
        /// When it was replaced.
        at: Timestamp,
    },
    /// Uses up a one-time code. If it is gone, the change fails with [`CodeFault::Used`].
    UseCode(CodeId),
    /// Queues a notice about the change.
    Notify {
        /// The sealed address and text.
        notice: SealedNotice,
        /// When it may first be delivered.
        due_at: Timestamp,
        /// When it is too late to deliver it.
        expires_at: Timestamp,
    },
}

impl Effect {
    /// Returns the query that brings the effect about.
    pub(super) fn query(&self) -> Query {
        match self {
            Effect::AdoptPicture { name } => (ADOPT_PICTURE, parameters![name.as_str()]).into(),
            Effect::RetirePicture { name, account, at } => {
                let retired = values!(REPLACED_PICTURE { name: name.as_str(), account_id: *account, replaced_at: *at });
                (RETIRE_PICTURE, retired).into()
            }
            Effect::UseCode(code_id) => codes::using(*code_id),
            Effect::Notify { notice, due_at, expires_at } => notices::leaving(notice, *due_at, *expires_at),
        }
    }

    /// Returns an error, which undoes the whole change, if the number of touched rows shows that the effect did not happen.
    pub(super) fn check(&self, touched: u64) -> Result<(), Error> {
        match self {
            Effect::UseCode(_) if touched != 1 => Err(Error::Code(CodeFault::Used)),
            _ => Ok(()),
        }
    }
}

/// The statements that [`Store::check`](super::Store::check) prepares.
pub(super) const ALL: &[Statement] = &[ADOPT_PICTURE, RETIRE_PICTURE];

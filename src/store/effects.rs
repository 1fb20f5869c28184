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

/// Something that happens together with a change, in its transaction or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// An uploaded picture belongs to the account from now on: the sweeper must not take it for an orphan.
    AdoptPicture {
        /// The picture's name.
        name: String,
    },
    /// A picture was replaced: it is kept for a while, so that the change can be undone, and then deleted.
    RetirePicture {
        /// The picture's name.
        name: String,
        /// Whose it was.
        account: AccountId,
        /// When it was replaced.
        at: Timestamp,
    },
    /// A one-time code is used up. Without it there is no change: [`CodeFault::Used`].
    UseCode(CodeId),
    /// Somebody is told about the change; when it is due at first, and when it comes too late.
    Notify {
        /// To whom, and what.
        notice: SealedNotice,
        /// From when on it may be delivered.
        due_at: Timestamp,
        /// Until when.
        expires_at: Timestamp,
    },
}

impl Effect {
    /// What brings it about.
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

    /// Refuses the whole change when the rows that were touched say that this could not happen.
    pub(super) fn check(&self, touched: u64) -> Result<(), Error> {
        match self {
            Effect::UseCode(_) if touched != 1 => Err(Error::Code(CodeFault::Used)),
            _ => Ok(()),
        }
    }
}

/// For [`Store::check`](super::Store::check).
pub(super) const ALL: &[Statement] = &[ADOPT_PICTURE, RETIRE_PICTURE];

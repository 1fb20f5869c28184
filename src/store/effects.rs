use jiff::Timestamp;

use super::Bound;
use super::channels::{self, Nonce};
use super::statement::{Statement, statement};
use super::value::parameters;
use crate::account::AccountId;

const ADOPT_PICTURE: Statement = statement!("DELETE FROM pending_picture WHERE name = ?1");
const RETIRE_PICTURE: Statement = statement!(
    "INSERT INTO replaced_picture (name, account_id, replaced_at) VALUES (?1, ?2, ?3) \
     ON CONFLICT (name) DO UPDATE SET replaced_at = excluded.replaced_at"
);

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
    /// An encrypted body is accepted, once: what was accepted before fails the whole change.
    UseNonce(Nonce),
}

impl Effect {
    /// What brings it about.
    pub(super) fn bound(&self) -> Vec<Bound> {
        match self {
            Effect::AdoptPicture { name } => vec![(ADOPT_PICTURE, parameters![name.as_str()])],
            Effect::RetirePicture { name, account, at } => {
                vec![(RETIRE_PICTURE, parameters![name.as_str(), *account, *at])]
            }
            Effect::UseNonce(nonce) => channels::using(nonce).into(),
        }
    }
}

/// For [`Store::check`](super::Store::check).
pub(super) const ALL: &[Statement] = &[ADOPT_PICTURE, RETIRE_PICTURE];

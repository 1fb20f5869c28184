use jiff::Timestamp;

use super::codes::{self, CodeId};
use super::notices::{self, SealedNotice};
use super::pictures::{self, PictureState};
use super::used_codes::{self, UsedCode};
use super::{Query, Store};
use crate::account::{AccountId, Cause, CodeFault, Error};

/// An effect that happens together with a change, in its transaction or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Records that an account shows a stored picture, so that the sweeper does not delete it. If its deletion has begun, the
    /// change fails with [`Error::Unavailable`].
    AdoptPicture {
        /// The picture's name.
        name: String,
        /// The account that shows it.
        account: AccountId,
        /// When it was set.
        at: Timestamp,
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
    /// Begins the deletion of an account's oldest replaced pictures until this many are left.
    DropPictures {
        /// The account.
        account: AccountId,
        /// How many are kept.
        kept: usize,
        /// When it begins.
        at: Timestamp,
    },
    /// Uses up a one-time code. If it is gone, the change fails with [`CodeFault::Used`].
    UseCode(CodeId),
    /// Keeps a code that the change uses up, so that the same request again can be answered like the first.
    KeepUsedCode(UsedCode),
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
            Effect::AdoptPicture { name, account, at } => pictures::putting(*account, name, PictureState::Shown, *at),
            Effect::RetirePicture { name, account, at } => {
                pictures::putting(*account, name, PictureState::Replaced, *at)
            }
            Effect::DropPictures { account, kept, at } => pictures::dropping(*account, *kept, *at),
            Effect::UseCode(code_id) => codes::using(*code_id),
            Effect::KeepUsedCode(code) => used_codes::keeping(code),
            Effect::Notify { notice, due_at, expires_at } => notices::leaving(notice, *due_at, *expires_at),
        }
    }

    /// Returns an error, which undoes the whole change, if the number of touched rows shows that the effect did not happen.
    pub(super) fn check(&self, touched: u64) -> Result<(), Error> {
        match self {
            Effect::UseCode(_) if touched != 1 => Err(Error::Code(CodeFault::Used)),
            Effect::AdoptPicture { .. } if touched != 1 => {
                Err(Error::Unavailable(Cause::new("the picture is being deleted; upload it again")))
            }
            _ => Ok(()),
        }
    }
}

impl Store {
    /// Brings effects about without a change, all of them or none.
    pub async fn bring_about(&self, effects: Vec<Effect>) -> Result<(), Error> {
        let queries: Vec<Query> = effects.iter().map(Effect::query).collect();
        let accept =
            move |touched: &[u64]| effects.iter().zip(touched).try_for_each(|(effect, touched)| effect.check(*touched));
        self.execute_if(queries, accept).await.map(drop)
    }
}

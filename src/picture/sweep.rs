//! Deletion of pictures that are no longer needed.

use jiff::Timestamp;

use super::Pictures;
use crate::account::{AccountId, Error, is_picture_name};
use crate::clock::before;
use crate::store::PictureState;

impl Pictures {
    /// Deletes uploads whose change did not happen within `pictures.pending_for`, and replaced pictures after
    /// `pictures.kept_for`; a bounded number of each at a time. A picture that cannot be deleted delays no other one: the
    /// first error is returned after all were tried.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.now();
        // Those that an earlier run could not delete come first, and since each is tried again only after all others, any
        // number of them delays none.
        let states = [
            (PictureState::Deleting, Timestamp::MAX),
            (PictureState::Pending, before(now, self.pending_for)),
            (PictureState::Replaced, before(now, self.kept_for)),
        ];
        let mut outcome = Ok(());
        for (state, before) in states {
            for picture in self.store.pictures_in_state(state, before).await? {
                let deleted = match picture {
                    Ok((account, name)) => self.delete(account, &name, state).await,
                    Err(error) => Err(error),
                };
                outcome = outcome.and(deleted);
            }
        }
        outcome
    }

    /// Deletes the picture of an account if it is still in a state, and its file unless another account needs it. The row
    /// goes last: a crash in between leaves it, and the next run finds it.
    pub(super) async fn delete(&self, account: AccountId, name: &str, state: PictureState) -> Result<(), Error> {
        if !self.store.begin_picture_deletion(account, name, state, self.clock.now()).await? {
            return Ok(());
        }
        // No file has another name.
        if is_picture_name(name) && !self.store.is_picture_needed(account, name).await? {
            self.objects.delete(name).await?;
        }
        self.store.forget_picture(account, name).await
    }
}

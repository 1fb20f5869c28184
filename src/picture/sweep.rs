//! Deletion of pictures that are no longer needed.

use super::Pictures;
use crate::account::{AccountId, Error, Field, Picture};
use crate::clock::before;

impl Pictures {
    /// Deletes uploads whose change did not happen within `pictures.pending_for`, and replaced pictures after
    /// `pictures.kept_for`; a bounded number of each at a time. The object is deleted first: a crash in between leaves
    /// a row, which the next sweep finds.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.now();
        for name in self.store.pending_pictures(before(now, self.pending_for)).await? {
            self.objects.delete(&name).await?;
            self.store.forget_pending_picture(&name).await?;
        }
        for (name, account) in self.store.replaced_pictures(before(now, self.kept_for)).await? {
            if !self.is_shown(account, &name).await? {
                self.objects.delete(&name).await?;
            }
            self.store.forget_replaced_picture(&name).await?;
        }
        Ok(())
    }

    /// Checks whether the account shows the picture again because a change was undone.
    async fn is_shown(&self, account: AccountId, name: &str) -> Result<bool, Error> {
        let account = self.store.account(account).await?;
        let picture = account.as_ref().and_then(|account| account.text(Field::Picture)).map(Picture::of);
        Ok(matches!(picture, Some(Picture::Stored { name: shown, .. }) if shown == name))
    }
}

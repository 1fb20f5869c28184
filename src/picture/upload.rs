//! Storage of a picture before the change that it belongs to is committed.

use std::borrow::Cow;

use super::{Pictures, Prepared};
use crate::account::{Account, AccountId, Error, Picture};
use crate::clock::random;
use crate::store::PictureState;

/// The path prefix of every picture.
pub(super) const PATH: &str = "/pictures/";

impl Pictures {
    /// Stores a picture of an account under a new unguessable name, and returns the name. Unless a change applies
    /// [`Effect::AdoptPicture`](crate::store::Effect::AdoptPicture) to it, [`Pictures::sweep`] deletes it after a
    /// while.
    pub async fn upload(&self, account: AccountId, prepared: &Prepared) -> Result<String, Error> {
        let name = prepared.ending.name(random());
        // First, so that a crash after the object is stored does not leave an unrecorded one.
        self.store.add_pending_picture(account, &name, self.clock.now()).await?;
        self.objects.put(&name, prepared.file.clone()).await?;
        Ok(name)
    }

    /// Deletes a picture whose change was refused; if that fails, [`Pictures::sweep`] does it later.
    ///
    /// Not for a change whose outcome is unknown ([`Error::Unavailable`]): it may still happen.
    pub async fn discard(&self, account: AccountId, name: &str) {
        // A change that did happen has adopted it: it is not pending then.
        if let Err(error) = self.delete(account, name, PictureState::Pending).await {
            tracing::debug!(%error, "an upload that is of no use is left to the sweeper");
        }
    }
}

/// Returns the address of the picture with this name.
pub fn address(public_url: &str, name: &str) -> String {
    format!("{public_url}{PATH}{name}")
}

/// Returns the address of an account's picture: below the public URL for a stored one, unchanged for any other.
pub fn shown<'a>(account: &'a Account, public_url: &str) -> Option<Cow<'a, str>> {
    account.picture().map(|picture| match picture {
        Picture::Address(address) => Cow::Borrowed(address),
        Picture::Stored { name, .. } => Cow::Owned(address(public_url, name)),
    })
}

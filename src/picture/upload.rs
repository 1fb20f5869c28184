//! Keeping a picture before the change that it belongs to is committed.

use std::borrow::Cow;

use super::{Pictures, Prepared};
use crate::account::{Account, Error, Picture};
use crate::clock::random;

/// What the path of every picture begins with.
pub(super) const PATH: &str = "/pictures/";

impl Pictures {
    /// Keeps a picture under a new name that nobody can guess, and returns the name. Until
    /// [`Effect::AdoptPicture`](crate::store::Effect::AdoptPicture) happens with a change, [`Pictures::sweep`] deletes it
    /// again after a while.
    pub async fn upload(&self, prepared: Prepared) -> Result<String, Error> {
        let name = prepared.ending.name(random());
        // First: a crash after the object is kept must not leave one that nobody knows of.
        self.store.add_pending_picture(&name, self.clock.now()).await?;
        self.objects.put(&name, prepared.file).await?;
        Ok(name)
    }

    /// Deletes a picture whose change was refused; when that fails, [`Pictures::sweep`] does it later.
    ///
    /// Not for a change of which nothing is known ([`Error::Unavailable`]): it may still happen.
    pub async fn discard(&self, name: &str) {
        let discarded = async {
            // A change that did happen has adopted it.
            if self.store.is_pending_picture(name).await? {
                self.objects.delete(name).await?;
                self.store.forget_pending_picture(name).await?;
            }
            Ok::<(), Error>(())
        };
        if let Err(error) = discarded.await {
            tracing::debug!(%error, "an upload that is of no use is left to the sweeper");
        }
    }
}

/// Where the picture with this name is shown.
pub fn address(public_url: &str, name: &str) -> String {
    format!("{public_url}{PATH}{name}")
}

/// The address of a person's picture: one of ours below our own, any other as it is.
pub fn shown<'a>(account: &'a Account, public_url: &str) -> Option<Cow<'a, str>> {
    account.picture().map(|picture| match picture {
        Picture::Address(address) => Cow::Borrowed(address),
        Picture::Stored { name, .. } => Cow::Owned(address(public_url, name)),
    })
}

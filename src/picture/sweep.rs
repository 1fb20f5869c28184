//! Deleting pictures that nobody needs.

use crate::account::{AccountId, Error, Field, Picture};
use crate::app::App;
use crate::clock::before;

/// Deletes uploads whose change never happened after `pictures.pending_for`, and replaced pictures after
/// `pictures.kept_for`; a bounded number of each at a time. The object goes first: a crash in between leaves a row, and the
/// next sweep finds it.
pub async fn sweep(app: &App) -> Result<(), Error> {
    let settings = &app.config().pictures;
    for name in app.store().pending_pictures(before(app.now(), settings.pending_for)).await? {
        app.objects().delete(&name).await?;
        app.store().forget_pending_picture(&name).await?;
    }
    for (name, account) in app.store().replaced_pictures(before(app.now(), settings.kept_for)).await? {
        if !is_shown(app, account, &name).await? {
            app.objects().delete(&name).await?;
        }
        app.store().forget_replaced_picture(&name).await?;
    }
    Ok(())
}

/// Whether the account shows the picture again: a change that was undone.
async fn is_shown(app: &App, account: AccountId, name: &str) -> Result<bool, Error> {
    let account = app.store().account(account).await?;
    let picture = account.as_ref().and_then(|account| account.text(Field::Picture)).map(Picture::of);
    Ok(matches!(picture, Some(Picture::Stored { name: shown, .. }) if shown == name))
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::record;
use crate::account::history::Occasion;
use crate::account::{Account, Error, Patch};
use crate::app::App;
use crate::store::{Attempt, Effect, Nonce, Update};

/// Changes an account and returns it as it is then; a patch that changes nothing writes nothing.
///
/// `permitted` decides on the account as it is when the change is made, which may be later than when the request was let
/// in: an account that was suspended in between is not changed.
pub async fn update(
    app: &App,
    account: Account,
    patch: Patch,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<Account, Error> {
    let attempt: Attempt = {
        let app = app.clone();
        Arc::new(move |current| {
            permitted(current)?;
            record::change(&app, current, &patch, &occasion)
        })
    };
    app.store().commit(account, attempt).await
}

/// The same for a message that is accepted once: its nonce is used up with the change, or by itself when nothing changes.
/// A nonce that was used before changes nothing and is the error of a message that does not open.
pub async fn update_once(
    app: &App,
    account: Account,
    patch: Patch,
    nonce: Nonce,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<Account, Error> {
    let wrote = Arc::new(AtomicBool::new(false));
    let attempt: Attempt = {
        let (app, nonce, wrote) = (app.clone(), nonce.clone(), wrote.clone());
        Arc::new(move |current| {
            permitted(current)?;
            let change = record::change(&app, current, &patch, &occasion)?;
            // The last attempt decides: a message whose wish somebody else fulfilled meanwhile has nothing to write.
            wrote.store(change.is_some(), Ordering::SeqCst);
            let once = |update: Update| Update { effects: with(update.effects, nonce.clone()), ..update };
            Ok(change.map(once))
        })
    };
    let account = app.store().commit(account, attempt).await?;
    if !wrote.load(Ordering::SeqCst) {
        app.store().use_nonce(&nonce).await?;
    }
    Ok(account)
}

fn with(mut effects: Vec<Effect>, nonce: Nonce) -> Vec<Effect> {
    effects.push(Effect::UseNonce(nonce));
    effects
}

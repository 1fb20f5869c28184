use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{record, schemas};
use crate::account::history::Occasion;
use crate::account::{Account, Error, Patch};
use crate::app::App;
use crate::code::Proof;
use crate::store::{Attempt, Effect, Nonce};

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
    update_proved(app, account, patch, Vec::new(), occasion, permitted).await
}

/// The same, and also sets the addresses that were proved, verified. Their codes are used up with the change, or there is none:
/// [`Error::CodeUsed`]; [`Error::Taken`] when another account of the tenant has proved the address.
pub async fn update_proved(
    app: &App,
    account: Account,
    mut patch: Patch,
    proofs: Vec<Proof>,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<Account, Error> {
    for proof in &proofs {
        patch.prove(proof.contact());
    }
    let uses = proofs.iter().map(|proof| Effect::UseCode(proof.challenge())).collect();
    let (account, changed) = update_with(app, account, patch, uses, occasion, permitted).await?;
    if !changed {
        // Nothing was left to change, but a code counts once all the same.
        for proof in &proofs {
            app.store().use_code(proof.challenge()).await?;
        }
    }
    Ok(account)
}

/// The same as [`update`] for a message that is accepted once: its nonce is used up with the change, or by itself when nothing
/// changes. One that was used before changes nothing, and is the error of a message that does not open.
pub async fn update_once(
    app: &App,
    account: Account,
    patch: Patch,
    nonce: Nonce,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<Account, Error> {
    let uses = vec![Effect::UseNonce(nonce.clone()), Effect::CountMessage(nonce.clone())];
    let (account, changed) = update_with(app, account, patch, uses, occasion, permitted).await?;
    if !changed {
        app.store().use_nonce(&nonce).await?;
    }
    Ok(account)
}

/// Changes an account with what else happens then, and says whether anything was changed: the last attempt decides, since
/// somebody else may have fulfilled the wish meanwhile.
async fn update_with(
    app: &App,
    account: Account,
    mut patch: Patch,
    uses: Vec<Effect>,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<(Account, bool), Error> {
    schemas::look_up(app, account.tenant_id, &mut patch).await?;
    let outcome = Arc::new(Outcome::default());
    let attempt: Attempt = {
        let (app, outcome) = (app.clone(), outcome.clone());
        Arc::new(move |current| {
            permitted(current)?;
            let mut update = record::change(&app, current, &patch, &occasion)?;
            if let Some(update) = &mut update {
                update.effects.extend(uses.iter().cloned());
            }
            outcome.note(update.as_ref().map(|update| update.effects.as_slice()));
            Ok(update)
        })
    };
    let account = app.store().commit(account, attempt).await?;
    if outcome.notifies.load(Ordering::SeqCst) {
        app.outbox().wake();
    }
    Ok((account, outcome.changed.load(Ordering::SeqCst)))
}

/// What the last attempt wanted.
#[derive(Default)]
struct Outcome {
    changed: AtomicBool,
    notifies: AtomicBool,
}

impl Outcome {
    fn note(&self, effects: Option<&[Effect]>) {
        let notifies = effects.is_some_and(|all| all.iter().any(|effect| matches!(effect, Effect::Notify { .. })));
        self.changed.store(effects.is_some(), Ordering::SeqCst);
        self.notifies.store(notifies, Ordering::SeqCst);
    }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{record, schemas};
use crate::account::history::Occasion;
use crate::account::{Account, Error, Patch};
use crate::app::App;
use crate::code::Proof;
use crate::store::{Attempt, Effect};

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
/// [`Error::CodeUsed`]; [`Error::Taken`] with `phone` or `email` when another account of the tenant has proved the address.
pub async fn update_proved(
    app: &App,
    account: Account,
    mut patch: Patch,
    proofs: Vec<Proof>,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<Account, Error> {
    schemas::look_up(app, account.tenant_id, &mut patch).await?;
    for proof in &proofs {
        patch.prove(proof.contact());
    }
    let outcome = Arc::new(Outcome::default());
    let attempt: Attempt = {
        let (app, outcome) = (app.clone(), outcome.clone());
        let uses: Vec<Effect> = proofs.iter().map(|proof| Effect::UseCode(proof.challenge())).collect();
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
    if !outcome.changed.load(Ordering::SeqCst) {
        // Nothing was left to change, but a code counts once all the same.
        for proof in &proofs {
            app.store().use_code(proof.challenge()).await?;
        }
    }
    if outcome.notifies.load(Ordering::SeqCst) {
        app.outbox().wake();
    }
    Ok(account)
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

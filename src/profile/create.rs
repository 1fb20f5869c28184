use super::{record, schemas};
use crate::account::history::Occasion;
use crate::account::{Account, Error, Patch};
use crate::app::App;
use crate::code::Proof;
use crate::store::{Effect, Link, Update};

/// Adds an account with what a patch makes of it and the first entry of its history; [`Error::Taken`] when another account
/// holds what it would hold.
pub async fn create(
    app: &App,
    account: Account,
    patch: &Patch,
    link: Option<&Link>,
    occasion: &Occasion,
) -> Result<Account, Error> {
    create_with(app, account, patch, link, Vec::new(), occasion).await
}

/// The same for somebody who has proved an address: it is set, verified, and its code is used up with the account, or there is
/// none: [`Error::CodeUsed`].
pub async fn create_proved(
    app: &App,
    account: Account,
    mut patch: Patch,
    proof: &Proof,
    occasion: &Occasion,
) -> Result<Account, Error> {
    patch.prove(proof.contact());
    let uses = vec![Effect::UseCode(proof.challenge())];
    create_with(app, account, &patch, None, uses, occasion).await
}

async fn create_with(
    app: &App,
    mut account: Account,
    patch: &Patch,
    link: Option<&Link>,
    effects: Vec<Effect>,
    occasion: &Occasion,
) -> Result<Account, Error> {
    let (created_at, updated_at) = (account.created_at, account.updated_at);
    let mut patch = patch.clone();
    schemas::look_up(app, account.tenant_id, &mut patch).await?;
    let before = account.clone();
    let changes = account.apply(&patch, updated_at)?;
    record::hold(&before, &account, &patch, occasion)?;
    account.version = 1;
    (account.created_at, account.updated_at) = (created_at, updated_at);
    let entry = record::entry(app, &mut account, &changes, occasion);
    let claim = record::holdings(app.keys(), &account);
    let update = Update { account, entry, release: Vec::new(), claim, nonce: None, effects };
    app.store().add_account(&update, link).await?;
    Ok(update.account)
}

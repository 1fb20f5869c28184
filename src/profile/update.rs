use std::sync::Arc;

use super::{record, schemas};
use crate::account::history::Occasion;
use crate::account::{Account, Error, Patch};
use crate::app::App;
use crate::store::Attempt;

/// Changes an account and returns it as it is then; a patch that changes nothing writes nothing.
///
/// `permitted` decides on the account as it is when the change is made, which may be later than when the request was let
/// in: an account that was suspended in between is not changed.
pub async fn update(
    app: &App,
    account: Account,
    mut patch: Patch,
    occasion: Occasion,
    permitted: fn(&Account) -> Result<(), Error>,
) -> Result<Account, Error> {
    schemas::look_up(app, account.tenant_id, &mut patch).await?;
    let attempt: Attempt = {
        let app = app.clone();
        Arc::new(move |current| {
            permitted(current)?;
            record::change(&app, current, &patch, &occasion)
        })
    };
    app.store().commit(account, attempt).await
}

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::count_source;
use crate::account::{Contract, Error};
use crate::app::App;
use crate::identity::Caller;

/// What a set of paths asks of its callers beside a valid token of an account that may be used.
pub trait Access: Send + Sync + 'static {
    /// The contract that the token must open, and whose rate limit counts; `None` when any token of an account will do.
    const CONTRACT: Option<Contract>;

    /// What else must be true of account and token.
    fn permit(_caller: &Caller) -> Result<(), Error> {
        Ok(())
    }

    /// What must be true of the request, before it counts for the account.
    fn bind(_app: &App, _caller: &Caller, _parts: &Parts) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

/// A caller who may use the paths of `Rules`: the one order of checks from the source's rate to the account's.
pub struct Authenticated<Rules> {
    /// Whose account the request is about.
    pub caller: Caller,
    rules: PhantomData<Rules>,
}

impl<Rules: Access> FromRequestParts<App> for Authenticated<Rules> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        count_source(app, parts)?;
        let caller = app.authenticator().bearer(&parts.headers, Rules::CONTRACT).await?;
        caller.require_active(app.now())?;
        Rules::permit(&caller)?;
        if let Some(contract) = Rules::CONTRACT {
            caller.require_contract(contract)?;
        }
        Rules::bind(app, &caller, parts).await?;
        if let Some(contract) = Rules::CONTRACT {
            app.limits().account(contract, caller.account.id)?;
        }
        Ok(Authenticated { caller, rules: PhantomData })
    }
}

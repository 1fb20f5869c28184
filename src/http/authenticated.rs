use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{caller_is_known, count_source};
use crate::account::{Contract, Error};
use crate::app::App;
use crate::identity::Caller;

/// What a set of paths requires of its callers besides a valid token of an active account.
pub trait Access: Send + Sync + 'static {
    /// The contract that the token must be valid for, and whose rate limit applies; `None` accepts any token of an account.
    const CONTRACT: Option<Contract>;

    /// Checks further conditions on the account and the token.
    fn permit(_caller: &Caller) -> Result<(), Error> {
        Ok(())
    }

    /// Checks conditions on the request, before it counts towards the account's rate limit.
    fn bind(_app: &App, _caller: &Caller, _parts: &Parts) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}

/// A caller who may use the paths of `Rules`. All checks run in one order, from the source's rate limit to the account's.
pub struct Authenticated<Rules> {
    /// The caller, whose account the request is about.
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
        caller_is_known(&parts.extensions);
        Ok(Authenticated { caller, rules: PhantomData })
    }
}

/// Credentials that may be absent, but never invalid: `None` only for a request without `Authorization`. Such a request is
/// counted for its source alone.
impl<Rules: Access> OptionalFromRequestParts<App> for Authenticated<Rules> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Error> {
        if parts.headers.contains_key(AUTHORIZATION) {
            <Self as FromRequestParts<App>>::from_request_parts(parts, app).await.map(Some)
        } else {
            count_source(app, parts).map(|()| None)
        }
    }
}

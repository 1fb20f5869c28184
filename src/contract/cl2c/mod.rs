//! CL2C's contract: `/v1/cl2c/user`, accessed with a tenant's name and an API key.

mod body;
mod openapi;
mod refusal;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::account::{AccessFault, Account, AccountId, Contract, Error, Rule, TenantStatus};
use crate::app::App;
use crate::http::{self, ErrorRenderer, annotated, caller_is_known, change_context, count_source, with_error_layer};
use crate::identity::api_key::KeyCaller;
use crate::json::{Object, Value};

pub(super) use openapi::document;

/// The largest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The prefix of every path of the contract.
pub(super) const PREFIX: &str = "/v1/cl2c";
/// Renders every error as the contract's response.
pub(super) const ERROR_RENDERER: ErrorRenderer = refusal::render_error;

/// Returns the contract's routes.
pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().nest(PREFIX, with_error_layer(paths().into(), app, "cl2c", ERROR_RENDERER))
}

fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(annotated(routes!(update), "PUT, OPTIONS"))
        .routes(annotated(routes!(show), "GET, HEAD, OPTIONS"))
}

/// Shows a user.
///
/// A key that is bound to a user shows only that user.
#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "showUser",
    tag = "User",
    params(
        ("id" = uuid::Uuid, Path, description = "The user's identifier; with a key that is bound to a user, that user's."),
        openapi::Headers
    ),
    security(("key" = []))
)]
async fn show(
    State(app): State<App>,
    Keyed(caller): Keyed,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Error> {
    // A path segment that cannot be decoded is not an identifier either.
    let id = path.ok().and_then(|Path(id)| parse(&id));
    let account = caller.account_with(&app, id).await?;
    account.require_active()?;
    Ok(answer(&account))
}

/// Changes a user.
///
/// A key that is bound to a user changes that user: an `id` that is a UUID must be that user's, any other `id` is ignored.
/// With a key of the whole tenant, `id` is required. Member names are case-insensitive, and members outside the schema are
/// ignored unless they contain U+0000. A value equal to the one shown is accepted even if it breaks a limit.
#[utoipa::path(
    put,
    path = "/user",
    operation_id = "updateUser",
    tag = "User",
    params(openapi::Headers),
    request_body(content = openapi::UserUpdate, description = "At most 64 KiB."),
    security(("key" = []))
)]
async fn update(State(app): State<App>, Keyed(caller): Keyed, request: Request) -> Result<Response, Error> {
    let context = change_context(Contract::Cl2c, &request);
    let update = body::UpdateRequest::new(http::body::members(&app, request, MAX_BODY, body::is_known).await?);
    let account = caller.addressed(&app, update.id()?).await?;
    account.require_active()?;
    let patch = update.patch(&app, &account).await?;
    let account = app.profiles().update(account, patch, context, Account::require_active).await?;
    Ok(answer(&account))
}

/// A back end with a valid API key of an open tenant.
struct Keyed(KeyCaller);

impl FromRequestParts<App> for Keyed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Keyed, Error> {
        count_source(app, parts)?;
        // The path of one method names the account, which is then read in the same query.
        let named = Path::<String>::from_request_parts(parts, app).await.ok().and_then(|Path(id)| parse(&id));
        let caller = app.authenticator().api_key(&parts.headers, named).await?;
        open(&caller, app.now())?;
        app.limits().key(caller.key.id)?;
        caller_is_known(&parts.extensions);
        Ok(Keyed(caller))
    }
}

/// Checks that the tenant is open; this contract distinguishes an inactive tenant from an expired one.
fn open(caller: &KeyCaller, now: Timestamp) -> Result<(), Error> {
    match caller.tenant.status {
        TenantStatus::Inactive => Err(Error::Access(AccessFault::TenantClosed)),
        TenantStatus::Active if caller.tenant.is_open(now) => Ok(()),
        TenantStatus::Active => Err(Error::Access(AccessFault::TenantExpired)),
    }
}

impl KeyCaller {
    /// Returns the account that a body's `id` addresses. A bound key reaches its own account only: another account's
    /// identifier is refused whether or not the account exists, and an `id` that is not a UUID is ignored.
    async fn addressed(self, app: &App, id: Option<&str>) -> Result<Account, Error> {
        match (self.key.account_id, id, id.and_then(parse)) {
            (Some(bound), _, None) => self.account_with(app, Some(bound)).await,
            (_, _, Some(id)) => self.account_with(app, Some(id)).await,
            (None, None, None) => Err(body::id_fault(Rule::Required)),
            (None, Some(_), None) => Err(body::id_fault(Rule::Identifier)),
        }
    }

    /// Returns the account with an identifier, within the key's reach: its own account, or its tenant's accounts.
    async fn account_with(self, app: &App, id: Option<AccountId>) -> Result<Account, Error> {
        if self.key.account_id.is_some_and(|bound| id != Some(bound)) {
            return Err(AccessFault::Denied.into());
        }
        let id = id.ok_or(AccessFault::AccountUnknown)?;
        let found = match self.account.filter(|account| account.id == id) {
            Some(account) => Some(account),
            None => app.store().account_of(self.tenant.id, id).await?,
        };
        found.ok_or(Error::Access(AccessFault::AccountUnknown))
    }
}

fn parse(id: &str) -> Option<AccountId> {
    id.parse().ok()
}

fn answer(account: &Account) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    (headers, http::body::json(&body::user(account))).into_response()
}

/// Returns a member by name, ignoring case. An exact match takes precedence, then the last match, as in the
/// vendor's servers.
fn member<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let mut alike = object.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        alike.next_back().map(|(_, value)| value)
    })
}

//! The System portal's contract: `/web/v1/system/profile`.

mod body;
mod openapi;
mod refusal;
mod secure_channel;
mod secure_channel_openapi;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::account::{AccessFault, Account, Contract, Error, Portal, Status, Tenant};
use crate::app::App;
use crate::config::ClientHash;
use crate::http::{self, Access, Authenticated, ErrorRenderer, annotated, change_context, language, with_error_layer};
use crate::identity::Caller;
use crate::language::Language;
use secure_channel::Opened;

pub(super) use openapi::document;
pub(super) use secure_channel::PREFIX as CHANNEL_PREFIX;

/// The largest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The prefix of every path of the contract.
pub(super) const PREFIX: &str = "/web/v1/system";
/// Renders every error as the contract's response.
pub(super) const ERROR_RENDERER: ErrorRenderer = refusal::render_error;

/// Returns the contract's routes.
pub(super) fn routes(app: &App) -> Router<App> {
    let profile = with_error_layer(paths().into(), app, "system", ERROR_RENDERER);
    let profile = profile.layer(from_fn_with_state(app.clone(), secure_channel::seal));
    let channel = with_error_layer(secure_channel::paths().into(), app, "system", ERROR_RENDERER);
    Router::new().nest(PREFIX, profile).nest(CHANNEL_PREFIX, channel)
}

fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(annotated(routes!(show), "GET, HEAD, OPTIONS"))
        .routes(annotated(routes!(update), "POST, OPTIONS"))
}

/// Shows the person's own profile.
///
/// Members without a value are empty strings; only `accountRemark` is null then.
#[utoipa::path(
    get,
    path = "/profile",
    operation_id = "showProfile",
    tag = "Profile",
    params(openapi::Headers),
    security(("token" = []))
)]
async fn show(Authenticated { caller, .. }: Authenticated<SystemAccess>, headers: HeaderMap) -> Response {
    answer(&caller.account, &caller.tenant, language(&headers))
}

/// Changes the person's own profile.
///
/// Absent and null members stay unchanged, and an empty string clears a member. A value equal to the one shown is accepted
/// even if it breaks a limit. Members outside the schema are ignored unless they contain U+0000.
#[utoipa::path(
    post,
    path = "/profile/update",
    operation_id = "updateProfile",
    tag = "Profile",
    params(openapi::Headers, secure_channel_openapi::Headers),
    request_body(
        content(
            (openapi::ProfileUpdate = "application/json"),
            (secure_channel_openapi::CompactMessage = "application/jose"),
            (secure_channel_openapi::FlattenedMessage = "application/jose+json"),
        ),
        description = secure_channel_openapi::BODIES
    ),
    security(("token" = []))
)]
async fn update(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<SystemAccess>,
    request: Request,
) -> Result<Response, Error> {
    let language = language(request.headers());
    let context = change_context(Contract::System, &request);
    let Opened { update, nonce } = secure_channel::read(&app, &caller, request).await?;
    let patch = body::patch(&update, &caller.account)?;
    let account = match nonce {
        Some(nonce) => app.profiles().update_once(caller.account, patch, nonce, context, permitted).await?,
        None => app.profiles().update(caller.account, patch, context, permitted).await?,
    };
    Ok(answer(&account, &caller.tenant, language))
}

/// The contract's requirements for its callers.
enum SystemAccess {}

impl Access for SystemAccess {
    const CONTRACT: Option<Contract> = Some(Contract::System);

    fn permit(caller: &Caller) -> Result<(), Error> {
        permitted(&caller.account)?;
        match caller.token().portal.as_deref() {
            Some(portal) if portal != Portal::System.code() => Err(Error::Access(AccessFault::Denied)),
            _ => Ok(()),
        }
    }

    async fn bind(app: &App, caller: &Caller, parts: &Parts) -> Result<(), Error> {
        let required = app.config().system.client_hash == ClientHash::Required;
        app.authenticator().client_hash(caller, &parts.headers, required).await
    }
}

/// Checks that the account may be used, both when the request is accepted and when a change is made.
fn permitted(account: &Account) -> Result<(), Error> {
    match (account.status, account.portal) {
        (Status::Active, Portal::System) => Ok(()),
        (Status::Active, _) => Err(Error::Access(AccessFault::Denied)),
        (status, _) => Err(Error::Access(AccessFault::AccountStatus(status))),
    }
}

fn answer(account: &Account, tenant: &Tenant, language: Language) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    (headers, http::body::json(&body::success(account, tenant, language))).into_response()
}

//! RiverGen's contract: `/api/v1/auth/me`.

mod body;
mod email;
mod openapi;
mod refusal;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::account::{Account, Contract, Edit, Error, Field, Patch, Picture, Text};
use crate::app::App;
use crate::http::{self, Access, Authenticated, ErrorRenderer, annotated, change_context, with_error_layer};
use crate::picture;

pub(super) use openapi::document;

/// The largest body, in bytes: a picture of 2 MiB in Base64, with room for the other members.
const MAX_BODY: usize = 3 * 1024 * 1024;

/// The prefix of every path of the contract.
pub(super) const PREFIX: &str = "/api/v1/auth";
/// Renders every error as the contract's response.
pub(super) const ERROR_RENDERER: ErrorRenderer = refusal::render_error;

/// Returns the contract's routes.
pub(super) fn routes(app: &App) -> Router<App> {
    Router::new().nest(PREFIX, with_error_layer(paths().into(), app, "rivergen", ERROR_RENDERER))
}

fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(annotated(routes!(show), "GET, HEAD, OPTIONS"))
        .routes(annotated(routes!(update), "PUT, OPTIONS"))
        .routes(annotated(routes!(email::request), "POST, OPTIONS"))
        .routes(annotated(routes!(email::verify), "POST, OPTIONS"))
}

/// Shows everything known about the person.
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "showMe",
    tag = "Person",
    security(("token" = []))
)]
async fn show(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<RiverGenAccess>,
) -> Result<Response, Error> {
    let identities = app.store().identities(caller.account.id).await?;
    let rules = app.profiles().rules(&caller.tenant).await?;
    let sessions = app.store().sign_ins(caller.account.id, app.now()).await?;
    let me = body::me(&caller.account, &rules, &caller.tenant, &identities, sessions, app.public_url())?;
    Ok(answer(&me))
}

/// Changes the person's own profile.
///
/// Absent and null members stay unchanged, and members outside the schema are ignored unless they contain U+0000. A name or
/// a picture address equal to the one shown is accepted even if it breaks a limit.
#[utoipa::path(
    put,
    path = "/me/profile",
    operation_id = "updateProfile",
    tag = "Person",
    request_body(content = openapi::ProfileUpdate, description = "At most 3 MiB."),
    security(("token" = []))
)]
async fn update(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<RiverGenAccess>,
    request: Request,
) -> Result<Response, Error> {
    let context = change_context(Contract::RiverGen, &request);
    let body = http::body::object(&app, request, MAX_BODY).await?;
    let update = body::read(&body, &caller.account, app.public_url())?;
    let mut patch = update.patch;
    patch.rules = app.profiles().rules(&caller.tenant).await?;
    let rules = patch.rules.clone();
    let id = caller.account.id;
    let uploaded = upload(&app, &caller.account, update.picture, &mut patch).await?;
    match app.profiles().update(caller.account, patch, context, Account::require_active).await {
        Ok(account) => Ok(answer(&body::updated(&account, &rules, app.public_url())?)),
        Err(error) => {
            // The picture of a refused change is deleted. If the outcome is unknown, the change may have been made: its
            // picture stays, and the sweeper deletes it later unless an account has adopted it.
            if let (Some(name), false) = (&uploaded, matches!(error, Error::Unavailable(_) | Error::Internal(_))) {
                app.pictures().discard(id, name).await;
            }
            Err(error)
        }
    }
}

/// Uploads a picture and returns its name once it is stored. The account's present picture is not stored again.
async fn upload(
    app: &App,
    account: &Account,
    data: Option<picture::Data<'_>>,
    patch: &mut Patch,
) -> Result<Option<String>, Error> {
    let Some(data) = data else { return Ok(None) };
    let prepared = app.pictures().prepare(&data).await?;
    let upload = Some(prepared.upload());
    if matches!(account.picture(), Some(Picture::Stored { upload: present, .. }) if present == upload) {
        return Ok(None);
    }
    let name = app.pictures().upload(account.id, &prepared).await?;
    let field = Text::new(Picture::Stored { name: &name, upload }.to_string());
    patch.edit(Field::Picture, field.map_or(Edit::Keep, Edit::Set));
    Ok(Some(name))
}

/// The contract's requirements for its callers.
enum RiverGenAccess {}

impl Access for RiverGenAccess {
    const CONTRACT: Option<Contract> = Some(Contract::RiverGen);
}

fn answer(body: &impl Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ];
    (headers, http::body::json(body)).into_response()
}

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
use tracing::Instrument as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::account::history::ChangeContext;
use crate::account::{Account, Cause, Contract, Edit, Error, Field, Patch, Picture, Rules, Text};
use crate::app::App;
use crate::http::{self, Access, Authenticated, ErrorRenderer, annotated, change_context, with_error_layer};
use crate::identity::Caller;
use crate::picture::Prepared;

pub(super) use openapi::document;

/// The largest body, in bytes: a picture of 2 MiB in Base64, with room for the other members.
const MAX_BODY: usize = 3 * 1024 * 1024;
/// The largest body that is not counted as one of the account's large ones, in bytes.
const SMALL_BODY: usize = 64 * 1024;

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
///
/// Members without a value are null.
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
    request_body(content = openapi::ProfileUpdate, description = "At most 3 MiB, and 256 KiB without the text of the picture."),
    security(("token" = []))
)]
async fn update(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<RiverGenAccess>,
    request: Request,
) -> Result<Response, Error> {
    let context = change_context(Contract::RiverGen, &request);
    let Caller { account, tenant, .. } = caller;
    let (mut patch, picture) = read(&app, &account, request).await?;
    patch.rules = app.profiles().rules(&tenant).await?;
    let change = Change { app: app.clone(), account, patch, context };
    let (account, rules) = uncancelled(change.make(picture)).await?;
    Ok(answer(&body::updated(&account, &rules, app.public_url())?))
}

/// Reads the body of an update. Afterwards, neither the body nor its picture as it was sent is in memory.
async fn read(app: &App, account: &Account, request: Request) -> Result<(Patch, Option<Prepared>), Error> {
    let is_small = http::body::announced(request.headers()).is_some_and(|length| length <= SMALL_BODY);
    let _counted = if is_small { None } else { Some(app.limits().large_body(account.id)?) };
    let bytes = http::body::json_bytes(app, request, MAX_BODY).await?;
    let mut members = body::Members::parse(&bytes)?;
    let update = body::read(&mut members, account, app.public_url())?;
    let picture = match &update.picture {
        Some(data) => Some(app.pictures().prepare(data).await?),
        None => None,
    };
    Ok((update.patch, picture))
}

/// A change of an account, and who makes it.
struct Change {
    app: App,
    account: Account,
    patch: Patch,
    context: ChangeContext,
}

impl Change {
    /// Uploads the picture, makes the change, and returns the account as it is afterwards with the rules of its attributes.
    async fn make(mut self, picture: Option<Prepared>) -> Result<(Account, Rules), Error> {
        let uploaded = self.upload(picture).await?;
        let Change { app, account, patch, context } = self;
        let (id, rules) = (account.id, patch.rules.clone());
        match app.profiles().update(account, patch, context, Account::require_active).await {
            Ok(account) => Ok((account, rules)),
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
    async fn upload(&mut self, picture: Option<Prepared>) -> Result<Option<String>, Error> {
        let Change { app, account, patch, .. } = self;
        let Some(prepared) = picture else { return Ok(None) };
        let upload = Some(prepared.upload());
        if matches!(account.picture(), Some(Picture::Stored { upload: present, .. }) if present == upload) {
            return Ok(None);
        }
        patch.picture_bytes = prepared.stored_bytes();
        app.profiles().check_picture_bytes(account, patch.picture_bytes)?;
        let name = app.pictures().upload(account.id, &prepared).await?;
        let field = Text::new(Picture::Stored { name: &name, upload }.to_string());
        patch.edit(Field::Picture, field.map_or(Edit::Keep, Edit::Set));
        Ok(Some(name))
    }
}

/// Runs work to its end even if the client goes away: an upload whose change is neither made nor refused would stay until the
/// sweeper deletes it, and count for nothing.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let work = tokio::spawn(work.in_current_span());
    work.await.unwrap_or_else(|_| Err(Error::Internal(Cause::new("a change panicked"))))
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

//! SecureChannel over HTTP: the paths for keys and sessions, the decryption of request bodies, and the encryption of
//! responses. `docs/secure-channel.md` describes the protocol.

mod answer;
mod body;
mod open;
mod session;
mod token;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::account::{AccountId, BodyFault, ChannelFault, CredentialFault, Error, Fault, RequestFault, Rule};
use crate::app::App;
use crate::clock::after;
use crate::config::ChannelBinding;
use crate::headers::Single;
use crate::http::body::{bytes, is_json, json, object, object_of};
use crate::http::{Authenticated, Public, Source, annotated};
use crate::identity::client_hash;
use crate::json::Value;
use crate::limit;
use crate::secure_channel::{KeyKind, SESSION_LIFETIME};
use crate::store::{ChannelOwner, NewChannelSession, UnusedSessions};

use super::SystemAccess;
use super::secure_channel_openapi::{ClosingSession, OpeningSession};
pub(super) use answer::{Plain, seal};
pub(super) use body::{ChannelClosed, ChannelKeySet, ChannelPublicKey, ChannelSession};
pub(super) use open::{Opened, read};

/// The prefix of every path.
pub(in crate::contract) const PREFIX: &str = "/web/v1/secure-channel";
/// The largest body of a request to open or close a session, in bytes.
const MAX_BODY: usize = 8 * 1024;

/// The header that names a session.
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("x-sc-session-id");
/// The header's earlier name, which older clients use.
pub(super) const OLD_SESSION_ID: HeaderName = HeaderName::from_static("x-secure-channel-session-id");
/// The header with the version of the protocol.
pub(super) const VERSION: HeaderName = HeaderName::from_static("x-sc-version");
/// The version of the protocol.
pub(super) const VERSION_TEXT: &str = "2";

/// Returns the paths, none of which needs credentials unless the configuration requires them.
pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(annotated(routes!(public_key), "GET, HEAD, OPTIONS"))
        .routes(annotated(routes!(key_set), "GET, HEAD, OPTIONS"))
        .routes(annotated(routes!(open_session), "POST, OPTIONS"))
        .routes(annotated(routes!(close_session), "POST, OPTIONS"))
}

/// Shows the RSA key that the keys of a session are encrypted to.
///
/// It is replaced from time to time, and stays valid for some days afterwards.
#[utoipa::path(get, path = "/public-key", operation_id = "showChannelKey", tag = "SecureChannel", security(()))]
async fn public_key(_: Public, State(app): State<App>) -> Result<Response, Error> {
    let key = app.channel_keys().current(KeyKind::Rsa).await.map_err(without_key)?;
    let spki = key.spki().map(|spki| STANDARD.encode(spki)).unwrap_or_default();
    Ok(key_answer("application/json", &ChannelPublicKey::new(&key.key_id, &spki, key.created_at)))
}

/// Shows the keys that messages in JOSE form are encrypted to (RFC 7517).
///
/// One key each for RSA, P-256 and X25519; a client uses the one that its library supports.
#[utoipa::path(get, path = "/jwks.json", operation_id = "showChannelKeySet", tag = "SecureChannel", security(()))]
async fn key_set(_: Public, State(app): State<App>) -> Result<Response, Error> {
    Ok(key_answer("application/jwk-set+json", &app.channel_keys().published().await.map_err(without_key)?))
}

/// Opens a session with two keys that the client generated.
///
/// Both keys are 32 random bytes, different from each other, encrypted by RSA-OAEP with SHA-256 to the key of
/// `/web/v1/secure-channel/public-key`.
///
/// With an access token the session is bound to the token's account and to `X-Client-Hash` at once, otherwise to those of its
/// first message. The server may be configured to require a token.
#[utoipa::path(
    post,
    path = "/session",
    operation_id = "openChannelSession",
    tag = "SecureChannel",
    params(super::secure_channel_openapi::OwnerHeader),
    request_body(content = OpeningSession, description = "At most 8 KiB."),
    security((), ("token" = []))
)]
async fn open_session(
    State(app): State<App>,
    authenticated: Option<Authenticated<SystemAccess>>,
    source: Option<Extension<Source>>,
    request: Request,
) -> Result<Response, Error> {
    let client_hash = presented_hash(request.headers());
    let owner = authenticated.map(|Authenticated { caller, .. }| owner(&app, caller.account.id, &client_hash));
    if owner.is_none() && is_binding_required(&app) {
        return Err(CredentialFault::Missing.into());
    }
    let body = object(&app, request, MAX_BODY).await?;
    let text = |name| body.get(name).and_then(Value::as_str);
    let key = app.channel_keys().find(text("keyId").unwrap_or_default()).await?;
    let key = key.filter(|key| key.kind == KeyKind::Rsa).ok_or(Error::Channel(ChannelFault::KeyId))?;
    let encrypted = |name| text(name).and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    let keys = key.session_keys(&encrypted("encReqKey"), &encrypted("encRespKey"));
    let keys = keys.ok_or(Error::Channel(ChannelFault::SessionKeys))?;
    let id = uuid::Builder::from_random_bytes(app.random()).into_uuid();
    let created_at = app.now();
    let expires_at = after(created_at, SESSION_LIFETIME);
    let source = source.map(|Extension(Source(address))| limit::network(address).to_string()).unwrap_or_default();
    let session = NewChannelSession {
        id: id.into_bytes(),
        sealed: app.keys().secure_channel().seal(app.random(), id.as_bytes(), &keys.bytes()),
        source: app.keys().digest("channel source", &[source.as_bytes()]),
        created_at,
        expires_at,
    };
    match owner {
        Some(owner) => app.store().add_bound_channel_session(session, owner, account_sessions(&app)).await?,
        None => app.store().add_channel_session(session, unused_sessions(&app)).await?,
    }
    Ok(private_answer(&ChannelSession::new(id, expires_at)))
}

/// Returns the owner of a session that an account and a client open or use first.
fn owner(app: &App, account: AccountId, client_hash: &[u8]) -> ChannelOwner {
    ChannelOwner { account, client: app.keys().digest("channel client", &[client_hash]) }
}

/// Returns the client hash as it was sent; `SystemAccess::bind` has checked it.
fn presented_hash(headers: &HeaderMap) -> Vec<u8> {
    Single::of(headers, client_hash::HEADER).first().map(|value| value.as_bytes().to_vec()).unwrap_or_default()
}

/// Checks whether the configuration refuses what is not bound to its caller.
fn is_binding_required(app: &App) -> bool {
    app.config().secure_channel.binding == ChannelBinding::Required
}

/// Returns the most sessions that are kept for an account.
fn account_sessions(app: &App) -> i64 {
    i64::try_from(app.config().secure_channel.account_sessions).unwrap_or(i64::MAX)
}

fn unused_sessions(app: &App) -> UnusedSessions {
    let settings = &app.config().secure_channel;
    let limit = |setting| i64::try_from(setting).unwrap_or(i64::MAX);
    UnusedSessions { of_source: limit(settings.address_sessions), of_installation: limit(settings.unused_sessions) }
}

/// Closes a session, whether or not it exists.
///
/// The header `X-SC-Session-Id` names the session; without it, the body does.
#[utoipa::path(
    post,
    path = "/session/close",
    operation_id = "closeChannelSession",
    tag = "SecureChannel",
    params(super::secure_channel_openapi::SessionHeader),
    request_body(content = Option<ClosingSession>, description = "At most 8 KiB."),
    security(())
)]
async fn close_session(_: Public, State(app): State<App>, request: Request) -> Result<Response, Error> {
    let by_header = session_id(request.headers());
    let by_body = match request.headers().contains_key(header::CONTENT_TYPE) {
        true => session_in_body(&app, request).await?,
        false => None,
    };
    if let Some(id) = by_header.or(by_body) {
        app.store().close_channel_session(id.into_bytes()).await?;
    }
    Ok(private_answer(&ChannelClosed::default()))
}

/// Returns the session that the body of a request names, if any.
async fn session_in_body(app: &App, request: Request) -> Result<Option<Uuid>, Error> {
    is_json(request.headers())?;
    let body = bytes(app, request, MAX_BODY).await?;
    let members = match object_of(&body) {
        Err(Error::Request(RequestFault::Body(BodyFault::Empty | BodyFault::Null))) => return Ok(None),
        members => members?,
    };
    match members.get("sessionId") {
        None => Ok(None),
        Some(Value::String(name)) => Ok(canonical(name)),
        Some(_) => Err(Error::Fields(vec![Fault { field: "sessionId".into(), rule: Rule::Text }])),
    }
}

/// Returns the session that a request names; `None` if the header is absent, repeated or not a session's identifier.
fn session_id(headers: &HeaderMap) -> Option<Uuid> {
    let name = if headers.contains_key(SESSION_ID) { SESSION_ID } else { OLD_SESSION_ID };
    canonical(Single::of(headers, name).once()?.to_str().ok()?)
}

/// Parses a session's identifier, only in the form in which it was issued: that text is authenticated with every message.
fn canonical(text: &str) -> Option<Uuid> {
    text.parse::<Uuid>().ok().filter(|id| id.to_string() == text)
}

/// Turns an internal error into one about a missing key, which has its own message.
fn without_key(error: Error) -> Error {
    match error {
        Error::Internal(cause) => ChannelFault::PublicKey(cause).into(),
        error => error,
    }
}

/// Returns a response that caches may keep for five minutes: keys that were replaced stay valid for days.
pub(super) fn key_answer(media_type: &'static str, value: &impl serde::Serialize) -> Response {
    respond(media_type, "public, max-age=300", value)
}

pub(super) fn private_answer(value: &impl serde::Serialize) -> Response {
    respond("application/json", "no-store", value)
}

fn respond(media_type: &'static str, kept: &'static str, value: &impl serde::Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    (headers, json(value)).into_response()
}

//! Discovery: the addresses of the endpoints, and the keys that tokens are signed with.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::claims::CLAIMS;
use super::token::{EMAIL_GRANT, SMS_GRANT};
use crate::account::Error;
use crate::app::App;
use crate::http::{Public, body, caching};

/// The provider's metadata (OpenID Connect Discovery §3, RFC 8414 §2). There is no page to sign in, and therefore no
/// authorization endpoint and no response type.
#[derive(Serialize, ToSchema)]
pub(super) struct Metadata {
    issuer: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    revocation_endpoint: String,
    /// Empty: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    scopes_supported: [&'static str; 1],
    claims_supported: Vec<&'static str>,
    grant_types_supported: Vec<String>,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
}

const AUTH_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

/// Returns the metadata of a provider at an address.
fn metadata(public_url: &str) -> Metadata {
    let at = |path: &str| format!("{public_url}{path}");
    let own = [SMS_GRANT, EMAIL_GRANT].map(at);
    let vendor = [SMS_GRANT, EMAIL_GRANT].map(|grant| format!("{}{grant}", super::token::VENDOR));
    let others = ["refresh_token", "client_credentials"].map(str::to_owned);
    Metadata {
        issuer: public_url.to_owned(),
        token_endpoint: at("/oauth2/token"),
        userinfo_endpoint: at("/userinfo"),
        jwks_uri: at("/oauth2/jwks"),
        revocation_endpoint: at("/oauth2/revoke"),
        response_types_supported: [],
        scopes_supported: ["openid"],
        claims_supported: ["sub"].into_iter().chain(CLAIMS).collect(),
        grant_types_supported: vendor.into_iter().chain(own).chain(others).collect(),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    }
}

/// Shows the provider's metadata.
///
/// Libraries find the other addresses here (OpenID Connect Discovery §4).
#[utoipa::path(
    get,
    path = "/openid-configuration",
    operation_id = "showConfiguration",
    tag = "Discovery",
    security(())
)]
pub(super) async fn show(_: Public, State(app): State<App>) -> Response {
    shown_metadata(app.public_url())
}

/// Shows the keys that verify the tokens of applications (RFC 7517 §5).
///
/// A token names its key in `kid`; a replaced key stays as long as its tokens.
#[utoipa::path(get, path = "/jwks", operation_id = "showKeys", tag = "Discovery", security(()))]
pub(super) async fn keys(_: Public, State(app): State<App>) -> Result<Response, Error> {
    Ok(shown_keys(&app.issuer().published_to_applications().await?))
}

/// Returns a JSON response that must not be cached.
pub(super) fn described(value: &impl Serialize) -> Response {
    respond(value, super::NO_STORE)
}

/// Returns the response with the metadata of a provider at an address.
pub(super) fn shown_metadata(public_url: &str) -> Response {
    public(&metadata(public_url), caching::METADATA)
}

/// Returns the response with a set of keys.
pub(super) fn shown_keys(keys: &impl Serialize) -> Response {
    public(keys, caching::KEYS)
}

/// Returns a JSON response that caches may keep, apart for each origin: the pages of applications may read it.
fn public(value: &impl Serialize, kept: HeaderValue) -> Response {
    ([(header::VARY, HeaderValue::from_static("Origin"))], respond(value, kept)).into_response()
}

fn respond(value: &impl Serialize, kept: HeaderValue) -> Response {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::CACHE_CONTROL, kept)];
    (headers, body::json(value)).into_response()
}

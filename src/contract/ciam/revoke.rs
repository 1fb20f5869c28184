//! `POST /oauth2/revoke` (RFC 7009): an application revokes a token.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{self, IntoResponse, Response};

use super::refusal::refusals;
use super::token::{authenticate, read};
use crate::app::App;
use crate::http::count_source_of;

refusals! {
    /// Why nothing is revoked.
    RevokeError {
        NoToken: "no token is given", "invalid_request", "token is required.";
    }
}

/// Revokes a token.
///
/// A refresh token is revoked together with every access token that was issued with it. An unknown or expired token counts
/// as revoked; another application's is refused.
#[utoipa::path(
    post,
    path = "/revoke",
    operation_id = "revokeToken",
    tag = "Tokens",
    request_body(content = super::openapi::Revoked, description = "At most 64 KiB."),
    security((), ("application" = []))
)]
pub(super) async fn revoke(State(app): State<App>, headers: HeaderMap, request: Request) -> response::Result<Response> {
    count_source_of(&app, &request)?;
    let parameters = read(&app, request).await?;
    let (application, _) = authenticate(&app, &headers, &parameters).await?;
    let token = parameters.get("token").ok_or(RevokeError::NoToken)?;
    app.sign_ins().revoke(&application, token).await?;
    Ok(done())
}

/// Returns the response to a revocation.
pub(super) fn done() -> Response {
    [(header::CACHE_CONTROL, super::NO_STORE)].into_response()
}

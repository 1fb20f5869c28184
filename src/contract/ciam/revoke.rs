//! `POST /oauth2/revoke` (RFC 7009): an application gives a token back.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::refusal;
use super::token::{authenticate, read, said};
use crate::app::App;
use crate::http::count_source_of;

/// Revokes a token.
///
/// A refresh token takes along every access token that was issued with it. What is no token, or none any more, is as good as
/// revoked; another application's is refused.
#[utoipa::path(
    post,
    path = "/revoke",
    operation_id = "revokeToken",
    tag = "Tokens",
    request_body(content = super::openapi::Revoked, description = "At most 64 KiB."),
    security((), ("application" = []))
)]
pub(super) async fn revoke(State(app): State<App>, headers: HeaderMap, request: Request) -> Result<Response, Response> {
    count_source_of(&app, &request).map_err(said)?;
    let parameters = read(&app, request).await?;
    let (application, _) = authenticate(&app, &headers, &parameters).await?;
    let missing =
        || refusal::answer(axum::http::StatusCode::BAD_REQUEST, "invalid_request", Some("token is required."));
    let token = parameters.get("token").ok_or_else(missing)?;
    app.sign_ins().revoke(&application, token).await.map_err(said)?;
    Ok(done())
}

/// The answer when a token is revoked.
pub(super) fn done() -> Response {
    [(header::CACHE_CONTROL, super::NO_STORE)].into_response()
}

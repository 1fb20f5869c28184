//! What lies outside every contract: health, the issuer's keys, pictures, documentation; and a voice of its own, problem
//! details (RFC 9457).

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::documentation;
use super::health::{self, Readiness};
use super::mailbox;
use super::me;
use super::pictures;
use crate::account::{Error, Status};
use crate::app::App;
use crate::contract::{Asked, endpoint, speak, speak_unbounded};

/// How long verifiers may keep the published keys, in seconds.
const KEYS_MAX_AGE: &str = "public, max-age=300";

pub(super) fn routes(app: &App, readiness: Readiness) -> Router<App> {
    let routes = Router::new()
        .route("/healthz", endpoint(get(health::alive), "GET, HEAD, OPTIONS"))
        .route("/readyz", endpoint(get(health::ready).with_state((app.clone(), readiness)), "GET, HEAD, OPTIONS"))
        .route("/.well-known/jwks.json", endpoint(get(keys), "GET, HEAD, OPTIONS"));
    let routes = if app.config().server.docs { routes.merge(documentation::routes()) } else { routes };
    let me = Router::new().route("/schema", endpoint(get(me::schema), "GET, HEAD, OPTIONS"));
    let routes = match app.outbox().mailbox() {
        Some(_) => routes.route("/dev/mailbox", endpoint(get(mailbox::show), "GET, HEAD, OPTIONS")),
        None => routes,
    };
    let pictures = Router::new().route("/{name}", endpoint(get(pictures::show), "GET, HEAD, OPTIONS"));
    // A busy server lives: whoever restarted it for want of an answer would only make things worse.
    speak_unbounded(routes.fallback(crate::contract::not_found), app, "root", say)
        .nest("/pictures", speak(pictures, app, "pictures", say))
        .nest("/me", speak(me, app, "me", say))
}

/// The public keys of the embedded issuer (RFC 7517 §5).
async fn keys(State(app): State<App>) -> Result<Response, Error> {
    let keys = app.issuer().published(&app).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static(KEYS_MAX_AGE)),
    ];
    Ok((headers, keys.to_string()).into_response())
}

pub(super) fn say(error: &Error, _: &Asked) -> Response {
    let status = match error {
        Error::CredentialsMissing | Error::CredentialsOfOtherScheme | Error::CredentialsInvalid => {
            StatusCode::UNAUTHORIZED
        }
        Error::AccountStatus(Status::Closed) => StatusCode::UNAUTHORIZED,
        Error::AccountStatus(_) | Error::TenantClosed | Error::TenantExpired | Error::AccessDenied => {
            StatusCode::FORBIDDEN
        }
        Error::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = problem(status, None);
    if let Error::MethodNotAllowed(allow) = error {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = match error {
            Error::CredentialsMissing => HeaderValue::from_static("Bearer realm=\"selfsame\""),
            _ => HeaderValue::from_static("Bearer realm=\"selfsame\", error=\"invalid_token\""),
        };
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A status as a problem, with what else there is to know about it.
pub(super) fn problem(status: StatusCode, detail: Option<&str>) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let mut problem = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    if let Some(detail) = detail {
        problem["detail"] = detail.into();
    }
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    (status, headers, problem.to_string()).into_response()
}

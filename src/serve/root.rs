//! Routes outside every contract: health, the issuer's keys, pictures, documentation. Errors are rendered as problem details
//! (RFC 9457).

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
use crate::account::{AccessFault, CredentialFault, Error, Status};
use crate::app::App;
use crate::http::{
    ErrorContext, Public, caching, endpoint, status_of, with_error_layer, with_error_layer_only, with_limits_in_flight,
};

pub(super) fn routes(app: &App, readiness: Readiness) -> Router<App> {
    // Health has no limit of requests in flight: a restart because a busy server did not answer would only make things
    // worse.
    let health = Router::new()
        .route("/healthz", endpoint(get(health::alive), "GET, HEAD, OPTIONS"))
        .route("/readyz", endpoint(get(health::ready).with_state((app.clone(), readiness)), "GET, HEAD, OPTIONS"));
    let routes = Router::new().route("/.well-known/jwks.json", endpoint(get(keys), "GET, HEAD, OPTIONS"));
    let routes = if app.config().server.docs { routes.merge(documentation::routes()) } else { routes };
    let me = Router::new().route("/schema", endpoint(get(me::schema), "GET, HEAD, OPTIONS"));
    let routes = match app.outbox().mailbox() {
        Some(_) => routes.route("/dev/mailbox", endpoint(get(mailbox::show), "GET, HEAD, OPTIONS")),
        None => routes,
    };
    let pictures = Router::new().route("/{name}", endpoint(get(pictures::show), "GET, HEAD, OPTIONS"));
    let routes = with_limits_in_flight(routes, app).merge(health).fallback(crate::contract::not_found);
    with_error_layer_only(routes, app, "root", render_error)
        .nest("/pictures", with_error_layer(pictures, app, "pictures", render_error))
        .nest("/me", with_error_layer(me, app, "me", render_error))
}

/// Returns the public keys of the embedded issuer (RFC 7517 §5).
async fn keys(_: Public, State(app): State<App>) -> Result<Response, Error> {
    let keys = app.issuer().published().await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        (header::CACHE_CONTROL, caching::KEYS),
    ];
    Ok((headers, keys.to_string()).into_response())
}

pub(super) fn render_error(error: &Error, _: &ErrorContext) -> Response {
    let status = match error {
        Error::Request(fault) => status_of(fault),
        Error::Credentials(CredentialFault::Missing | CredentialFault::OtherScheme | CredentialFault::Invalid)
        | Error::Access(AccessFault::AccountStatus(Status::Closed)) => StatusCode::UNAUTHORIZED,
        Error::Access(
            AccessFault::AccountStatus(_)
            | AccessFault::TenantClosed
            | AccessFault::TenantExpired
            | AccessFault::Denied,
        ) => StatusCode::FORBIDDEN,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        // No route outside the contracts changes an account, names one, or requires more than a valid token.
        Error::Credentials(CredentialFault::ScopeMissing)
        | Error::Access(AccessFault::AccountUnknown | AccessFault::TenantUnknown)
        | Error::ClientHash(_)
        | Error::Channel(_)
        | Error::Fields(_)
        | Error::Attributes(_)
        | Error::AttributesTooLarge
        | Error::Taken(_)
        | Error::PictureUnusable
        | Error::AddressUnchanged
        | Error::Code(_)
        | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = problem(status, None);
    if status == StatusCode::UNAUTHORIZED {
        let challenge = match error {
            Error::Credentials(CredentialFault::Missing) => HeaderValue::from_static("Bearer realm=\"selfsame\""),
            _ => HeaderValue::from_static("Bearer realm=\"selfsame\", error=\"invalid_token\""),
        };
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Renders a status as problem details, with an optional detail.
pub(super) fn problem(status: StatusCode, detail: Option<&str>) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let mut problem = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    if let Some(detail) = detail {
        problem["detail"] = detail.into();
    }
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    (status, headers, problem.to_string()).into_response()
}

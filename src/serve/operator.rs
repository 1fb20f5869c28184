//! The operator's listener: metrics, health, version. Nothing here is for clients, so it is off by default and has no
//! authentication: it belongs on a loopback or private address.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use super::health::{self, Readiness};
use super::root;
use crate::account::{Error, RequestFault};
use crate::app::App;
use crate::http::{endpoint, with_error_layer_only};

const READ: &str = "GET, HEAD, OPTIONS";

/// Returns the operator's routes.
pub(super) fn routes(app: &App, readiness: Readiness, metrics: PrometheusHandle) -> Router {
    let routes = Router::new()
        .route("/metrics", endpoint(get(async move || render(&metrics)), READ))
        .route("/version", endpoint(get(version), READ))
        .route("/healthz", endpoint(get(health::alive), READ))
        .route("/readyz", endpoint(get(health::ready).with_state((app.clone(), readiness)), READ));
    let routes = routes.fallback(async || Error::Request(RequestFault::NotFound));
    with_error_layer_only(routes, app, "operator", root::render_error).with_state(app.clone())
}

/// Renders the metrics in Prometheus' text format.
fn render(metrics: &PrometheusHandle) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render()).into_response()
}

async fn version() -> Response {
    let version = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    ([(header::CONTENT_TYPE, "application/json")], version.to_string()).into_response()
}

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::root;
use crate::account::{Error, RequestFault};
use crate::app::App;
use crate::contract;
use crate::http::{self, ErrorContext, names_one_host, render_and_log};

/// What requests to the contracts' listener pass through.
pub(super) async fn edge(State(app): State<App>, request: Request, next: Next) -> Response {
    http::pass(&app, request, |request| check_host(&app, request, next)).await
}

/// What requests to the operators' listener pass through.
pub(super) async fn operators_edge(State(app): State<App>, request: Request, next: Next) -> Response {
    check_host(&app, request, next).await
}

/// Refuses a request that does not name one host with 400, in the form of the contract whose path it names.
async fn check_host(app: &App, request: Request, next: Next) -> Response {
    if names_one_host(&request) {
        return next.run(request).await;
    }
    let render_error = contract::renderer_of(request.uri().path()).unwrap_or(root::render_error);
    render_and_log(Error::Request(RequestFault::Host), &ErrorContext::read(app, &request), render_error)
}

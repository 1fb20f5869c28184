//! The HTTP contracts: one folder per contract, with its routes, its bodies and its rendering of every error.

mod ciam;
mod cl2c;
pub mod openapi;
mod rivergen;
mod system;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use crate::account::{Contract, Error, RequestFault};
use crate::app::App;
use crate::http::{ErrorContext, ErrorRenderer};
use crate::json::Object;

/// Names that no tenant's schema may define: CIAM uses them for its claims and for other members of its bodies.
pub const RESERVED_ATTRIBUTES: [&str; 18] = ciam::RESERVED_ATTRIBUTES;

/// Returns every contract's routes.
pub fn routes(app: &crate::app::App) -> axum::Router<crate::app::App> {
    axum::Router::new()
        .merge(system::routes(app))
        .merge(cl2c::routes(app))
        .merge(rivergen::routes(app))
        .merge(ciam::routes(app))
}

/// The functions that build each contract's document, in display order.
const DOCUMENTS: [(Contract, fn() -> Object); 4] = [
    (Contract::System, system::document),
    (Contract::Cl2c, cl2c::document),
    (Contract::RiverGen, rivergen::document),
    (Contract::Ciam, ciam::document),
];

/// The path prefixes of the contracts, those of CIAM apart, each with its error renderer.
const PREFIXES: [(&str, ErrorRenderer); 4] = [
    (system::PREFIX, system::ERROR_RENDERER),
    (system::CHANNEL_PREFIX, system::ERROR_RENDERER),
    (cl2c::PREFIX, cl2c::ERROR_RENDERER),
    (rivergen::PREFIX, rivergen::ERROR_RENDERER),
];

/// Refuses a path that has no route. Below a contract's prefix, compared without regard to case, that contract renders the
/// error.
pub(crate) async fn not_found(State(app): State<App>, request: Request) -> Response {
    match renderer_of(request.uri().path()) {
        Some(render_error) => {
            render_error(&Error::Request(RequestFault::NotFound), &ErrorContext::read(&app, &request))
        }
        None => Error::Request(RequestFault::NotFound).into_response(),
    }
}

/// Returns the error renderer of the contract below whose prefix a path is, compared without regard to case.
pub(crate) fn renderer_of(path: &str) -> Option<ErrorRenderer> {
    let below = |prefix: &str| {
        let parts = path.split_at_checked(prefix.len());
        parts.is_some_and(|(start, rest)| {
            start.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))
        })
    };
    let mut prefixes = PREFIXES.iter().chain(&ciam::PREFIXES);
    prefixes.find(|(prefix, _)| below(prefix)).map(|(_, render_error)| *render_error)
}

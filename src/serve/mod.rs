//! From a listening socket to the routes and back: connections, the edge that every request passes, health, and a stop that
//! answers what was begun.

mod edge;
mod health;
mod listener;
mod remainder;
mod root;
mod upkeep;

pub use edge::{Peer, RequestId, occasion};
pub use listener::{Stop, run};

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::app::App;
use crate::contract;

/// Everything that the server answers.
pub fn routes(app: &App, readiness: health::Readiness) -> Router {
    contract::routes(app)
        .merge(root::routes(app, readiness))
        .layer(from_fn_with_state(app.clone(), edge::pass))
        .with_state(app.clone())
}

//! From a listening socket to the routes and back: connections, the middleware of every request, health, and a graceful
//! stop.

mod activity;
mod admission;
mod connection;
mod documentation;
mod edge;
mod health;
mod listener;
mod loopback;
mod mailbox;
mod me;
mod operator;
mod pictures;
mod root;
mod tls;
mod upkeep;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::app::App;
use crate::contract;
use admission::Admission;
use health::Readiness;
use listener::Connections;

pub use listener::Stop;
pub use loopback::Hosts;
pub use tls::{Tls, TlsError};

/// The listeners of a server.
pub struct Listeners {
    /// The listener of the contracts.
    pub contracts: TcpListener,
    /// Its certificate; `None` if a proxy in front of the server terminates TLS.
    pub tls: Option<Arc<Tls>>,
    /// The operator's listener and the metrics that it serves, if there is one.
    pub operator: Option<(TcpListener, PrometheusHandle)>,
    /// The hosts that both listeners answer for.
    pub hosts: Hosts,
}

/// Serves until `stop` completes, then stops gracefully: readiness ends first, then the listener, then each connection after
/// its last response.
pub async fn run(app: App, listeners: Listeners, stop: impl Future<Output = ()>) -> Stop {
    if let Ok(address) = listeners.contracts.local_addr() {
        app.listens_on(address);
    }
    let settings = app.config().server.clone();
    let drain_delay = settings.drain_delay;
    let readiness = Readiness::new(settings.health_requests);
    let hosts = listeners.hosts;
    let routes = routes(&app, readiness.clone(), hosts);
    let operator = listeners.operator.map(|(listener, metrics)| {
        let routes = hosts.guard(operator::routes(&app, readiness.clone(), metrics));
        let routes = routes.layer(from_fn_with_state(app.clone(), edge::operators_edge));
        let admission = Admission::of_operators(&settings, app.clock());
        let connections = Connections { settings: settings.clone(), tls: None, routes, admission };
        tokio::spawn(connections.serve(listener, std::future::pending()))
    });
    let admission = Admission::of_clients(&settings, app.clock());
    let connections = Connections { settings, tls: listeners.tls.clone(), routes, admission };
    let upkeep = tokio::spawn(upkeep::run(app.clone(), listeners.tls));

    readiness.begin();
    let stop = async {
        stop.await;
        readiness.end();
        tokio::time::sleep(drain_delay).await;
    };
    let stop = connections.serve(listeners.contracts, stop).await;
    upkeep.abort();
    // Its connections end with the process, and their end is not for the log.
    let _ = upkeep.await;
    // Only this process knows when API keys were used since the last write.
    if let Err(error) = app.authenticator().key_uses().write_down().await {
        tracing::warn!(%error, "last use of API keys not saved");
    }
    // Stopped last, so that operators see readiness end.
    if let Some(operator) = operator {
        operator.abort();
    }
    stop
}

/// Returns every route of the contracts' listener, for a client in the same process. Each of its requests needs a
/// [`Peer`](crate::http::Peer), which a connection would add; [`App::listens_on`] must have been called.
pub fn in_process_routes(app: &App, hosts: Hosts) -> Router {
    let readiness = Readiness::new(app.config().server.health_requests);
    readiness.begin();
    routes(app, readiness, hosts)
}

/// Returns every route of the contracts' listener.
fn routes(app: &App, readiness: Readiness, hosts: Hosts) -> Router {
    hosts
        .guard(contract::routes(app).merge(root::routes(app, readiness)))
        .layer(from_fn_with_state(app.clone(), edge::edge))
        .with_state(app.clone())
}

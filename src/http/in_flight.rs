//! Requests in flight: their number, for all and for each source network, and the time of each.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Extensions;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::time::sleep;

use super::{HealthOnly, Source};
use crate::account::{Cause, Error};
use crate::app::App;
use crate::limit::{Exhausted, Permit, Pool};

/// Limits the number of requests in flight to these routes, and the time of each.
pub fn with_limits_in_flight(routes: Router<App>, app: &App) -> Router<App> {
    routes.layer(from_fn_with_state(app.clone(), layer))
}

async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    limited(&app, request, next).await
}

/// Has a request answered within the limits of requests in flight.
pub(super) async fn limited(app: &App, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<HealthOnly>().is_some() {
        return Error::Unavailable(Cause::new("the connection is open for health only")).into_response();
    }
    let in_flight = match InFlight::begin(app.requests(), source(request.extensions())) {
        Ok(in_flight) => in_flight,
        Err(exhausted) => return Error::from(exhausted).into_response(),
    };
    request.extensions_mut().insert(in_flight.clone());
    let mut answering = pin!(next.run(request));
    let mut limit = pin!(sleep(app.config().server.request_timeout));
    let without_body = limit.deadline();
    loop {
        tokio::select! {
            biased;
            response = answering.as_mut() => return response,
            () = limit.as_mut() => {}
        }
        let deadline = without_body + in_flight.state().body_time;
        if deadline <= limit.deadline() {
            return Error::Unavailable(Cause::new("deadline has elapsed")).into_response();
        }
        limit.as_mut().reset(deadline);
    }
}

/// Returns the address that a request is counted for.
pub(super) fn source(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Source>().map(|Source(address)| *address)
}

/// Marks the caller of a request as authenticated: from then on the request stays in flight while its body is read.
pub fn caller_is_known(extensions: &Extensions) {
    if let Some(in_flight) = extensions.get::<InFlight>() {
        in_flight.state().caller_is_known = true;
    }
}

/// A request in flight. Its permit is returned when the response is there.
#[derive(Clone)]
pub(super) struct InFlight(Arc<Shared>);

struct Shared {
    pool: Arc<Pool>,
    source: Option<IpAddr>,
    state: Mutex<InFlightState>,
}

struct InFlightState {
    /// `None` while the body of an unknown caller is read.
    permit: Option<Permit>,
    caller_is_known: bool,
    /// What the body adds to the time limit of the request.
    body_time: Duration,
}

impl InFlight {
    fn begin(pool: &Arc<Pool>, source: Option<IpAddr>) -> Result<InFlight, Exhausted> {
        let permit = Some(pool.take(source, 1)?);
        let state = Mutex::new(InFlightState { permit, caller_is_known: false, body_time: Duration::ZERO });
        Ok(InFlight(Arc::new(Shared { pool: pool.clone(), source, state })))
    }

    /// Returns the permit while the body of an unknown caller is read: anyone can announce a body and never send it.
    pub(super) fn begin_reading(&self) {
        let mut state = self.state();
        if !state.caller_is_known {
            state.permit = None;
        }
    }

    /// Takes the permit again, now that the body is there.
    pub(super) fn end_reading(&self) -> Result<(), Exhausted> {
        let mut state = self.state();
        if state.permit.is_none() {
            state.permit = Some(self.0.pool.take(self.0.source, 1)?);
        }
        Ok(())
    }

    /// Gives the request the time that its body may need in addition.
    pub(super) fn allow(&self, body_time: Duration) {
        self.state().body_time = body_time;
    }

    fn state(&self) -> MutexGuard<'_, InFlightState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Exhausted> for Error {
    fn from(exhausted: Exhausted) -> Error {
        Error::Unavailable(Cause::new(exhausted))
    }
}

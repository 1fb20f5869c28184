//! The metadata of a request: its identifier, its source, and the change context of its changes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};

use super::source;
use crate::account::history::ChangeContext;
use crate::account::{Contract, Error};
use crate::app::App;
use crate::headers::Single;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest identifier that is accepted from a proxy, in bytes, and kept of a client, in Unicode scalar values.
const MAX_REQUEST_ID: usize = 128;
/// The longest `User-Agent` that is kept in the history, in Unicode scalar values.
const MAX_USER_AGENT: usize = 256;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Marks a request on a connection that is open for health only.
#[derive(Clone, Copy, Debug)]
pub struct HealthOnly;

/// Keeps the connection of a request open, as long as it or a clone exists, although no request on it is open.
#[derive(Clone)]
pub struct KeepOpen {
    _reason: Arc<dyn Send + Sync>,
}

impl KeepOpen {
    /// Keeps a connection open that is open as long as `reason` exists.
    pub fn new(reason: impl Send + Sync + 'static) -> KeepOpen {
        KeepOpen { _reason: Arc::new(reason) }
    }
}

/// The address that a request is counted for: the peer's, or the one that a trusted proxy names.
#[derive(Clone, Copy, Debug)]
pub struct Source(pub IpAddr);

/// The identifier of a request in responses, logs and the history: a trusted proxy's, or else a new one. A client that chose it
/// could give its request the identifier of another one.
#[derive(Clone, Debug)]
pub struct RequestId(String);

/// What the client calls its request, if that is not the request's identifier. It is only kept sealed, with the changes.
#[derive(Clone)]
pub(super) struct ClientRequestId(String);

impl RequestId {
    /// Returns the identifier: RFC 3986 unreserved characters, so that it is a relative reference and never needs escaping.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the identifier of a request from `peer`, and what the client calls it, if that is something else.
    pub(super) fn of(headers: &HeaderMap, peer: Option<Peer>, app: &App) -> (RequestId, Option<ClientRequestId>) {
        let given = Single::of(headers, REQUEST_ID);
        let fit = |id: &&str| {
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(unreserved)
        };
        let is_trusted = peer.is_some_and(|Peer(peer)| source::is_trusted(peer.ip(), &app.config().server));
        // Of several, one may be the client's.
        match given.once().filter(|_| is_trusted).and_then(|id| id.to_str().ok()).filter(fit) {
            Some(id) => (RequestId(id.to_owned()), None),
            None => (RequestId(app.new_id().to_string()), given.first().and_then(ClientRequestId::of)),
        }
    }
}

impl ClientRequestId {
    /// Cleans and cuts the value of the header; `None` if nothing is left or it is not UTF-8.
    fn of(value: &HeaderValue) -> Option<ClientRequestId> {
        let text = std::str::from_utf8(value.as_bytes()).ok()?.trim();
        let text: String = text.chars().filter(|char| !char.is_control()).take(MAX_REQUEST_ID).collect();
        Some(ClientRequestId(text)).filter(|ClientRequestId(text)| !text.is_empty())
    }
}

/// Returns the change context of a request that the account's owner makes.
pub fn change_context(contract: Contract, request: &Request) -> ChangeContext {
    let id = request.extensions().get::<RequestId>().map(RequestId::as_str).unwrap_or_default();
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    ChangeContext {
        source_address: request.extensions().get::<Source>().map(|Source(address)| address.to_string()),
        user_agent: agent.map(|agent| agent.chars().take(MAX_USER_AGENT).collect()),
        client_request_id: request.extensions().get().map(|ClientRequestId(id)| id.clone()),
        ..ChangeContext::owner(contract, id)
    }
}

/// Counts a request towards the rate limit of its source, before its credentials are checked; once, however often it is
/// called for the request after [`count_early`].
pub fn count_source(app: &App, parts: &Parts) -> Result<(), Error> {
    count(app, &parts.extensions)
}

/// Like [`count_source`], for a whole request.
pub fn count_source_of(app: &App, request: &Request) -> Result<(), Error> {
    count(app, request.extensions())
}

/// Counts a request before its endpoint is known, for work that endpoints do not do themselves. Returns whether the source
/// may still send requests; the endpoint refuses those beyond the limit, if it counts them at all.
pub fn count_early(app: &App, request: &mut Request) -> bool {
    let counted = count(app, request.extensions());
    let is_within = counted.is_ok();
    request.extensions_mut().insert(Counted(counted));
    is_within
}

/// The result for a request that was counted already.
#[derive(Clone)]
struct Counted(Result<(), Error>);

fn count(app: &App, request: &Extensions) -> Result<(), Error> {
    match (request.get::<Counted>(), request.get::<Source>()) {
        (Some(Counted(counted)), _) => counted.clone(),
        (None, Some(Source(address))) => app.limits().address(*address),
        (None, None) => Ok(()),
    }
}

/// Any client, once its request was counted for its source: the first argument of an endpoint that needs no credentials.
pub struct Public;

impl FromRequestParts<App> for Public {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Public, Error> {
        count_source(app, parts).map(|()| Public)
    }
}

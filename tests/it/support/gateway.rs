//! A gateway for short messages that records requests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use selfsame::outbox::Delivery;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{Database, Server};

/// A request that a gateway received.
#[derive(Clone, Debug)]
pub(crate) struct RecordedRequest {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A gateway on a free loopback port; the path of its URL selects the response.
pub(crate) struct Gateway {
    shared: Arc<Shared>,
    pub(crate) url: String,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<RecordedRequest>>,
    repaired: Mutex<bool>,
    arrived: Notify,
    released: Notify,
}

impl Gateway {
    pub(crate) async fn start() -> Gateway {
        let shared = Arc::new(Shared::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Gateway { shared, url }
    }

    /// Starts a server on the embedded database that sends short messages through a path of the gateway.
    pub(crate) async fn server(&self, path: &str, settings: &[(&str, &str)]) -> Server {
        self.server_on(Database::sqlite(), path, settings).await
    }

    /// Starts a server that sends short messages through a path of the gateway.
    pub(crate) async fn server_on(&self, database: Database, path: &str, settings: &[(&str, &str)]) -> Server {
        let url = format!("{}{path}", self.url);
        let mut all = vec![
            ("SELFSAME__SMS__URL", url.as_str()),
            ("SELFSAME__SMS__BODY", r#"{"to":"{to}","text":"{text}"}"#),
            ("SELFSAME__SMS__TIMEOUT", "500ms"),
        ];
        // `settings` override the defaults above; each variable may be given only once.
        all.retain(|(name, _)| !settings.iter().any(|(given, _)| given == name));
        all.extend(settings);
        Server::delivering(database, &all, Delivery::Configured).await
    }

    /// The requests so far, oldest first.
    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Accepts every message from now on, whatever the path.
    pub(crate) fn repair(&self) {
        *self.shared.repaired.lock().unwrap() = true;
    }

    /// Returns when a request to `/waiting` has arrived, whose response waits for [`release`](Gateway::release).
    pub(crate) async fn arrived(&self) {
        self.shared.arrived.notified().await;
    }

    /// Responds to a request that waits.
    pub(crate) fn release(&self) {
        self.shared.released.notify_one();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let number = {
        let mut requests = shared.requests.lock().unwrap();
        requests.push(RecordedRequest { path: path.clone(), headers, body });
        requests.len()
    };
    if *shared.repaired.lock().unwrap() {
        return StatusCode::ACCEPTED.into_response();
    }
    match path.as_str() {
        "/moved" => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response(),
        "/late" if number == 1 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "/broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "/objecting" => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        "/refused" => StatusCode::UNAUTHORIZED.into_response(),
        "/hanging" => std::future::pending().await,
        "/waiting" => {
            shared.arrived.notify_one();
            shared.released.notified().await;
            StatusCode::ACCEPTED.into_response()
        }
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

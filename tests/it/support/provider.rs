//! A hand-written OpenID provider, for error cases that a real one cannot be made to produce.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// A provider on a free loopback port.
pub(crate) struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    open: Option<JoinHandle<()>>,
    /// Reserves the port while the provider is stopped: bound but not listening, so that connections are refused.
    kept: Option<TcpSocket>,
}

struct Shared {
    issuer: String,
    keys: Mutex<Vec<Value>>,
    discovery: Mutex<Reply>,
    jwks: Mutex<Reply>,
    connections: AtomicUsize,
    asked_for_keys: AtomicUsize,
    asked: Notify,
}

/// How the provider responds to a request for a document.
#[derive(Clone)]
pub(crate) enum Reply {
    /// The correct response.
    Honest,
    /// No response.
    Hang,
    /// The beginning of the correct response, and then nothing more.
    Stall,
    /// A response with this status code and reason, these additional header lines and this body.
    Says(&'static str, Vec<String>, String),
}

impl Provider {
    /// Starts a provider with these public keys.
    pub(crate) async fn start(keys: Vec<Value>) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            issuer: format!("http://{address}"),
            keys: Mutex::new(keys),
            discovery: Mutex::new(Reply::Honest),
            jwks: Mutex::new(Reply::Honest),
            connections: AtomicUsize::new(0),
            asked_for_keys: AtomicUsize::new(0),
            asked: Notify::new(),
        });
        let open = Some(tokio::spawn(serve(listener, shared.clone())));
        Provider { address, shared, open, kept: None }
    }

    /// The provider's issuer URL.
    pub(crate) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// The URL of a path on the provider.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Replaces the published keys.
    pub(crate) fn publish(&self, keys: Vec<Value>) {
        *self.shared.keys.lock().unwrap() = keys;
    }

    /// Sets the response to requests for the metadata.
    pub(crate) fn discovery(&self, reply: Reply) {
        *self.shared.discovery.lock().unwrap() = reply;
    }

    /// Sets the response to requests for the keys.
    pub(crate) fn jwks(&self, reply: Reply) {
        *self.shared.jwks.lock().unwrap() = reply;
    }

    /// The number of connections that the provider has accepted.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The number of requests for the keys.
    pub(crate) fn asked_for_keys(&self) -> usize {
        self.shared.asked_for_keys.load(Ordering::SeqCst)
    }

    /// Returns when the keys were requested more than `times` times.
    pub(crate) async fn asked_more_often_than(&self, times: usize) {
        loop {
            let asked = self.shared.asked.notified();
            if self.asked_for_keys() > times {
                return;
            }
            asked.await;
        }
    }

    /// Stops the provider: open connections are cut and new ones are refused.
    pub(crate) async fn stop(&mut self) {
        let open = self.open.take().unwrap();
        open.abort();
        assert!(open.await.unwrap_err().is_cancelled());
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        self.kept = Some(socket);
    }

    /// Starts the provider again on the same port.
    pub(crate) fn start_again(&mut self) {
        let listener = self.kept.take().unwrap().listen(1024).unwrap();
        self.open = Some(tokio::spawn(serve(listener, self.shared.clone())));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.open.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, so that stopping the provider cuts its connections.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = shared.clone();
        // A client may disconnect at any time.
        connections.spawn(async move { answer(stream, &shared).await.unwrap_or_default() });
    }
}

/// Responds to one request of a connection and closes it.
async fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(&mut stream).lines();
    let request = lines.next_line().await?.unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    let (reply, honest) = match request.split(' ').nth(1).unwrap_or_default() {
        "/.well-known/openid-configuration" => {
            let metadata = json!({"issuer": shared.issuer, "jwks_uri": format!("{}/keys", shared.issuer)});
            (shared.discovery.lock().unwrap().clone(), metadata)
        }
        "/keys" => {
            shared.asked_for_keys.fetch_add(1, Ordering::SeqCst);
            shared.asked.notify_waiters();
            (shared.jwks.lock().unwrap().clone(), json!({"keys": *shared.keys.lock().unwrap()}))
        }
        _ => (Reply::Says("404 Not Found", Vec::new(), String::new()), Value::Null),
    };
    let honest = honest.to_string();
    let (said, rest) = match reply {
        Reply::Honest => (written("200 OK", &[], &honest), 0),
        Reply::Says(status, lines, body) => (written(status, &lines, &body), 0),
        Reply::Stall => (written("200 OK", &[], &honest), honest.len() / 2),
        Reply::Hang => return std::future::pending().await,
    };
    stream.write_all(&said.as_bytes()[..said.len() - rest]).await?;
    if rest > 0 {
        return std::future::pending().await;
    }
    stream.shutdown().await
}

fn written(status: &str, lines: &[String], body: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{lines}\r\n{body}",
        body.len()
    )
}

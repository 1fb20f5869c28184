//! A graceful stop: readiness ends first, then the listener closes, then each connection after its last response.

use std::net::SocketAddr;
use std::time::Duration;

use selfsame::serve::{Hosts, Listeners, Stop};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{person, server_with};
use crate::support::Wire;
use crate::support::{Installation, Server};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const READY: &str = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A second server of the same installation, which reports how it ended.
struct Stoppable {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Stop>,
}

impl Stoppable {
    async fn beside(server: &Server) -> Stoppable {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let listeners = Listeners { contracts: listener, tls: None, operator: None, hosts: Hosts::Any };
        let ended = tokio::spawn(selfsame::serve::run(server.app.clone(), listeners, async { drop(stopped.await) }));
        Stoppable { address, stop, ended }
    }

    /// Begins an update and returns when the server reads its body.
    async fn begin_update(&self, head: &str) -> Wire {
        begin_update(self.address, head).await
    }
}

async fn begin_update(address: SocketAddr, head: &str) -> Wire {
    let mut wire = Wire::open(address).await;
    let begin = "POST /web/v1/system/profile/update HTTP/1.1\r\nContent-Type: application/json\r\n\
                 Content-Length: 2\r\nExpect: 100-continue\r\n";
    wire.send(format!("{begin}{head}\r\n")).await;
    assert_eq!(wire.answer().await.status, 100);
    wire
}

/// Returns when nothing listens on the address any more.
async fn refused(address: SocketAddr) {
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("the listener did not close");
}

#[tokio::test]
async fn an_idle_server_stops_at_once() {
    let server = server_with(&[]).await;
    let running = Stoppable::beside(&server).await;
    let mut idle = Wire::open(running.address).await;
    idle.send(HEALTH).await;
    assert_eq!(idle.answer().await.status, 200);
    let silent = Wire::open(running.address).await;

    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), Stop::Clean);
    assert_eq!(idle.end().await, "");
    drop(silent);
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_new_connections_are_refused_meanwhile() {
    let server = server_with(&[]).await;
    let (_, head) = person(&server).await;
    let running = Stoppable::beside(&server).await;
    let mut begun = running.begin_update(&head).await;

    running.stop.send(()).unwrap();
    refused(running.address).await;
    assert!(!running.ended.is_finished());
    begun.send("{}").await;
    let answer = begun.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, "close"));
    assert_eq!(begun.end().await, "");
    assert_eq!(running.ended.await.unwrap(), Stop::Clean);
}

#[tokio::test]
async fn a_request_that_does_not_end_in_time_is_cut_off() {
    let server = server_with(&[("SELFSAME__SERVER__SHUTDOWN_TIMEOUT", "100ms")]).await;
    let (_, head) = person(&server).await;
    let running = Stoppable::beside(&server).await;
    let _begun = running.begin_update(&head).await;
    running.stop.send(()).unwrap();
    assert_eq!(running.ended.await.unwrap(), Stop::Cut);
}

/// A load balancer needs time to react: the server still serves requests while it reports that it is not ready.
#[tokio::test]
async fn readiness_ends_before_the_listener_closes() {
    let server = server_with(&[("SELFSAME__SERVER__DRAIN_DELAY", "1s")]).await;
    let running = Stoppable::beside(&server).await;
    let mut wire = Wire::open(running.address).await;
    wire.send(READY).await;
    assert_eq!(wire.answer().await.status, 200);

    running.stop.send(()).unwrap();
    let unready = async {
        loop {
            wire.send(READY).await;
            let answer = wire.answer().await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), unready).await.expect("readiness did not end");
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    let mut new = Wire::open(running.address).await;
    new.send(HEALTH).await;
    assert_eq!(new.answer().await.status, 200);
    refused(running.address).await;
    assert_eq!(running.ended.await.unwrap(), Stop::Clean);
}

on_both_databases!(
    async fn the_program_answers_every_request_that_began_before_sigterm(installation: Installation) {
        const AT_ONCE: usize = 24;
        let account = installation_with_account(&installation);
        let token = installation.print(&["token", "issue", "--account", &account, "--contract", "system"]);
        let (program, address) = installation.serve();
        let token = token.trim();
        let head = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nX-Client-Hash: client\r\n");
        let mut begun = Vec::new();
        for _ in 0..AT_ONCE {
            begun.push(begin_update(address, &head).await);
        }

        program.terminate();
        refused(address).await;
        for (number, wire) in begun.iter_mut().enumerate() {
            wire.send("{}").await;
            let answer = wire.answer().await;
            assert_eq!(answer.status, 200, "{number}: {}", answer.body);
        }
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.errors.contains(r#""message":"stopped""#), "{ended}");
    }
);

fn installation_with_account(installation: &Installation) -> String {
    installation.print(&["tenant", "create", "demo"]);
    let created = installation.json(&["account", "create", "--tenant", "demo", "--json", "display_name=Jane Admin"]);
    created["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_program_logs_that_it_cut_requests_off_and_exits_with_code_0() {
    let mut installation = Installation::new();
    installation.set("SELFSAME__SERVER__SHUTDOWN_TIMEOUT", "100ms");
    let account = installation_with_account(&installation);
    let token = installation.print(&["token", "issue", "--account", &account, "--contract", "system"]);
    let head = format!("Host: localhost\r\nAuthorization: Bearer {}\r\nX-Client-Hash: client\r\n", token.trim());
    let (program, address) = installation.serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _begun = runtime.block_on(begin_update(address, &head));
    program.terminate();
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.errors.contains("shutdown timed out; requests cut off"), "{ended}");
}

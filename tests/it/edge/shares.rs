//! What one source network may have of connections and of requests in flight, and what is left for others and for health.

use std::net::SocketAddr;

use super::{person, server_with};
use crate::support::{Database, Http2, Log, Server, Wire, until};

const MAX_CONNECTIONS: &str = "SELFSAME__SERVER__MAX_CONNECTIONS";
const MAX_REQUESTS: &str = "SELFSAME__SERVER__MAX_REQUESTS";
const PROXY: (&str, &str) = ("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.2");
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const READY: &str = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Connects from an address, and returns the connection once a request on it was answered with 200.
async fn served(source: &str, address: SocketAddr) -> Wire {
    let mut wire = Wire::open_from(source, address).await;
    wire.send(HEALTH).await;
    assert_eq!(wire.answer().await.status, 200, "{source}");
    wire
}

/// Connects from an address, and returns the status and `Connection` of the answer to a request, if there is one.
async fn asked(source: &str, address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut wire = Wire::try_open_from(source, address).await?;
    wire.try_send_bytes(request).await;
    let answer = wire.answer_or_end().await?;
    Some((answer.status.as_u16(), answer.header("connection").to_owned()))
}

fn read(head: &str) -> String {
    format!("GET /web/v1/system/profile HTTP/1.1\r\n{head}\r\n")
}

/// Begins a change, which is in flight until its body comes.
async fn begin_update(wire: &mut Wire, head: &str) {
    let length = "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    wire.send(format!("POST /web/v1/system/profile/update HTTP/1.1\r\n{head}{length}")).await;
    wire.wait_for_continue().await;
}

#[tokio::test]
async fn a_connection_beyond_the_share_of_its_network_is_closed_and_others_are_served() {
    let server = server_with(&[(MAX_CONNECTIONS, "8")]).await;
    let address = server.address();
    let (first, mut second) = (served("127.0.0.2", address).await, served("127.0.0.2", address).await);
    for _ in 0..20 {
        assert_eq!(asked("127.0.0.2", address, HEALTH).await, None);
    }
    let _others = [served("127.0.0.3", address).await, served("127.0.0.4", address).await];
    second.send(HEALTH).await;
    assert_eq!(second.answer().await.status, 200);
    drop(first);
    until(async || asked("127.0.0.2", address, HEALTH).await.is_some()).await;
}

#[tokio::test]
async fn idle_http_2_connections_of_one_address_leave_others_served() {
    let server = server_with(&[(MAX_CONNECTIONS, "64")]).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        if let Some(mut http2) = Http2::try_open("127.0.0.2", server.address()).await {
            http2.get("/healthz", &[]).await;
            idle.push(http2);
        }
    }
    let (_, head) = person(&server).await;
    let asked = asked("127.0.0.3", server.address(), &read(&head)).await;
    assert_eq!(asked, Some((200, String::new())));
}

#[tokio::test]
async fn connections_of_trusted_proxies_are_exempt() {
    let server = server_with(&[(MAX_CONNECTIONS, "8"), PROXY]).await;
    let mut proxied = Vec::new();
    for _ in 0..6 {
        proxied.push(served("127.0.0.2", server.address()).await);
    }
    let _direct = [served("127.0.0.3", server.address()).await, served("127.0.0.3", server.address()).await];
    // All eight are taken, and the next are for health only.
    let asked = asked("127.0.0.4", server.address(), HEALTH).await;
    assert_eq!(asked, Some((200, "close".to_owned())));
}

#[tokio::test]
async fn with_a_share_of_100_percent_one_network_may_have_all_connections() {
    let server = server_with(&[(MAX_CONNECTIONS, "3"), ("SELFSAME__SERVER__NETWORK_SHARE", "100")]).await;
    for _ in 0..3 {
        std::mem::forget(served("127.0.0.2", server.address()).await);
    }
    assert_eq!(asked("127.0.0.2", server.address(), HEALTH).await, Some((200, "close".to_owned())));
}

/// Takes all four connections of a server, each from another network.
async fn take_all(server: &Server) -> Vec<Wire> {
    let mut taken = Vec::new();
    for host in 2..6 {
        taken.push(served(&format!("127.0.0.{host}"), server.address()).await);
    }
    taken
}

#[tokio::test]
async fn health_is_answered_while_all_connections_are_taken() {
    let server = server_with(&[(MAX_CONNECTIONS, "4")]).await;
    let (_, head) = person(&server).await;
    let _taken = take_all(&server).await;
    for _ in 0..20 {
        for (request, status) in [(HEALTH, 200), (READY, 200), (&*read(&head), 503)] {
            let asked = asked("127.0.0.6", server.address(), request).await;
            assert_eq!(asked, Some((status, "close".to_owned())), "{request}");
        }
    }
    let mut wire = Wire::open_from("127.0.0.6", server.address()).await;
    wire.send(read(&head)).await;
    let answer = wire.answer().await;
    assert_eq!(answer.header("retry-after"), "1");
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"code":"5030","message":"Service temporarily unavailable"}"#);
    assert_eq!(wire.end().await, "");
    let mut wire = Wire::open_from("127.0.0.6", server.address()).await;
    wire.send("GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    insta::assert_snapshot!(wire.answer().await.body, @r#"{"status":503,"title":"Service Unavailable","type":"about:blank"}"#);
}

#[tokio::test]
async fn a_connection_for_health_ends_after_its_first_answer_in_http_2_too() {
    let server = server_with(&[(MAX_CONNECTIONS, "4")]).await;
    let _taken = take_all(&server).await;
    let mut http2 = Http2::open("127.0.0.6", server.address()).await;
    let stream = http2.get("/healthz", &[]).await;
    let frames = http2.end().await;
    assert!(
        frames.iter().any(|frame| frame.ends(stream)) && frames.iter().any(|frame| frame.is_go_away()),
        "{frames:?}"
    );
}

#[tokio::test]
async fn one_network_cannot_take_all_connections_for_health_and_silent_ones_end() {
    let server = server_with(&[(MAX_CONNECTIONS, "4")]).await;
    let _taken = take_all(&server).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(Wire::open_from("127.0.0.6", server.address()).await);
    }
    assert_eq!(asked("127.0.0.6", server.address(), HEALTH).await, None);
    assert_eq!(asked("127.0.0.7", server.address(), HEALTH).await, Some((200, "close".to_owned())));
    for mut silent in silent {
        assert_eq!(silent.end().await, "");
    }
    assert_eq!(asked("127.0.0.6", server.address(), HEALTH).await, Some((200, "close".to_owned())));
}

#[tokio::test]
async fn a_request_beyond_the_share_of_its_network_is_refused_and_others_are_answered() {
    let server = server_with(&[(MAX_REQUESTS, "4")]).await;
    let (_, head) = person(&server).await;
    let mut begun = Wire::open_from("127.0.0.2", server.address()).await;
    begin_update(&mut begun, &head).await;
    let mut beyond = Wire::open_from("127.0.0.2", server.address()).await;
    beyond.send(read(&head)).await;
    let answer = beyond.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"code":"5030","message":"Service temporarily unavailable"}"#);
    beyond.send(HEALTH).await;
    assert_eq!(beyond.answer().await.status, 200);
    assert_eq!(asked("127.0.0.3", server.address(), &read(&head)).await, Some((200, String::new())));
    begun.send("{}").await;
    assert_eq!(begun.answer().await.status, 200);
    beyond.send(read(&head)).await;
    assert_eq!(beyond.answer().await.status, 200);
}

#[tokio::test]
async fn requests_through_a_proxy_count_for_the_networks_that_it_reports() {
    let server = server_with(&[(MAX_REQUESTS, "4"), PROXY]).await;
    let (_, head) = person(&server).await;
    let reported = |source: &str| format!("{head}X-Forwarded-For: {source}\r\n");
    let mut begun = Wire::open_from("127.0.0.2", server.address()).await;
    begin_update(&mut begun, &reported("2001:db8::1")).await;
    let ask = async |source: &str| asked("127.0.0.2", server.address(), &read(&reported(source))).await.unwrap().0;
    assert_eq!([ask("2001:db8::2").await, ask("2001:db8:0:1::1").await, ask("203.0.113.1").await], [503, 200, 200]);
}

/// An operator needs the network to block it, and the setting to allow it more.
#[test]
fn a_network_that_reaches_its_share_is_logged_once_with_the_setting() {
    crate::support::run(Database::sqlite, async |database: Database| {
        let server = Server::with(database, &[(MAX_CONNECTIONS, "8"), (MAX_REQUESTS, "4"), PROXY]).await;
        let (_, head) = person(&server).await;
        let _taken = [served("127.0.0.3", server.address()).await, served("127.0.0.3", server.address()).await];
        for _ in 0..5 {
            assert_eq!(asked("127.0.0.3", server.address(), HEALTH).await, None);
        }
        let head = format!("{head}X-Forwarded-For: 2001:db8::7\r\n");
        let mut begun = Wire::open_from("127.0.0.2", server.address()).await;
        begin_update(&mut begun, &head).await;
        for _ in 0..5 {
            assert_eq!(asked("127.0.0.2", server.address(), &read(&head)).await.unwrap().0, 503);
        }
        let mut lines = Log::of_this_test().at("WARN");
        lines.retain(|line| line["message"] == "source network reached its share");
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("{} {} {} {}", line["network"], line["resource"], line["setting"], line["share"]))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        "127.0.0.3" "connections" "server.network_share" 2
        "2001:db8::/64" "requests" "server.network_share" 1
        "#);
    });
}

//! The end of HTTP/2 connections without an open request, and of those whose client does not read.

use selfsame::account::{Contract, Field};

use super::{person, server_with};
use crate::support::{Http2, Server};

const IDLE: &str = "SELFSAME__SERVER__HEADER_TIMEOUT";
const UNREAD: &str = "SELFSAME__SERVER__WRITE_TIMEOUT";
const SHORT: &str = "200ms";
const LONG: &str = "10m";
const CLIENT: &str = "127.0.0.2";

/// It answers the server's pings, which does not make it active.
#[tokio::test]
async fn an_idle_http_2_connection_is_announced_to_end_and_closed() {
    let server = server_with(&[(IDLE, SHORT), (UNREAD, LONG)]).await;
    let mut http2 = Http2::open(CLIENT, server.address()).await;
    let stream = http2.get("/healthz", &[]).await;
    http2.until(|frame| frame.ends(stream)).await;
    let frames = http2.end().await;
    assert!(frames.iter().any(|frame| frame.is_go_away()), "{frames:?}");
}

#[tokio::test]
async fn an_http_2_connection_with_an_open_request_is_not_idle() {
    let server = server_with(&[(IDLE, SHORT), ("SELFSAME__SERVER__BODY_TIMEOUT", "2s")]).await;
    let (account, _) = person(&server).await;
    let bearer = format!("Bearer {}", server.token(&account, Contract::System).await);
    let headers = [("authorization", &*bearer), ("x-client-hash", "d1"), ("content-type", "application/json")];
    let mut http2 = Http2::open(CLIENT, server.address()).await;
    // Its body never comes, so it is answered after two seconds.
    let stream = http2.announce("POST", "/web/v1/system/profile/update", &headers).await;
    let frames = http2.until(|frame| frame.begins(stream) || frame.is_go_away()).await;
    assert!(!frames.iter().any(|frame| frame.is_go_away()), "{frames:?}");
    let frames = http2.end().await;
    assert!(frames.iter().any(|frame| frame.is_go_away()), "{frames:?}");
}

/// A window of zero keeps the answer in the server, one of a byte all but its first byte in the HTTP/2 library.
#[tokio::test]
async fn the_http_2_connection_of_a_client_that_does_not_read_its_answer_is_closed() {
    for (window, idle) in [(0, LONG), (1, SHORT)] {
        let server = server_with(&[(IDLE, idle), (UNREAD, SHORT)]).await;
        let mut http2 = Http2::with_window(CLIENT, server.address(), window).await;
        let stream = http2.get("/healthz", &[]).await;
        let frames = http2.end().await;
        assert!(!frames.iter().any(|frame| frame.ends(stream)), "{frames:?}");
    }
}

/// One answer that is not read ends the connection, whatever else happens on it.
#[tokio::test]
async fn an_unread_answer_ends_an_http_2_connection_that_is_otherwise_active() {
    let server = server_with(&[(IDLE, LONG), (UNREAD, SHORT)]).await;
    let account = server.person(&[(Field::DisplayName, &"x".repeat(60_000))]).await;
    let bearer = format!("Bearer {}", server.token(&account, Contract::System).await);
    let headers = [("authorization", &*bearer), ("x-client-hash", "d1")];
    // The beginning of the large answer fits, and whole small answers do.
    let mut http2 = Http2::with_window(CLIENT, server.address(), 1000).await;
    http2.get("/web/v1/system/profile", &headers).await;
    let ended = async {
        loop {
            let stream = http2.get("/healthz", &[]).await;
            if http2.answer_or_end(stream).await.is_none() {
                return;
            }
        }
    };
    in_time(ended).await;
    assert_eq!(healthy(&server).await, 200);
}

async fn healthy(server: &Server) -> u16 {
    server.request("GET", "/healthz").send().await.status.as_u16()
}

async fn in_time(ended: impl Future<Output = ()>) {
    let limit = std::time::Duration::from_secs(10);
    tokio::time::timeout(limit, ended).await.expect("the server keeps the connection open");
}

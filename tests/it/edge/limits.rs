//! Limits of connections and requests: bytes, time, concurrency.

use selfsame::account::{Contract, Field};

use super::{person, server_with};
use crate::support::Wire;

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const UPDATE: &str = "POST /web/v1/system/profile/update HTTP/1.1\r\n";
const SHORT: &str = "200ms";
/// No connections beyond the limit that are open for health only.
const NONE_FOR_HEALTH: (&str, &str) = ("SELFSAME__SERVER__HEALTH_CONNECTIONS", "0");

#[tokio::test]
async fn a_header_that_is_too_large_is_refused_and_the_server_keeps_serving() {
    let server = server_with(&[("SELFSAME__SERVER__MAX_HEADER_BYTES", "8192")]).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Large: {}\r\n\r\n", "x".repeat(8192))).await;
    assert_eq!(wire.answer().await.status, 431);
    assert_eq!(wire.end().await, "");
    assert_eq!(server.request("GET", "/healthz").header("X-Large", &"x".repeat(4096)).send().await.status, 200);
}

#[tokio::test]
async fn a_header_of_too_many_lines_is_refused_and_the_server_keeps_serving() {
    let server = server_with(&[("SELFSAME__SERVER__MAX_HEADERS", "16")]).await;
    let lines = |count: usize| (0..count).map(|line| format!("X-{line}: x\r\n")).collect::<String>();
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{}\r\n", lines(15))).await;
    assert_eq!(wire.answer().await.status, 200);
    wire.send(format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{}\r\n", lines(16))).await;
    assert_eq!(wire.answer().await.status, 431);
    assert_eq!(wire.end().await, "");
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);
}

#[tokio::test]
async fn a_target_that_is_too_long_is_refused_and_the_server_keeps_serving() {
    let server = server_with(&[]).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(70_000))).await;
    assert!([414, 431].contains(&wire.answer().await.status.as_u16()));
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);
}

/// A client that stops in the middle of a header (Slowloris) keeps its connection only until the header time-out.
#[tokio::test]
async fn a_header_that_does_not_arrive_in_time_ends_its_connection() {
    let server = server_with(&[("SELFSAME__SERVER__HEADER_TIMEOUT", SHORT)]).await;
    for begun in [
        "",
        "P",
        "GET /healthz HT",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
        // The HTTP/2 connection preface (RFC 9113 §3.4): incomplete, and complete without the frame that must follow it.
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut wire = Wire::open(server.address()).await;
        wire.send(begun).await;
        let said = wire.end().await;
        assert!(!said.contains("200 OK"), "{begun:?}: {said:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let server = server_with(&[("SELFSAME__SERVER__HEADER_TIMEOUT", SHORT)]).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(HEALTH).await;
    assert_eq!(wire.answer().await.status, 200);
    let said = wire.end().await;
    assert!(!said.contains("200 OK"), "{said:?}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_refused_and_ends_its_connection() {
    let server = server_with(&[("SELFSAME__SERVER__BODY_TIMEOUT", SHORT)]).await;
    let (account, head) = person(&server).await;
    let before = server.account(&account).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("{UPDATE}{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (408, "close"));
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"code":"4080","message":"Request timeout"}"#);
    assert_eq!(wire.end().await, "");
    assert_eq!(server.account(&account).await, before);
}

/// The whole request has its own time-out, however long its parts take.
#[tokio::test]
async fn a_request_that_takes_too_long_is_refused() {
    let server = server_with(&[("SELFSAME__SERVER__REQUEST_TIMEOUT", SHORT)]).await;
    let (_, head) = person(&server).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("{UPDATE}{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"code":"5030","message":"Service temporarily unavailable"}"#);
    assert_eq!(wire.end().await, "");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read_and_ends_its_connection() {
    let server = server_with(&[]).await;
    let (_, head) = person(&server).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("{UPDATE}{head}Content-Type: application/json\r\nContent-Length: 65537\r\n\r\n")).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (413, "close"));
    assert_eq!(wire.end().await, "");
}

/// The client requests more responses than the sockets on both sides can buffer; the only connection slot becomes free
/// although the client never reads.
#[tokio::test]
async fn the_connection_of_a_client_that_never_reads_is_closed() {
    let settings =
        [("SELFSAME__SERVER__WRITE_TIMEOUT", SHORT), ("SELFSAME__SERVER__MAX_CONNECTIONS", "1"), NONE_FOR_HEALTH];
    let server = server_with(&settings).await;
    // The largest possible response: an operator's value beyond the contract's limit is shown whole.
    let account = server.person(&[(Field::DisplayName, &"x".repeat(60_000))]).await;
    let token = server.token(&account, Contract::System).await;
    let head = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nX-Client-Hash: client\r\n");
    let mut wire = Wire::narrow(server.address()).await;
    wire.send_until_cut(format!("GET /web/v1/system/profile HTTP/1.1\r\n{head}\r\n").as_bytes()).await;
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_for_a_free_place() {
    let server = server_with(&[("SELFSAME__SERVER__MAX_CONNECTIONS", "1"), NONE_FOR_HEALTH]).await;
    let mut first = Wire::open(server.address()).await;
    first.send(HEALTH).await;
    assert_eq!(first.answer().await.status, 200);

    let mut second = Wire::open(server.address()).await;
    second.send(HEALTH).await;
    // The first is still served, so the second was not accepted instead. Everything runs on one thread, which serves the
    // connections in turn: by the time of so many answers to the first, the second would have had its own.
    for _ in 0..20 {
        first.send(HEALTH).await;
        assert_eq!(first.answer().await.status, 200);
        assert!(second.has_received_nothing(), "the second was answered while the first had the only place");
    }
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}

#[tokio::test]
async fn a_request_beyond_the_limit_is_refused_and_may_be_retried() {
    let server = server_with(&[("SELFSAME__SERVER__MAX_REQUESTS", "1")]).await;
    let (_, head) = person(&server).await;
    let mut held = Wire::open(server.address()).await;
    let expect = "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    held.send(format!("{UPDATE}{head}{expect}")).await;
    assert_eq!(held.answer().await.status, 100);

    let mut other = Wire::open(server.address()).await;
    let read = format!("GET /web/v1/system/profile HTTP/1.1\r\n{head}\r\n");
    other.send(&read).await;
    let answer = other.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    insta::assert_snapshot!(answer.body, @r#"{"success":false,"code":"5030","message":"Service temporarily unavailable"}"#);

    held.send("{}").await;
    assert_eq!(held.answer().await.status, 200);
    other.send(&read).await;
    assert_eq!(other.answer().await.status, 200);
}

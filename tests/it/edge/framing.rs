//! Message framing: where one HTTP/1.1 request ends and the next begins (RFC 9112).

use super::{person, server_with};
use crate::support::Wire;

const UPDATE: &str = "POST /web/v1/system/profile/update HTTP/1.1";
const NEXT: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let server = server_with(&[]).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(NEXT).await;
    wire.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let (first, second) = (wire.answer().await, wire.answer().await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 404));
}

#[tokio::test]
async fn a_chunked_body_is_accepted() {
    let server = server_with(&[]).await;
    let (account, head) = person(&server).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("{UPDATE}\r\n{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")).await;
    wire.send("10\r\n{\"accountName\":\"\r\n8\r\nIn parts\r\n2\r\n\"}\r\n0\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(server.account(&account).await.text(selfsame::account::Field::DisplayName), Some("In parts"));
}

/// RFC 9112 §6.1: the length is ignored, the request is answered, and the connection is closed, so that bytes that an
/// intermediary took for part of the body are never processed as a separate request.
#[tokio::test]
async fn a_request_with_both_framings_is_answered_and_closes_its_connection() {
    let lines =
        ["Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"];
    for framings in lines {
        let server = server_with(&[]).await;
        let (_, head) = person(&server).await;
        let mut wire = Wire::open(server.address()).await;
        let both = format!("{UPDATE}\r\n{head}Content-Type: application/json\r\n{framings}\r\n2\r\n{{}}\r\n0\r\n\r\n");
        wire.send(format!("{both}{NEXT}")).await;
        let answer = wire.answer().await;
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, "close"), "{framings}");
        assert_eq!(wire.end().await, "", "{framings}");
    }
}

#[tokio::test]
async fn a_refused_request_with_both_framings_ends_its_connection_too() {
    let server = server_with(&[]).await;
    let mut wire = Wire::open(server.address()).await;
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    wire.send(format!("POST /nothing HTTP/1.1\r\nHost: localhost\r\n{both}{NEXT}")).await;
    assert_eq!(wire.answer().await.status, 404);
    assert_eq!(wire.end().await, "");
}

/// Each of these requests is ambiguous or malformed, so it is refused and the connection closes.
#[tokio::test]
async fn ambiguous_and_malformed_requests_are_refused_and_close_the_connection() {
    let server = server_with(&[]).await;
    for head in [
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 2\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: +1\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n X-B: 2\r\n\r\n",
        "GET /healthz\r\nHost: localhost\r\n\r\n",
        "GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: local\0host\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        let mut wire = Wire::open(server.address()).await;
        wire.send(format!("{head}{NEXT}")).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 400, "{head:?}");
        assert_eq!(wire.end().await, "", "{head:?}");
    }
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);
}

#[tokio::test]
async fn a_body_with_invalid_chunks_is_malformed_and_ends_its_connection() {
    let server = server_with(&[]).await;
    let (_, head) = person(&server).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("{UPDATE}\r\n{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")).await;
    wire.send(format!("zz\r\n{{}}\r\n0\r\n\r\n{NEXT}")).await;
    assert_eq!(wire.answer().await.status, 400);
    assert_eq!(wire.end().await, "");
}

/// RFC 9112 §9.3: without `keep-alive`, an HTTP/1.0 connection ends with the response.
#[tokio::test]
async fn an_http_1_0_connection_closes_after_one_response_unless_it_requests_keep_alive() {
    let server = server_with(&[]).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("GET /healthz HTTP/1.0\r\n\r\n{NEXT}")).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "ok"));
    assert_eq!(wire.end().await, "");

    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n{NEXT}")).await;
    assert_eq!((wire.answer().await.status.as_u16(), wire.answer().await.status.as_u16()), (200, 200));
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it_before_it_sends_the_body() {
    let server = server_with(&[]).await;
    let (_, head) = person(&server).await;
    let mut wire = Wire::open(server.address()).await;
    let expect = "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    wire.send(format!("{UPDATE}\r\n{head}{expect}")).await;
    assert_eq!(wire.answer().await.status, 100);
    wire.send("{}").await;
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn a_refused_request_gets_no_100_continue() {
    let server = server_with(&[]).await;
    let mut wire = Wire::open(server.address()).await;
    wire.send(format!("{UPDATE}\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")).await;
    assert_eq!(wire.answer().await.status, 401);
    assert_eq!(wire.end().await, "");
}

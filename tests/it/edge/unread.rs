//! Bodies that are announced, and come slowly or never: what they take, and how long they may take.

use selfsame::account::{Contract, Field};

use super::{person, server_with};
use crate::support::{Answer, Http2, Server, Wire, until};

const MAX_REQUESTS: (&str, &str) = ("SELFSAME__SERVER__MAX_REQUESTS", "1");
const TOKEN: &str = "/oauth2/token";
/// The paths that read a body before they know the caller, each with the media types that it accepts.
const UNKNOWN_CALLER: [(&str, &str); 6] = [
    (TOKEN, "application/json"),
    (TOKEN, "application/x-www-form-urlencoded"),
    ("/oauth2/revoke", "application/json"),
    ("/oauth2/revoke", "application/x-www-form-urlencoded"),
    ("/web/v1/secure-channel/session", "application/json"),
    ("/web/v1/secure-channel/session/close", "application/json"),
];
/// What a body counts at least, in bytes.
const LEAST: usize = 16 * 1024;
const MIB: usize = 1024 * 1024;

/// Announces a body, and returns once the server reads it.
async fn announce(source: &str, server: &Server, path: &str, media_type: &str, length: usize) -> Wire {
    let mut wire = Wire::open_from(source, server.address()).await;
    wire.send(head("POST", path, &format!("Content-Type: {media_type}\r\n"), length)).await;
    wire.wait_for_continue().await;
    wire
}

/// The header of a request that announces a body and asks before it sends it.
fn head(method: &str, path: &str, headers: &str, length: usize) -> String {
    let expect = "Expect: 100-continue\r\n";
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n{expect}\r\n")
}

/// Reads a profile from an address, and returns the status.
async fn read(source: &str, server: &Server, head: &str) -> u16 {
    let mut wire = Wire::open_from(source, server.address()).await;
    wire.send(format!("GET /web/v1/system/profile HTTP/1.1\r\n{head}\r\n")).await;
    wire.answer().await.status.as_u16()
}

#[tokio::test]
async fn a_body_that_an_unknown_caller_announces_does_not_take_the_only_place_in_flight() {
    let server = server_with(&[MAX_REQUESTS]).await;
    let (_, head) = person(&server).await;
    for (path, media_type) in UNKNOWN_CALLER {
        let mut wire = announce("127.0.0.2", &server, path, media_type, 2).await;
        assert_eq!(read("127.0.0.2", &server, &head).await, 200, "{path}");
        wire.send("{}").await;
        assert!(wire.answer().await.status.as_u16() < 500, "{path}");
        until(async || server.app.requests().available_permits() == 1).await;
    }
}

#[tokio::test]
async fn announced_bodies_on_few_http_2_connections_leave_others_served() {
    let server = server_with(&[]).await;
    let (_, head) = person(&server).await;
    let headers = [("content-type", "application/json"), ("content-length", "100")];
    let mut connections = Vec::new();
    for _ in 0..8 {
        let mut http2 = Http2::open("127.0.0.2", server.address()).await;
        for _ in 0..64 {
            http2.announce("POST", TOKEN, &headers).await;
        }
        connections.push(http2);
    }
    let all = server.app.config().server.max_unread_bytes;
    until(async || server.app.unread_bytes().available_permits() == all - 512 * LEAST).await;
    assert_eq!(server.app.requests().available_permits(), 512);
    for source in ["127.0.0.2", "127.0.0.3"] {
        assert_eq!(read(source, &server, &head).await, 200);
    }
    drop(connections);
    until(async || server.app.unread_bytes().available_permits() == all).await;
}

#[tokio::test]
async fn a_place_in_flight_is_taken_when_the_body_of_an_unknown_caller_is_there() {
    let server = server_with(&[MAX_REQUESTS]).await;
    let (_, credentials) = person(&server).await;
    let mut waiting = announce("127.0.0.2", &server, TOKEN, "application/json", 2).await;
    let mut in_flight = Wire::open_from("127.0.0.3", server.address()).await;
    let headers = format!("{credentials}Content-Type: application/json\r\n").replace("Host: localhost\r\n", "");
    in_flight.send(head("POST", "/web/v1/system/profile/update", &headers, 2)).await;
    in_flight.wait_for_continue().await;
    waiting.send("{}").await;
    let answer = waiting.answer().await;
    insta::assert_snapshot!(answer, @r#"
    503 Service Unavailable
    cache-control: no-store
    content-type: application/json;charset=UTF-8
    retry-after: 1

    {"error":"temporarily_unavailable"}
    "#);
    in_flight.send("{}").await;
    assert_eq!(in_flight.answer().await.status, 200);
}

/// A person whose uploads may be as large as any body.
struct Uploader<'a> {
    server: &'a Server,
    bearer: String,
}

impl Uploader<'_> {
    async fn new(server: &Server) -> Uploader<'_> {
        let account = server.person(&[(Field::DisplayName, "Jane")]).await;
        let token = server.token(&account, Contract::RiverGen).await;
        Uploader { server, bearer: format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n") }
    }

    /// Announces a body, and returns the connection once the server reads it, or the answer that refuses it unread.
    async fn announce(&self, source: &str, length: usize) -> Result<Wire, Answer> {
        let mut wire = Wire::open_from(source, self.server.address()).await;
        wire.send(head("PUT", "/api/v1/auth/me/profile", &self.bearer, length)).await;
        let answer = wire.answer().await;
        if answer.status == 100 { Ok(wire) } else { Err(answer) }
    }
}

const SMALL_BUDGET: [(&str, &str); 2] =
    [("SELFSAME__SERVER__MAX_UNREAD_BYTES", "8388608"), ("SELFSAME__SERVER__MAX_NETWORK_UNREAD_BYTES", "4194304")];

#[tokio::test]
async fn bytes_of_unread_bodies_are_limited_for_a_network_and_for_all() {
    let server = server_with(&SMALL_BUDGET).await;
    let jane = Uploader::new(&server).await;
    let first = jane.announce("127.0.0.2", 3 * MIB).await.ok().unwrap();
    let refused = jane.announce("127.0.0.2", 3 * MIB).await.err().unwrap();
    insta::assert_snapshot!(refused, @r#"
    503 Service Unavailable
    content-type: application/json
    retry-after: 1

    {"success":false,"error":{"code":"SERVICE_UNAVAILABLE","message":"Service unavailable","timestamp":"2026-03-20T14:30:00Z"},"message":"Service unavailable"}
    "#);
    assert_eq!(server.app.unread_bytes().available_permits(), 5 * MIB);

    let _second = jane.announce("127.0.0.3", 3 * MIB).await.ok().unwrap();
    assert_eq!(jane.announce("127.0.0.4", 3 * MIB).await.err().unwrap().status, 503);
    let _third = jane.announce("127.0.0.4", 2 * MIB).await.ok().unwrap();
    drop(first);
    until(async || jane.announce("127.0.0.2", 3 * MIB).await.is_ok()).await;
}

#[tokio::test]
async fn a_body_of_unknown_length_counts_as_it_comes() {
    let server = server_with(&SMALL_BUDGET).await;
    let jane = Uploader::new(&server).await;
    let _announced = jane.announce("127.0.0.2", 3 * MIB).await.ok().unwrap();
    let mut wire = Wire::open_from("127.0.0.2", server.address()).await;
    let bearer = &jane.bearer;
    wire.send(format!(
        "PUT /api/v1/auth/me/profile HTTP/1.1\r\nHost: localhost\r\n{bearer}Transfer-Encoding: chunked\r\n\r\n"
    ))
    .await;
    let chunk = format!("{:x}\r\n{}\r\n", MIB, " ".repeat(MIB));
    wire.send(&chunk).await;
    until(async || server.app.unread_bytes().available_permits() == 4 * MIB).await;
    wire.try_send_bytes(&chunk).await;
    assert_eq!(wire.answer().await.status, 503);
}

/// Settings under which a body may take 0.2 s, and a second more for each 1024 bytes.
const SHORT_TIME: [(&str, &str); 2] =
    [("SELFSAME__SERVER__BODY_TIMEOUT", "200ms"), ("SELFSAME__SERVER__MIN_BODY_RATE", "1024")];
/// So many bytes may take twenty seconds.
const LONG_BODY: usize = 20 * 1024;
const UPDATE: &str = "POST /web/v1/system/profile/update HTTP/1.1\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn a_long_body_may_take_longer_than_a_short_one() {
    let server = server_with(&SHORT_TIME).await;
    let (_, head) = person(&server).await;
    let (mut announced, mut chunked) = (Wire::connect(&server).await, Wire::connect(&server).await);
    announced.send(format!("{UPDATE}{head}Content-Length: {LONG_BODY}\r\n\r\n{{")).await;
    let chunk = format!("{LONG_BODY:x}\r\n{{{}\r\n", " ".repeat(LONG_BODY - 1));
    chunked.send(format!("{UPDATE}{head}Transfer-Encoding: chunked\r\n\r\n{chunk}")).await;

    let mut short = Wire::connect(&server).await;
    short.send(format!("{UPDATE}{head}Content-Length: 100\r\n\r\n{{")).await;
    let answer = short.answer().await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (408, "close"));
    announced.send(format!("}}{}", " ".repeat(LONG_BODY - 2))).await;
    assert_eq!(announced.answer().await.status, 200);
    chunked.send("1\r\n}\r\n0\r\n\r\n").await;
    assert_eq!(chunked.answer().await.status, 200);
}

#[tokio::test]
async fn the_time_of_a_long_body_is_added_to_that_of_its_request() {
    let server = server_with(&[SHORT_TIME[1], ("SELFSAME__SERVER__REQUEST_TIMEOUT", "200ms")]).await;
    let (_, head) = person(&server).await;
    let mut long = Wire::connect(&server).await;
    long.send(format!("{UPDATE}{head}Content-Length: {LONG_BODY}\r\n\r\n{{")).await;
    let mut short = Wire::connect(&server).await;
    short.send(format!("{UPDATE}{head}Content-Length: 100\r\n\r\n{{")).await;
    assert_eq!(short.answer().await.status, 503);
    long.send(format!("}}{}", " ".repeat(LONG_BODY - 2))).await;
    assert_eq!(long.answer().await.status, 200);
}

/// The time that a body adds does not let a request last for ever.
#[tokio::test]
async fn a_body_that_stops_coming_ends_after_the_time_of_its_length() {
    let server = server_with(&[SHORT_TIME[0], ("SELFSAME__SERVER__MIN_BODY_RATE", "20480")]).await;
    let (_, head) = person(&server).await;
    let mut wire = Wire::connect(&server).await;
    let chunk = format!("{LONG_BODY:x}\r\n{}\r\n", " ".repeat(LONG_BODY));
    wire.send(format!("{UPDATE}{head}Transfer-Encoding: chunked\r\n\r\n{chunk}")).await;
    assert_eq!(wire.answer().await.status, 408);
}

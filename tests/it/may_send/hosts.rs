//! The host that a request names: exactly one (RFC 9112 §3.2, RFC 9113 §8.3.1).

use crate::support::{Answer, Database, Http2, Server, Transcript, Wire};

/// A path of each contract, and two outside of them.
const PATHS: [(&str, &str); 8] = [
    ("GET", "/web/v1/system/profile"),
    ("POST", "/web/v1/secure-channel/session"),
    ("PUT", "/v1/cl2c/user"),
    ("PUT", "/api/v1/auth/me/profile"),
    ("PATCH", "/userinfo"),
    ("POST", "/oauth2/token"),
    ("GET", "/healthz"),
    ("GET", "/nothing"),
];

async fn server() -> Server {
    Server::with(Database::sqlite(), &[]).await
}

/// Sends the first line of a request and its header lines, and returns the answer.
async fn ask(server: &Server, line: &str, headers: &[&str]) -> Answer {
    let mut wire = Wire::connect(server).await;
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    wire.send(format!("{line}\r\n{headers}\r\n")).await;
    wire.answer().await
}

#[tokio::test]
async fn a_request_without_a_host_is_refused_in_the_form_of_its_contract() {
    let server = server().await;
    let mut transcript = Transcript::default();
    for (method, path) in PATHS {
        let mut answer = ask(&server, &format!("{method} {path} HTTP/1.1"), &[]).await;
        answer.body = answer.body.replace(answer.header("x-request-id"), "ID");
        transcript.add(format!("{method} {path}"), &answer);
    }
    insta::assert_snapshot!(transcript, @r#"
    > GET /web/v1/system/profile
    > POST /web/v1/secure-channel/session
    400 Bad Request
    connection: close
    content-language: en
    content-type: application/json
    vary: Accept-Language

    {"success":false,"code":"4000","message":"Invalid header: Host"}

    > PUT /v1/cl2c/user
    400 Bad Request
    connection: close
    content-type: application/json

    {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"ID","errors":{"Host":["The request must name one host."]}}

    > PUT /api/v1/auth/me/profile
    400 Bad Request
    connection: close
    content-type: application/json

    {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"Host","reason":"must name one host"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}

    > PATCH /userinfo
    > POST /oauth2/token
    400 Bad Request
    cache-control: no-store
    connection: close
    content-type: application/json;charset=UTF-8

    {"error":"invalid_request","error_description":"Invalid Host header."}

    > GET /healthz
    > GET /nothing
    400 Bad Request
    connection: close
    content-type: application/problem+json

    {"status":400,"title":"Bad Request","type":"about:blank"}
    "#);
}

#[tokio::test]
async fn a_request_of_http_1_1_names_one_host_in_its_header() {
    let server = server().await;
    let get = "GET /healthz HTTP/1.1";
    for (line, headers) in [
        (get, &["Host: localhost"][..]),
        (get, &["hOST:id.example.com:8443  "]),
        (get, &["Host: [2001:db8::1]:80"]),
        (get, &["Host: my_service.default.svc"]),
        ("GET http://localhost/healthz HTTP/1.1", &["Host: localhost"]),
        // A target in absolute form replaces the host of the header.
        ("GET http://id.example.com/healthz HTTP/1.1", &["Host: localhost"]),
    ] {
        assert_eq!(ask(&server, line, headers).await.status, 200, "{line} {headers:?}");
    }
    for (line, headers) in [
        (get, &[][..]),
        (get, &["Host:"]),
        (get, &["Host: localhost", "Host: localhost"]),
        (get, &["Host: localhost", "Accept: */*", "HOST: other.example"]),
        (get, &["Host: a b"]),
        (get, &["Host: localhost, other.example"]),
        (get, &["Host: user@localhost"]),
        (get, &["Host: localhost/path"]),
        (get, &["Host: http://localhost"]),
        (get, &["Host: localhost:port"]),
        (get, &["Host: localhost:65536"]),
        (get, &["Host: [::1"]),
        (get, &["Host: h\u{f6}st"]),
        ("GET http://localhost/healthz HTTP/1.1", &[]),
        ("OPTIONS * HTTP/1.1", &[]),
    ] {
        let answer = ask(&server, line, headers).await;
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (400, "close"), "{line} {headers:?}");
    }
}

#[tokio::test]
async fn a_request_of_http_1_0_need_not_name_a_host() {
    let server = server().await;
    let get = "GET /healthz HTTP/1.0";
    for (headers, status) in [
        (&[][..], 200),
        (&["Host: localhost"], 200),
        (&["Host: localhost", "Host: localhost"], 400),
        (&["Host: a b"], 400),
    ] {
        assert_eq!(ask(&server, get, headers).await.status, status, "{headers:?}");
    }
}

/// The next request on the connection, which an intermediary may have taken for another host's, is not answered.
#[tokio::test]
async fn a_connection_ends_with_a_request_that_names_no_host() {
    let server = server().await;
    let mut wire = Wire::connect(&server).await;
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    wire.send(format!("GET /healthz HTTP/1.1\r\n\r\n{next}")).await;
    assert_eq!(wire.answer().await.status, 400);
    assert_eq!(wire.end().await, "");
}

#[tokio::test]
async fn a_request_of_http_2_names_one_host() {
    let server = server().await;
    let mut http2 = Http2::open("127.0.0.1", server.address()).await;
    for (authority, host, status) in [
        (Some("localhost"), None, 200),
        (None, Some("localhost"), 200),
        (Some("localhost"), Some("localhost"), 200),
        (Some("localhost:80"), Some("LOCALHOST"), 200),
        (Some("localhost"), Some("other.example"), 400),
        (Some("localhost"), Some("localhost:8080"), 400),
        (Some("localhost"), Some(""), 400),
        (Some("user@localhost"), None, 400),
        (None, None, 400),
    ] {
        let headers: Vec<_> = host.iter().map(|host| ("host", *host)).collect();
        let stream = http2.get_from(authority, "/healthz", &headers).await;
        let frames = http2.until(|frame| frame.begins(stream)).await;
        assert_eq!(frames.last().unwrap().status(), status, "{authority:?} {host:?}");
    }
    let stream = http2.get("/healthz", &[("host", "localhost"), ("host", "localhost")]).await;
    let frames = http2.until(|frame| frame.begins(stream)).await;
    assert_eq!(frames.last().unwrap().status(), 400);
}

//! Bodies that are refused before they are read: the client learns why, however large they are.

use std::path::Path;
use std::process::{Command, Stdio};

use selfsame::account::Field;
use serde_json::{Value, json};

use crate::support::{Database, Http2, Person, Server, Wire, patch, run, until};

const MB: usize = 1_000_000;
const MIB: usize = 1024 * 1024;
/// What a body counts that is drained, in bytes.
const DRAINED: usize = 16 * 1024;
/// The most that is drained, and the time without a byte, as short as they can be set.
const LITTLE: [(&str, &str); 2] =
    [("SELFSAME__SERVER__MAX_DRAINED_BYTES", "4194304"), ("SELFSAME__SERVER__BODY_TIMEOUT", "200ms")];

/// A request with a body that is refused unread, and the answer.
struct Refused {
    method: &'static str,
    path: &'static str,
    headers: Value,
    status: u16,
    /// A part of the answer's body.
    text: &'static str,
}

impl Refused {
    fn new(method: &'static str, path: &'static str, headers: Value, status: u16, text: &'static str) -> Refused {
        Refused { method, path, headers, status, text }
    }
}

/// Sends each request with so many bytes from the clients that a program of `tests/peers` tries, and compares the answers.
async fn send_all(server: &Server, mut command: Command, requests: &[Refused], bytes: usize) {
    let url = |path: &str| format!("http://{}{path}", server.address());
    let given = requests.iter().map(|Refused { method, path, headers, .. }| {
        json!({"method": method, "url": url(path), "headers": headers, "bytes": bytes})
    });
    command.arg(Value::from_iter(given).to_string()).stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let printed = String::from_utf8(ended.stdout).unwrap();
    let answers: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), requests.len() * 3, "{printed}");
    for (answers, refused) in answers.chunks(3).zip(requests) {
        for answer in answers {
            let body = answer["body"].as_str().unwrap_or_default();
            let is_as_expected = answer["status"] == refused.status && body.contains(refused.text);
            assert!(is_as_expected, "{} {} of {bytes} bytes: {answer}", refused.method, refused.path);
        }
    }
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(peer("large_bodies.mjs"));
    command
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.arg(peer("large_bodies.py"));
    command
}

fn peer(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// One request to each contract with a body that is larger than it takes.
fn too_large(person: &Person<'_>) -> Vec<Refused> {
    let json = "application/json";
    let bearer = |token: &str| format!("Bearer {token}");
    vec![
        Refused::new(
            "POST",
            "/web/v1/system/profile/update",
            json!({"Authorization": bearer(&person.token), "X-Client-Hash": "d1", "Content-Type": json}),
            413,
            r#"{"success":false,"code":"4130","message":"Request body is too large"}"#,
        ),
        Refused::new(
            "PUT",
            "/v1/cl2c/user",
            json!({"tenant": "demo", "X-API-Key": person.key, "Content-Type": json}),
            413,
            r#"{"messages":["Request body is too large."],"source":"API Gateway","exception":"PayloadTooLargeException","#,
        ),
        Refused::new(
            "PUT",
            "/api/v1/auth/me/profile",
            json!({"Authorization": bearer(&person.river), "Content-Type": json}),
            413,
            r#"{"success":false,"error":{"code":"PAYLOAD_TOO_LARGE","message":"Request body too large","#,
        ),
        Refused::new(
            "PATCH",
            "/userinfo",
            json!({"Authorization": bearer(&person.claims), "Content-Type": json}),
            413,
            r#"{"error":"invalid_request","error_description":"Request body is too large."}"#,
        ),
    ]
}

/// Requests that are refused for another reason.
fn refused_otherwise(person: &Person<'_>) -> Vec<Refused> {
    let bearer = format!("Bearer {}", person.river);
    vec![
        Refused::new(
            "PUT",
            "/api/v1/auth/me/profile",
            json!({"Content-Type": "application/json"}),
            401,
            "UNAUTHORIZED",
        ),
        Refused::new("POST", "/web/v1/system/nothing", json!({}), 404, "4040"),
        Refused::new("POST", "/nothing", json!({}), 404, "about:blank"),
        Refused::new("POST", "/api/v1/auth/me/profile", json!({}), 405, "METHOD_NOT_ALLOWED"),
        Refused::new(
            "PUT",
            "/api/v1/auth/me/profile",
            json!({"Authorization": bearer, "Content-Type": "image/png"}),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ]
}

/// Runs a test of one program of `tests/peers`, on the embedded database: what it tests does not depend on it.
fn with_person(settings: &'static [(&str, &str)], test: impl AsyncFnOnce(&Server, &Person<'_>)) {
    run(Database::sqlite, async |database: Database| {
        let server = Server::with(database, settings).await;
        let person = Person::new(&server, patch(&[(Field::DisplayName, "Jane")])).await;
        test(&server, &person).await;
        let settings = &server.app.config().server;
        let (unread, requests) = (settings.max_unread_bytes, settings.max_requests);
        until(async || server.app.unread_bytes().available_permits() == unread).await;
        until(async || server.app.requests().available_permits() == requests).await;
    });
}

#[test]
fn nodes_clients_read_why_a_body_of_5_20_or_60_mb_is_refused() {
    with_person(&[], async |server, person| {
        for bytes in [5 * MB, 20 * MB, 60 * MB] {
            send_all(server, node(), &too_large(person), bytes).await;
        }
    });
}

#[test]
fn pythons_clients_read_why_a_body_of_5_20_or_60_mb_is_refused() {
    with_person(&[], async |server, person| {
        for bytes in [5 * MB, 20 * MB, 60 * MB] {
            send_all(server, python(), &too_large(person), bytes).await;
        }
    });
}

#[test]
fn a_large_body_that_is_refused_for_another_reason_hides_no_answer() {
    with_person(&[], async |server, person| {
        for command in [node, python] {
            send_all(server, command(), &refused_otherwise(person), 20 * MB).await;
        }
    });
}

#[test]
fn a_large_body_beyond_the_rate_limit_hides_no_answer() {
    with_person(&[("SELFSAME__RATE_LIMIT__ADDRESS", "1")], async |server, _| {
        assert_eq!(server.request("POST", "/oauth2/token").json("{}").send().await.status, 401);
        let beyond = [Refused::new("POST", "/oauth2/token", json!({}), 429, "rate_limit_exceeded")];
        send_all(server, node(), &beyond, 20 * MB).await;
        send_all(server, python(), &beyond, 20 * MB).await;
    });
}

/// Sends the head of a request without credentials, and a part of its body.
async fn begin(wire: &mut Wire, framing: &str, begun: &str) {
    let head = "PUT /api/v1/auth/me/profile HTTP/1.1\r\nHost: localhost\r\n";
    wire.send(format!("{head}{framing}\r\n\r\n{begun}")).await;
}

#[test]
fn a_connection_goes_on_after_the_whole_body_of_a_refused_request() {
    with_person(&[], async |server, _| {
        let mut wire = Wire::connect(server).await;
        begin(&mut wire, &format!("Content-Length: {}", 5 * MIB), "{").await;
        assert_eq!(wire.answer().await.status, 401);
        assert!(wire.try_send(5 * MIB - 1).await);
        wire.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(wire.answer().await.body, "ok");
    });
}

#[test]
fn a_client_that_sends_for_ever_is_cut_off() {
    with_person(&LITTLE, async |server, _| {
        let mut wire = Wire::connect(server).await;
        begin(&mut wire, "Transfer-Encoding: chunked", "").await;
        let answer = wire.answer().await;
        assert_eq!((answer.status.as_u16(), answer.header("connection")), (401, "close"));
        let chunk = format!("{MIB:x}\r\n{}\r\n", " ".repeat(MIB));
        wire.send_until_cut(chunk.as_bytes()).await;
    });
}

#[test]
fn a_body_that_is_not_drained_to_its_end_is_announced_to_close_its_connection() {
    with_person(&LITTLE, async |server, _| {
        for (length, close) in [(4 * MIB, ""), (4 * MIB + 1, "close")] {
            let mut wire = Wire::connect(server).await;
            begin(&mut wire, &format!("Content-Length: {length}"), "").await;
            assert_eq!(wire.answer().await.header("connection"), close, "{length}");
        }
    });
}

#[test]
fn a_client_that_stops_sending_or_sends_slowly_is_cut_off() {
    const SLOW: [(&str, &str); 2] =
        [("SELFSAME__SERVER__BODY_TIMEOUT", "200ms"), ("SELFSAME__SERVER__MIN_BODY_RATE", "1000000000")];
    with_person(&SLOW, async |server, _| {
        let mut silent = Wire::connect(server).await;
        begin(&mut silent, "Content-Length: 1000", "{").await;
        assert_eq!(silent.answer().await.status, 401);
        let mut slow = Wire::connect(server).await;
        begin(&mut slow, "Transfer-Encoding: chunked", "").await;
        assert_eq!(slow.answer().await.status, 401);
        // A byte at a time: this test ends only when the server ends the connection.
        slow.send_until_cut(b"1\r\n \r\n").await;
        assert_eq!(silent.end().await, "");
    });
}

/// A connection is idle after `server.header_timeout`, but not while a body is drained that comes fast enough.
#[test]
fn a_body_that_takes_long_is_drained_beyond_the_time_of_an_idle_connection() {
    const SHORT: [(&str, &str); 2] =
        [("SELFSAME__SERVER__HEADER_TIMEOUT", "100ms"), ("SELFSAME__SERVER__WRITE_TIMEOUT", "100ms")];
    with_person(&SHORT, async |server, _| {
        let mut idle = Wire::connect(server).await;
        let mut wire = Wire::connect(server).await;
        begin(&mut wire, "Content-Length: 10", "{").await;
        assert_eq!(wire.answer().await.status, 401);
        // By the time that idle connections have ended one after the other, this one would have ended with the first.
        for _ in 0..8 {
            idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
            assert_eq!(idle.answer().await.status, 200);
            idle.end().await;
            idle = Wire::connect(server).await;
        }
        wire.send("123456789").await;
        wire.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(wire.answer_or_end().await.map(|answer| answer.body), Some("ok".to_owned()));
    });
}

#[test]
fn many_drained_bodies_leave_others_served() {
    with_person(&[("SELFSAME__SERVER__BODY_TIMEOUT", "30s")], async |server, person| {
        let mut drained = Vec::new();
        for network in 2..6 {
            for _ in 0..128 {
                let mut wire = Wire::open_from(&format!("127.0.0.{network}"), server.address()).await;
                begin(&mut wire, &format!("Content-Length: {}", 60 * MB), "{").await;
                drained.push(wire);
            }
        }
        for wire in &mut drained {
            assert_eq!(wire.answer().await.status, 401);
        }
        let settings = &server.app.config().server;
        let left = settings.max_unread_bytes - 512 * DRAINED;
        until(async || server.app.unread_bytes().available_permits() == left).await;
        assert_eq!(server.app.requests().available_permits(), settings.max_requests);
        assert_eq!(person.write(crate::support::Side::RiverGen, "display_name", "June").await.status, 200);
        let mut same = Wire::open_from("127.0.0.2", server.address()).await;
        same.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(same.answer().await.status, 200);
    });
}

/// A body that finds no place is not drained, and the request is answered all the same.
#[test]
fn beyond_the_bytes_of_unread_bodies_nothing_is_drained() {
    // A body that is drained keeps its connection longer than this test waits.
    const FEW: [(&str, &str); 3] = [
        ("SELFSAME__SERVER__BODY_TIMEOUT", "60s"),
        ("SELFSAME__SERVER__MAX_UNREAD_BYTES", "4194304"),
        ("SELFSAME__SERVER__MAX_NETWORK_UNREAD_BYTES", "4194304"),
    ];
    with_person(&FEW, async |server, _| {
        let taken = server.app.unread_bytes().take(None, 4 * MIB).unwrap();
        let mut wire = Wire::connect(server).await;
        begin(&mut wire, "Content-Length: 1000", "{").await;
        assert_eq!(wire.answer().await.status, 401);
        assert_eq!(wire.end().await, "");
        drop(taken);
    });
}

/// HTTP/2 ends the stream of a refused request, and its connection goes on.
#[test]
fn a_refused_body_ends_no_connection_of_http_2() {
    with_person(&[], async |server, _| {
        let mut http2 = Http2::open("127.0.0.1", server.address()).await;
        let headers = [("content-type", "application/json"), ("content-length", "60000000")];
        let refused = http2.announce("PUT", "/api/v1/auth/me/profile", &headers).await;
        http2.until(|frame| frame.ends(refused)).await;
        let next = http2.get("/healthz", &[]).await;
        http2.until(|frame| frame.ends(next)).await;
    });
}

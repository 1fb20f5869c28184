//! Every 5xx response has one line in the log, with its cause and the identifiers of the request and the error.

use metrics_exporter_prometheus::PrometheusBuilder;
use selfsame::account::Patch;
use selfsame::serve::Listeners;
use serde_json::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::applications::basic;
use crate::support::postgres::Cluster;
use crate::support::{Answer, Database, Log, Person, Request, Server, Wire};

const CHANGE: &str = "/web/v1/system/profile/update";
/// The path of a picture that does not exist.
const PICTURE: &str = "/pictures/0123456789abcdef0123456789abcdef.png";

type Named = (&'static str, Request);

/// A person's requests to every path that shows or changes their account.
fn of_person(person: &Person<'_>) -> Vec<Named> {
    let request = |method, path: &str, token: &str| person.server.request(method, path).bearer(token);
    let system = |method, path| request(method, path, &person.token).header("X-Client-Hash", "d1");
    let back_end = |method, path: &str| {
        person.server.request(method, path).header("tenant", "demo").header("X-API-Key", &person.key)
    };
    let user = format!("/v1/cl2c/users/{}", person.account.id);
    vec![
        ("system-read", system("GET", "/web/v1/system/profile")),
        ("system-change", system("POST", CHANGE).json(r#"{"accountName":"Jane"}"#)),
        ("cl2c-read", back_end("GET", &user)),
        ("cl2c-change", back_end("PUT", "/v1/cl2c/user").json(r#"{"firstName":"Jane","lastName":"Roe"}"#)),
        ("rivergen-read", request("GET", "/api/v1/auth/me", &person.river)),
        (
            "rivergen-change",
            request("PUT", "/api/v1/auth/me/profile", &person.river).json(r#"{"display_name":"Jane"}"#),
        ),
        ("ciam-read", request("GET", "/userinfo", &person.claims)),
        ("ciam-change", request("PATCH", "/userinfo", &person.claims).json(r#"{"name":"Jane"}"#)),
        ("me", request("GET", "/me/schema", &person.token)),
    ]
}

/// An application's requests.
fn of_application(person: &Person<'_>) -> Vec<Named> {
    let request = |path| person.client.authenticated(person.server.request("POST", path));
    vec![
        ("code", request("/otp/send").json(r#"{"email":"jane@example.com"}"#)),
        ("token", request("/oauth2/token").json(r#"{"grant_type":"client_credentials"}"#)),
        ("revocation", request("/oauth2/revoke").json(r#"{"token":"none"}"#)),
    ]
}

/// Requests for the published keys.
fn for_keys(server: &Server) -> Vec<Named> {
    vec![
        ("keys", server.request("GET", "/.well-known/jwks.json")),
        ("keys-of-applications", server.request("GET", "/oauth2/jwks")),
        ("channel-key", server.request("GET", "/web/v1/secure-channel/public-key")),
        ("channel-keys", server.request("GET", "/web/v1/secure-channel/jwks.json")),
    ]
}

/// Sends each request, and checks that its response has `status` and that its one log line has a cause with this text.
async fn fail(requests: Vec<Named>, status: u16, cause: &str) {
    for (name, request) in requests {
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{name}: {answer}");
        let line = line_of(name, &answer);
        assert_eq!(line["level"], if status == 503 { "WARN" } else { "ERROR" }, "{name}: {line}");
        assert!(line["cause"].as_str().unwrap().contains(cause), "{name}: {line}");
        assert_is_named(name, &answer, &line);
    }
}

/// Returns the request's one log line with a cause.
fn line_of(request: &str, answer: &Answer) -> Value {
    let mut lines = Log::of_this_test().lines();
    lines.retain(|line| line["span"]["id"] == answer.header("x-request-id") && line["cause"].is_string());
    assert_eq!(lines.len(), 1, "{request}: {lines:?}");
    lines.remove(0)
}

/// Checks that an error has the same identifier in the log and in a response that shows it.
fn assert_is_named(request: &str, answer: &Answer, line: &Value) {
    let error_id = line["error_id"].as_str().unwrap();
    assert!(error_id.parse::<Uuid>().is_ok(), "{request}: {line}");
    if request.starts_with("cl2c") {
        assert_eq!(answer.json()["errorId"], format!("error-{error_id}"));
    }
}

on_both_databases!(
    async fn a_row_that_cannot_be_read_is_logged_with_its_cause(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        server.database().execute("UPDATE account SET personal_key = 99").await;
        fail(of_person(&person), 500, "personal_key: ").await;
    }
);

on_both_databases!(
    async fn a_missing_table_is_logged_with_its_name(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        server.database().execute("DROP TABLE application").await;
        fail(of_application(&person), 500, "application").await;
    }
);

on_both_databases!(
    async fn a_missing_table_of_keys_is_logged_with_its_name(server: Server) {
        server.database().execute("DROP TABLE signing_key; DROP TABLE channel_key").await;
        fail(for_keys(&server), 500, "_key").await;
    }
);

#[test]
fn an_unreachable_database_is_logged_with_its_cause() {
    crate::support::run(Database::sqlite, async |_: Database| {
        let cluster = Cluster::durable();
        let server = Server::with(Database::in_cluster(&cluster), &[]).await;
        let person = Person::new(&server, Patch::default()).await;
        let operator = operator(&server).await;
        // A server without cached keys.
        let fresh = Server::with(Database::in_cluster(&cluster), &[]).await;
        cluster.stop();
        fail(of_person(&person), 503, "connect").await;
        fail(of_application(&person), 503, "connect").await;
        fail(for_keys(&fresh), 503, "connect").await;
        fail(vec![("ready", server.request("GET", "/readyz"))], 503, "connect").await;

        // The operators' listener logs no request identifier.
        assert_eq!(reqwest::get(format!("http://{operator}/readyz")).await.unwrap().status(), 503);
        let mut lines = Log::of_this_test().lines();
        lines.retain(|line| line["span"].is_null() && line["cause"].is_string());
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(line["cause"].as_str().unwrap().contains("connect") && line["error_id"].is_string(), "{line}");
    });
}

/// Starts another server of the same installation and returns the address of its operators' listener.
async fn operator(server: &Server) -> std::net::SocketAddr {
    let contracts = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let hosts = selfsame::serve::Hosts::Any;
    let listeners = Listeners { contracts, hosts, tls: None, operator: Some((listener, metrics)) };
    tokio::spawn(selfsame::serve::run(server.app.clone(), listeners, std::future::pending()));
    address
}

on_both_databases!(
    async fn a_picture_folder_that_cannot_be_used_is_logged_with_its_cause(server: Server) {
        std::fs::write(server.app.config().pictures_folder(), "no folder").unwrap();
        server.person(&[]).await;
        let name = PICTURE.trim_start_matches("/pictures/");
        let row = format!("INSERT INTO stored_picture SELECT id, '{name}', 'shown', 0 FROM account");
        server.database().execute(&row).await;
        fail(vec![("picture", server.request("GET", PICTURE))], 503, "exists").await;
    }
);

on_both_databases!(
    async fn a_request_beyond_the_limit_in_flight_is_logged_with_its_cause(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        let requests = server.app.requests();
        let _taken = requests.take(None, requests.available_permits()).ok().unwrap();
        let full = "too many requests are in flight";
        fail(of_person(&person), 503, full).await;
        fail(of_application(&person), 503, full).await;
        let elsewhere = vec![
            ("channel-key", server.request("GET", "/web/v1/secure-channel/public-key")),
            ("keys-of-applications", server.request("GET", "/oauth2/jwks")),
            ("keys", server.request("GET", "/.well-known/jwks.json")),
            ("picture", server.request("GET", PICTURE)),
        ];
        fail(elsewhere, 503, full).await;
    }
);

on_both_databases!(
    async fn a_request_that_takes_too_long_is_logged_with_its_cause(database: Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__REQUEST_TIMEOUT", "200ms")]).await;
        let person = Person::new(&server, Patch::default()).await;
        let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
        let application = basic(&person.client.application.id, person.client.secret.as_deref().unwrap_or_default());
        let application = format!("Authorization: {application}\r\n");
        let begun = [
            ("system", "POST", CHANGE, bearer(&person.token) + "X-Client-Hash: d1\r\n"),
            ("cl2c", "PUT", "/v1/cl2c/user", format!("tenant: demo\r\nX-API-Key: {}\r\n", person.key)),
            ("rivergen", "PUT", "/api/v1/auth/me/profile", bearer(&person.river)),
            ("ciam", "PATCH", "/userinfo", bearer(&person.claims)),
            ("code", "POST", "/otp/send", application.clone()),
            ("token", "POST", "/oauth2/token", application),
        ];
        for (name, method, path, headers) in begun {
            let mut wire = Wire::connect(&server).await;
            let length = "Content-Type: application/json\r\nContent-Length: 100\r\n";
            let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}");
            wire.send(format!("{head}{headers}\r\n{{")).await;
            let answer = wire.answer().await;
            assert_eq!(answer.status, 503, "{name}: {answer}");
            let line = line_of(name, &answer);
            assert_eq!((&line["level"], &line["cause"]), (&"WARN".into(), &"deadline has elapsed".into()), "{name}");
            assert_is_named(name, &answer, &line);
        }
    }
);

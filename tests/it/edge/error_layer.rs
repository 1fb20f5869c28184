//! Every failure below a contract's routes is rendered as the contract's response.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body_util::BodyExt as _;
use selfsame::account::{Cause, Contract, Error, RequestFault};
use selfsame::http::body::json;
use selfsame::http::{ErrorContext, with_error_layer};
use serde::ser::{Error as _, Serialize, Serializer};
use tower::ServiceExt as _;

use super::{person, server_with};
use crate::support::{Database, Log, Server};

/// A value that serde cannot serialize.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("it has no form"))
    }
}

/// An `ErrorRenderer` for routes outside every contract.
fn render_error(error: &Error, _: &ErrorContext) -> Response {
    let (status, words) = match error {
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "our fault"),
        Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "not now"),
        Error::Request(RequestFault::BodyTooSlow) => (StatusCode::REQUEST_TIMEOUT, "too slow"),
        Error::Request(RequestFault::NotFound) => (StatusCode::NOT_FOUND, "not here"),
        // An error that cannot occur here; every contract has such errors.
        Error::PictureUnusable => (StatusCode::INTERNAL_SERVER_ERROR, "our fault"),
        // A response that cannot be serialized.
        Error::AddressUnchanged => return (StatusCode::BAD_REQUEST, json(&Unwritable)).into_response(),
        other => panic!("nothing here fails like this: {other:?}"),
    };
    (status, words).into_response()
}

async fn ask(server: &Server, path: &str) -> (u16, String, Response) {
    let routes = Router::new()
        .route("/panic", get(async || -> Response { panic!("provoked by a test") }))
        .route("/internal", get(async || Error::Internal(Cause::new("jane@example.com"))))
        .route("/unavailable", get(async || Error::Unavailable(Cause::new("jane@example.com"))))
        .route("/unexpected", get(async || Error::PictureUnusable))
        .route("/unwritable", get(async || (StatusCode::OK, [("x-said", "yes")], json(&Unwritable))))
        .route("/wordless", get(async || Error::AddressUnchanged))
        .route("/by-itself", get(async || StatusCode::BAD_GATEWAY))
        .route("/slow", get(async || Error::Request(RequestFault::BodyTooSlow)));
    let routes = with_error_layer(routes, &server.app, "test", render_error).with_state(server.app.clone());
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let (head, body) = routes.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (head.status.as_u16(), text, Response::from_parts(head, Body::empty()))
}

#[tokio::test]
async fn a_panic_is_an_internal_error_of_the_contract() {
    let server = server_with(&[]).await;
    let (status, words, _) = ask(&server, "/panic").await;
    assert_eq!((status, words.as_str()), (500, "our fault"));
    // The panicked request no longer counts as in flight.
    let places = server.app.requests().available_permits();
    assert_eq!(places, server.app.config().server.max_requests);
}

#[tokio::test]
async fn the_cause_of_an_error_is_never_sent_to_the_client() {
    let server = server_with(&[]).await;
    for (path, said) in [("/internal", (500, "our fault")), ("/unavailable", (503, "not now"))] {
        let (status, words, _) = ask(&server, path).await;
        assert_eq!((status, words.as_str()), said);
    }
}

/// The logged cause is never the text of a panic, which may be personal.
#[test]
fn each_failure_is_one_response_of_the_contract_and_one_line_with_its_cause() {
    crate::support::run(Database::sqlite, async |server: Server| {
        let failures = [
            ("/panic", "a handler panicked"),
            ("/internal", "jane@example.com"),
            ("/unavailable", "jane@example.com"),
            ("/unexpected", "not expected here: the picture cannot be used"),
            ("/unwritable", "it has no form"),
            (
                "/wordless",
                "the new address is the present one; its answer was not written: internal error: it has no form",
            ),
            ("/by-itself", "a handler answered 502 Bad Gateway without an error"),
        ];
        for (number, (path, cause)) in failures.into_iter().enumerate() {
            let (status, words, response) = ask(&server, path).await;
            let (said, level) = match path {
                "/unavailable" => ((503, "not now"), "WARN"),
                _ => ((500, "our fault"), "ERROR"),
            };
            assert_eq!((status, words.as_str()), said, "{path}");
            assert!(!response.headers().contains_key("x-said"), "{path}");
            let mut lines = Log::of_this_test().lines();
            assert_eq!(lines.len(), number + 1, "{path}: {lines:?}");
            let line = lines.remove(number);
            assert_eq!((&line["level"], &line["cause"]), (&level.into(), &cause.into()), "{path}");
            assert!(line["error_id"].is_string(), "{path}: {line}");
        }
    });
}

#[tokio::test]
async fn a_temporary_refusal_has_a_retry_after_header() {
    let server = server_with(&[]).await;
    assert_eq!(ask(&server, "/unavailable").await.2.headers()["retry-after"], "1");
    assert!(!ask(&server, "/internal").await.2.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn the_rest_of_a_body_is_not_read_as_the_next_request() {
    let server = server_with(&[]).await;
    assert_eq!(ask(&server, "/slow").await.2.headers()["connection"], "close");
    assert!(!ask(&server, "/internal").await.2.headers().contains_key("connection"));
}

#[tokio::test]
async fn an_unknown_path_below_a_contract_is_an_error_of_the_contract() {
    let server = server_with(&[]).await;
    let (status, words, _) = ask(&server, "/unknown").await;
    assert_eq!((status, words.as_str()), (404, "not here"));
}

#[tokio::test]
async fn a_damaged_database_is_an_internal_error_without_details() {
    let server = server_with(&[]).await;
    let (account, _) = person(&server).await;
    let token = server.token(&account, Contract::System).await;
    let file = server.database().url().strip_prefix("sqlite:").unwrap();
    let behind = rusqlite::Connection::open(file).unwrap();
    behind.execute_batch("DROP TABLE account; DROP TABLE signing_key").unwrap();
    let profile = server.request("GET", "/web/v1/system/profile").bearer(&token).send().await;
    insta::assert_snapshot!(profile, @r#"
    500 Internal Server Error
    content-language: en
    content-type: application/json
    vary: Accept-Language

    {"success":false,"code":"5000","message":"INTERNAL_SERVER_ERROR"}
    "#);
}

#[tokio::test]
async fn outside_the_contracts_an_internal_error_is_a_problem_document() {
    let server = server_with(&[]).await;
    let file = server.database().url().strip_prefix("sqlite:").unwrap();
    rusqlite::Connection::open(file).unwrap().execute_batch("DROP TABLE signing_key").unwrap();
    let keys = server.request("GET", "/.well-known/jwks.json").send().await;
    insta::assert_snapshot!(keys, @r#"
    500 Internal Server Error
    content-type: application/problem+json

    {"status":500,"title":"Internal Server Error","type":"about:blank"}
    "#);
}

//! Handling common to all requests, and paths outside every contract.

use crate::support::Server;

const PROFILE: &str = "/web/v1/system/profile";

on_both_databases!(
    async fn every_response_has_a_request_id_and_forbids_sniffing(server: Server) {
        for (method, path, status) in [
            ("GET", "/healthz", 200),
            ("HEAD", "/healthz", 200),
            ("OPTIONS", "/healthz", 204),
            ("POST", "/healthz", 405),
            ("GET", "/readyz", 200),
            ("GET", "/.well-known/jwks.json", 200),
            ("GET", "/", 404),
            ("GET", "/no/such/path", 404),
            ("GET", PROFILE, 401),
            ("OPTIONS", PROFILE, 204),
            ("DELETE", PROFILE, 405),
            ("GET", "/web/v1/system/nothing", 404),
        ] {
            let answer = server.request(method, path).send().await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{method} {path}");
            assert!(answer.header("x-request-id").parse::<uuid::Uuid>().is_ok(), "{method} {path}");
        }
    }
);

#[tokio::test]
async fn two_requests_have_different_ids() {
    let server = super::server_with(&[]).await;
    let first = server.request("GET", "/healthz").send().await;
    let second = server.request("GET", "/healthz").send().await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn an_unknown_path_outside_the_contracts_is_answered_with_a_problem_document() {
    let server = super::server_with(&[]).await;
    let answer = server.request("GET", "/no/such/path").send().await;
    insta::assert_snapshot!(answer, @r#"
    404 Not Found
    content-type: application/problem+json

    {"status":404,"title":"Not Found","type":"about:blank"}
    "#);
}

#[tokio::test]
async fn an_unsupported_method_outside_the_contracts_is_answered_with_a_problem_document() {
    let server = super::server_with(&[]).await;
    let answer = server.request("DELETE", "/healthz").send().await;
    insta::assert_snapshot!(answer, @r#"
    405 Method Not Allowed
    allow: GET, HEAD, OPTIONS
    content-type: application/problem+json

    {"status":405,"title":"Method Not Allowed","type":"about:blank"}
    "#);
}

#[tokio::test]
async fn options_names_the_methods() {
    let server = super::server_with(&[]).await;
    let answer = server.request("OPTIONS", "/healthz").send().await;
    insta::assert_snapshot!(answer, @"
    204 No Content
    allow: GET, HEAD, OPTIONS
    ");
}

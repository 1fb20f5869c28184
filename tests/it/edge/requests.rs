//! Handling common to all requests, and paths outside every contract.

use crate::support::{Answer, Server};

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
async fn a_request_id_of_unreserved_characters_is_kept() {
    let server = super::server_with(&[]).await;
    for id in ["a", "AZaz09-._~", "550e8400-e29b-41d4-a716-446655440000", &"x".repeat(128)] {
        assert_eq!(named(&server, id).await.header("x-request-id"), id);
    }
}

#[tokio::test]
async fn any_other_request_id_is_replaced() {
    let server = super::server_with(&[]).await;
    for id in ["", " ", "a b", "a/b", "a\"b", "a%20b", "a\tb", "ä", &"x".repeat(129)] {
        let answer = named(&server, id).await;
        assert!(answer.header("x-request-id").parse::<uuid::Uuid>().is_ok(), "{id:?}: {answer}");
        assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1);
    }
}

async fn named(server: &Server, id: &str) -> Answer {
    server.request("GET", "/healthz").header("X-Request-Id", id).send().await
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

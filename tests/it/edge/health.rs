//! Health, readiness and the published keys.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::account::{Contract, Error};

use tokio::task::JoinSet;

use super::person;
use crate::support::Wire;
use crate::support::postgres::Cluster;
use crate::support::{Database, Server, until};

on_both_databases!(
    async fn the_server_is_healthy_and_ready(server: Server) {
        let (alive, ready) =
            (server.request("GET", "/healthz").send().await, server.request("GET", "/readyz").send().await);
        insta::assert_snapshot!(alive, @"
        200 OK
        content-type: text/plain; charset=utf-8

        ok
        ");
        insta::assert_snapshot!(ready, @"
        200 OK
        content-type: text/plain; charset=utf-8

        ready
        ");
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_and_contracts_depend_on_the_database_and_health_does_not() {
    let cluster = Cluster::durable();
    let server = Server::with(Database::in_cluster(&cluster), &[]).await;
    let (account, _) = person(&server).await;
    let token = server.token(&account, Contract::System).await;
    let profile = || server.request("GET", "/web/v1/system/profile").bearer(&token).header("X-Client-Hash", "client");
    assert_eq!(profile().send().await.status, 200);

    cluster.stop();
    let ready = server.request("GET", "/readyz").send().await;
    insta::assert_snapshot!(ready, @r#"
    503 Service Unavailable
    content-type: application/problem+json
    retry-after: 1

    {"status":503,"title":"Service Unavailable","type":"about:blank"}
    "#);
    insta::assert_snapshot!(profile().send().await, @r#"
    503 Service Unavailable
    content-language: en
    content-type: application/json
    retry-after: 1
    vary: Accept-Language

    {"success":false,"code":"5030","message":"Service temporarily unavailable"}
    "#);
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);

    cluster.start();
    server.pass(Duration::from_secs(1));
    assert_eq!(server.request("GET", "/readyz").send().await.status, 200);
    assert_eq!(profile().send().await.status, 200);
}

/// A frozen database accepts connections without responding, like an overloaded one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_is_not_waited_for_longer_than_a_statement_may_take() {
    let cluster = Cluster::durable();
    let settings = [("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "1s"), ("SELFSAME__DATABASE__WAIT_TIMEOUT", "1s")];
    let server = Server::with(Database::in_cluster(&cluster), &settings).await;
    cluster.freeze();
    let ready = tokio::time::timeout(Duration::from_secs(10), server.request("GET", "/readyz").send()).await;
    cluster.thaw();
    assert_eq!(ready.expect("an answer within the statement's time").status, 503);
    // On a busy machine, the database's first responses may exceed their limit of one second.
    until(async || {
        server.pass(Duration::from_secs(1));
        server.request("GET", "/readyz").send().await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_asks_the_database_at_most_once_a_second() {
    let cluster = Cluster::durable();
    let server = Server::with(Database::in_cluster(&cluster), &[]).await;
    let ready = async || server.request("GET", "/readyz").send().await.status.as_u16();
    assert_eq!(ready().await, 200);
    cluster.stop();
    server.pass(Duration::from_millis(999));
    assert_eq!(ready().await, 200);
    server.pass(Duration::from_millis(1));
    assert_eq!(ready().await, 503);
    cluster.start();
    server.pass(Duration::from_millis(999));
    assert_eq!(ready().await, 503);
    server.pass(Duration::from_millis(1));
    assert_eq!(ready().await, 200);
}

/// Readiness requests that arrive while the database is asked wait for that answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_database_is_asked_for_all_readiness_requests_at_once() {
    let cluster = Cluster::durable();
    let settings = [("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "1s"), ("SELFSAME__DATABASE__WAIT_TIMEOUT", "1s")];
    let server = Server::with(Database::in_cluster(&cluster), &settings).await;
    cluster.freeze();
    let asking: JoinSet<_> = (0..50).map(|_| server.request("GET", "/readyz").send()).collect();
    let answers = tokio::time::timeout(Duration::from_secs(10), asking.join_all()).await;
    cluster.thaw();
    let answers = answers.expect("all wait for one answer");
    assert!(answers.iter().all(|answer| answer.status == 503));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_readiness_request_beyond_those_that_may_wait_gets_the_last_answer() {
    let cluster = Cluster::durable();
    let settings = [
        ("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "3s"),
        ("SELFSAME__DATABASE__WAIT_TIMEOUT", "3s"),
        ("SELFSAME__SERVER__HEALTH_REQUESTS", "1"),
    ];
    let server = Server::with(Database::in_cluster(&cluster), &settings).await;
    assert_eq!(server.request("GET", "/readyz").send().await.status, 200);
    server.pass(Duration::from_secs(1));
    cluster.freeze();
    let asking: JoinSet<_> = (0..5).map(|_| server.request("GET", "/readyz").send()).collect();
    let answers = tokio::time::timeout(Duration::from_secs(10), asking.join_all()).await;
    cluster.thaw();
    let answers = answers.expect("the others wait for nothing");
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 503]);
}

#[tokio::test]
async fn a_server_at_its_limit_of_requests_is_healthy_and_ready() {
    let server = super::server_with(&[("SELFSAME__SERVER__MAX_REQUESTS", "1")]).await;
    let (_, head) = person(&server).await;
    let mut held = Wire::open(server.address()).await;
    let begin = format!(
        "POST /web/v1/system/profile/update HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 2\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    held.send(begin).await;
    assert_eq!(held.answer().await.status, 100);
    assert_eq!(server.request("GET", "/web/v1/system/profile").send().await.status, 503, "the place is not taken");
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);
    assert_eq!(server.request("GET", "/readyz").send().await.status, 200);
}

on_both_databases!(
    async fn the_published_keys_are_public_and_named_by_their_thumbprint(server: Server) {
        let answer = server.request("GET", "/.well-known/jwks.json").send().await;
        let published = answer.json();
        let key = &published["keys"][0];
        let (id, x) = (key["kid"].as_str().unwrap(), key["x"].as_str().unwrap());
        // RFC 7638 §3: the required members, which RFC 8037 §2 lists, in the order of their names, without spaces.
        let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let thumbprint = digest::digest(&digest::SHA256, thumbprint.as_bytes());
        assert_eq!(id, URL_SAFE_NO_PAD.encode(thumbprint.as_ref()));
        assert_eq!(URL_SAFE_NO_PAD.decode(x).unwrap().len(), 32);
        insta::assert_snapshot!(answer.to_string().replace(id, "KID").replace(x, "X"), @r#"
        200 OK
        cache-control: public, max-age=60
        content-type: application/jwk-set+json

        {"keys":[{"alg":"EdDSA","crv":"Ed25519","kid":"KID","kty":"OKP","use":"sig","x":"X"}]}
        "#);
    }
);

on_both_databases!(
    async fn after_a_rotation_both_keys_are_published_and_verify(server: Server) {
        let (account, _) = person(&server).await;
        let old = server.token(&account, Contract::System).await;
        server.pass(Duration::from_secs(1));
        let new_key = server.app.issuer().rotate().await.unwrap();
        let new = server.token(&account, Contract::System).await;

        let published = server.request("GET", "/.well-known/jwks.json").send().await.json();
        let ids: Vec<&str> = published["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap()).collect();
        assert_eq!(ids, [key_of(&old), new_key.clone()]);
        assert_eq!(key_of(&new), new_key);
        for token in [old, new] {
            let request = server.request("GET", "/web/v1/system/profile").bearer(&token);
            assert_eq!(request.header("X-Client-Hash", "client").send().await.status, 200);
        }
    }
);

/// The `kid` in a token's header.
fn key_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

on_both_databases!(
    async fn the_database_answers_a_ping(server: Server) {
        let answered: Result<(), Error> = server.app.store().ping().await;
        assert!(answered.is_ok());
    }
);

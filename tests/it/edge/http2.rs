//! HTTP/2 with prior knowledge (RFC 9113 §3.3), as proxies use it.

use reqwest::Version;

#[tokio::test]
async fn http_2_is_used_when_the_client_begins_with_it() {
    let server = super::server_with(&[]).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let answer = client.get(format!("http://{}/healthz", server.address())).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers().contains_key("x-request-id"));
    assert_eq!(answer.text().await.unwrap(), "ok");
}

#[tokio::test]
async fn a_body_without_a_length_does_not_end_a_connection_in_http_2() {
    let server = super::server_with(&[]).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/healthz", server.address());
    let answer = client.get(url).send().await.unwrap();
    assert!(!answer.headers().contains_key("connection"));
}

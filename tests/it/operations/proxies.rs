//! The client's address behind proxies, as the history records it.

use super::{Person, UPDATE, server_with};
use crate::support::Server;

const PROXIES: &str = "SELFSAME__SERVER__TRUSTED_PROXIES";

#[tokio::test]
async fn a_client_that_is_not_a_trusted_proxy_is_recorded_with_its_own_address() {
    for settings in [[].as_slice(), &[(PROXIES, "10.0.0.0/8, 192.0.2.1")]] {
        let server = server_with(settings).await;
        assert_eq!(recorded(&server, "X-Forwarded-For", "203.0.113.1").await, "127.0.0.1");
        assert_eq!(recorded(&server, "Forwarded", "for=203.0.113.1").await, "127.0.0.1");
    }
}

#[tokio::test]
async fn the_address_that_a_trusted_proxy_adds_is_used_and_not_one_that_its_client_sent() {
    let server = server_with(&[(PROXIES, "127.0.0.0/8, 10.0.0.1")]).await;
    assert_eq!(recorded(&server, "X-Forwarded-For", "203.0.113.1").await, "203.0.113.1");
    assert_eq!(recorded(&server, "X-Forwarded-For", "198.51.100.1, 203.0.113.1, 10.0.0.1").await, "203.0.113.1");
    assert_eq!(recorded(&server, "X-Forwarded-For", "2001:db8::1").await, "2001:db8::1");
    assert_eq!(recorded(&server, "X-Forwarded-For", "somebody").await, "127.0.0.1");
    assert_eq!(recorded(&server, "Forwarded", "for=203.0.113.1").await, "127.0.0.1");
}

#[tokio::test]
async fn a_proxy_that_writes_forwarded_is_believed_only_in_that_header() {
    let server = server_with(&[(PROXIES, "127.0.0.1"), ("SELFSAME__SERVER__FORWARDING_HEADER", "forwarded")]).await;
    assert_eq!(recorded(&server, "Forwarded", r#"for="[2001:db8::1]:4711";proto=https"#).await, "2001:db8::1");
    assert_eq!(recorded(&server, "Forwarded", "for=198.51.100.1, for=203.0.113.1").await, "203.0.113.1");
    assert_eq!(recorded(&server, "X-Forwarded-For", "203.0.113.1").await, "127.0.0.1");
}

/// Sends a change with a header and returns the address that the history records for it.
async fn recorded(server: &Server, header: &str, value: &str) -> String {
    let person = Person::new(server).await;
    let change = person.request("POST", UPDATE).json(r#"{"accountName":"Jane"}"#);
    assert_eq!(change.header(header, value).send().await.status, 200);
    let entries = server.app.store().history(person.account.id, 1, 10).await.unwrap();
    let payload = server.app.profiles().payload(entries.last().unwrap()).unwrap().to_text();
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    payload["source_address"].as_str().unwrap().to_owned()
}

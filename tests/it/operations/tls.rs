//! TLS in the server.

use std::fs;
use std::time::Duration;

use reqwest::Version;
use selfsame::serve::Tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::server_with;
use crate::support::{Certificate, Installation, Server, until};

const CERTIFICATE: &str = "SELFSAME__SERVER__TLS_CERTIFICATE";
const KEY: &str = "SELFSAME__SERVER__TLS_PRIVATE_KEY";
/// Time limit for the end of a connection.
const LIMIT: Duration = Duration::from_secs(20);

async fn server(certificate: &Certificate) -> Server {
    let settings = [
        (CERTIFICATE, &*certificate.certificate()),
        (KEY, &*certificate.key()),
        ("SELFSAME__SERVER__HEADER_TIMEOUT", "300ms"),
    ];
    server_with(&settings).await
}

#[tokio::test]
async fn http_1_1_and_http_2_are_agreed_upon_in_the_handshake() {
    let certificate = Certificate::new();
    let server = server(&certificate).await;
    let url = format!("https://{}/healthz", server.address());
    for (client, version) in
        [(certificate.client(), Version::HTTP_2), (certificate.client().http1_only(), Version::HTTP_11)]
    {
        let answer = client.build().unwrap().get(&url).send().await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (version, 200));
        assert_eq!(answer.text().await.unwrap(), "ok");
    }
    assert_eq!(server.app.public_url(), format!("https://{}", server.address()));
}

#[tokio::test]
async fn browsers_that_used_tls_must_use_it_for_the_time_that_is_set() {
    const HSTS: &str = "strict-transport-security";
    let certificate = Certificate::new();
    for (setting, value) in [(None, Some("max-age=31536000")), (Some("1h"), Some("max-age=3600")), (Some("0s"), None)] {
        let (pem, key) = (certificate.certificate(), certificate.key());
        let mut settings = vec![(CERTIFICATE, &*pem), (KEY, &*key)];
        settings.extend(setting.map(|setting| ("SELFSAME__SERVER__HSTS_MAX_AGE", setting)));
        let server = server_with(&settings).await;
        let client = certificate.client().build().unwrap();
        for path in ["/healthz", "/nothing", "/web/v1/system/profile", "/userinfo"] {
            let answer = client.get(format!("https://{}{path}", server.address())).send().await.unwrap();
            let sent: Vec<_> = answer.headers().get_all(HSTS).iter().map(|line| line.to_str().unwrap()).collect();
            assert_eq!(sent, value.as_slice(), "{path} {setting:?}");
        }
    }
    // Over plain HTTP it must not be sent (RFC 6797 §7.2).
    let server = server_with(&[("SELFSAME__SERVER__HSTS_MAX_AGE", "1h")]).await;
    assert!(!server.request("GET", "/healthz").send().await.headers.contains_key(HSTS));
}

#[tokio::test]
async fn plain_http_is_not_answered_and_the_server_keeps_serving() {
    let certificate = Certificate::new();
    let server = server(&certificate).await;
    let said = sent_by(&server, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(!said.windows(4).any(|four| four == b"HTTP"), "{said:?}");
    assert!(trusts(certificate.client(), &server).await);
}

#[tokio::test]
async fn the_connection_of_an_unfinished_handshake_is_closed() {
    let certificate = Certificate::new();
    let server = server(&certificate).await;
    // Nothing; a record's header; the beginning of a ClientHello whose length is greater (RFC 8446 §4, §5.1).
    for begun in [b"".as_slice(), b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        sent_by(&server, begun).await;
    }
    assert!(trusts(certificate.client(), &server).await);
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_to_new_connections_and_open_ones_continue() {
    let certificate = Certificate::new();
    let server = server(&certificate).await;
    let url = format!("https://{}/healthz", server.address());
    let old = certificate.client().build().unwrap();
    assert_eq!(old.get(&url).send().await.unwrap().status(), 200);

    let trusting_old = certificate.client();
    certificate.replace();
    server.tls().reload();
    assert_eq!(old.get(&url).send().await.unwrap().status(), 200, "an open connection was interrupted");
    assert!(!trusts(trusting_old, &server).await);
    assert!(trusts(certificate.client(), &server).await);
}

#[tokio::test]
async fn an_incomplete_replacement_of_the_files_changes_nothing() {
    let certificate = Certificate::new();
    let server = server(&certificate).await;
    let other = Certificate::new();
    for half in ["", "-----BEGIN", &fs::read_to_string(other.key()).unwrap()] {
        fs::write(certificate.key(), half).unwrap();
        server.tls().reload();
        assert!(trusts(certificate.client(), &server).await);
    }
    let client = certificate.client();
    fs::remove_file(certificate.certificate()).unwrap();
    server.tls().reload();
    assert!(trusts(client, &server).await);
}

/// No reload command is needed: background maintenance, which first runs at the start, reads the files again.
#[tokio::test]
async fn a_running_server_reloads_replaced_files() {
    let certificate = Certificate::new();
    let plain = server_with(&[]).await;
    let mut settings = plain.app.config().server.clone();
    settings.tls_certificate = Some(certificate.certificate().into());
    settings.tls_private_key = Some(certificate.key().into());
    let tls = Tls::read(&settings).unwrap();
    certificate.replace();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/healthz", listener.local_addr().unwrap());
    let listeners =
        selfsame::serve::Listeners { contracts: listener, tls, operator: None, hosts: selfsame::serve::Hosts::Any };
    let running = tokio::spawn(selfsame::serve::run(plain.app.clone(), listeners, std::future::pending()));
    until(async || certificate.client().build().unwrap().get(&url).send().await.is_ok()).await;
    running.abort();
}

#[test]
fn files_that_cannot_be_used_end_the_start_with_a_line_that_names_setting_and_file() {
    let (good, other) = (Certificate::new(), Certificate::new());
    let not_pem = good.key() + ".txt";
    fs::write(&not_pem, "not a certificate").unwrap();
    let missing = good.key() + ".missing";
    let faults = [
        (missing.clone(), good.key()),
        (good.certificate(), missing),
        (not_pem.clone(), good.key()),
        (good.certificate(), not_pem),
        (good.key(), good.key()),
        (good.certificate(), good.certificate()),
        (good.certificate(), other.key()),
        (good.certificate(), String::new()),
    ];
    let lines = faults.map(|(certificate, key)| {
        let mut installation = Installation::new();
        installation.set(CERTIFICATE, &certificate);
        installation.set(KEY, &key);
        let line = installation.refusal(&["serve"]);
        let folder = |certificate: &Certificate| certificate.key().replace("/key.pem", "");
        line.replace(&folder(&good), "GOOD").replace(&folder(&other), "OTHER")
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    selfsame: server.tls_certificate = "GOOD/key.pem.missing": No such file or directory (os error 2)
    selfsame: server.tls_private_key = "GOOD/key.pem.missing": No such file or directory (os error 2)
    selfsame: server.tls_certificate = "GOOD/key.pem.txt": expected certificates in PEM form: there is none
    selfsame: server.tls_private_key = "GOOD/key.pem.txt": expected a private key in PEM form: no items found
    selfsame: server.tls_certificate = "GOOD/key.pem": expected certificates in PEM form: there is none
    selfsame: server.tls_private_key = "GOOD/certificate.pem": expected a private key in PEM form: no items found
    selfsame: server.tls_private_key = "OTHER/key.pem": does not fit the certificate: keys may not be consistent: KeyMismatch
    selfsame: environment SELFSAME__SERVER__TLS_CERTIFICATE: server.tls_certificate = "GOOD/certificate.pem": server.tls_private_key must be given too
    "#);
}

/// Sends bytes and returns what the server sends before it closes the connection.
async fn sent_by(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    // A reset ends the connection as well.
    let ended = tokio::time::timeout(LIMIT, stream.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "{bytes:?} keeps a connection open");
    said
}

/// Checks whether a new client, which has no open connection yet, accepts the server's certificate.
async fn trusts(client: reqwest::ClientBuilder, server: &Server) -> bool {
    client.build().unwrap().get(format!("https://{}/healthz", server.address())).send().await.is_ok()
}

//! An issuer that is reached over TLS must not lead to keys that are fetched without it.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use selfsame::clock::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::support::program::listening;
use crate::support::{Certificate, Installation, Request};

/// Serves one document over TLS on a loopback port, whatever is requested: both the metadata of an issuer and its keys.
struct TlsProvider {
    issuer: String,
    document: Arc<std::sync::Mutex<String>>,
}

impl TlsProvider {
    async fn start(certificate: &Certificate) -> TlsProvider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let chain = CertificateDer::pem_file_iter(certificate.certificate()).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(certificate.key()).unwrap();
        let library = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = ServerConfig::builder_with_provider(library).with_safe_default_protocol_versions().unwrap();
        let settings = settings.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(settings));
        let document = Arc::new(std::sync::Mutex::new(String::new()));
        let shared = document.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, shared) = (acceptor.clone(), shared.clone());
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    let mut lines = BufReader::new(&mut stream).lines();
                    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
                    let document = shared.lock().unwrap().clone();
                    let head = format!("content-length: {}\r\nconnection: close", document.len());
                    stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{document}").as_bytes()).await?;
                    stream.shutdown().await
                });
            }
        });
        TlsProvider { issuer, document }
    }

    /// Publishes metadata that names this address of the keys, and the keys in the same document.
    fn publish(&self, jwks_uri: &str, key: &Key) {
        let document = json!({"issuer": self.issuer, "jwks_uri": jwks_uri, "keys": [key.jwk()]});
        *self.document.lock().unwrap() = document.to_string();
    }
}

/// Starts the program, which trusts the provider, and reads alice's profile with a token that the key signed.
async fn read_through_the_program(provider: &TlsProvider, certificate: &Certificate, key: &Key) -> Answer {
    let mut installation = Installation::new();
    for (name, value) in borrowed(&trust("MAIN", &provider.issuer, &[("ALGORITHMS", "ES256")])) {
        installation.set(name, value);
    }
    // The system's roots are these, for this process.
    installation.set("SSL_CERT_FILE", &certificate.certificate());
    installation.print(&["tenant", "create", "demo"]);
    let account = installation.json(&["account", "create", "--tenant", "demo", "--json"]);
    let account = account["id"].as_str().unwrap();
    installation.print(&["account", "link", account, "--issuer", &provider.issuer, "--subject", "alice"]);
    let mut running = installation.spawn(&["serve"]);
    let address = listening(&mut running.errors);
    let now = Clock::System.now().as_second();
    let claims = json!({
        "iss": provider.issuer, "sub": "alice", "aud": AUDIENCE, "iat": now, "exp": now + 600, "scope": "profile",
    });
    let request = Request::new(&reqwest::Client::new(), "GET", &format!("http://{address}{PROFILE}"));
    request.bearer(&key.token("ES256", &claims)).send().await
}

#[test]
fn keys_without_tls_of_an_issuer_with_tls_are_not_fetched() {
    on_sqlite(async |_| {
        let (certificate, key) = (Certificate::new(), Key::p256("p256"));
        let provider = TlsProvider::start(&certificate).await;
        let plain = Provider::start(vec![key.jwk()]).await;
        provider.publish(&plain.url("/keys"), &key);
        let refused = read_through_the_program(&provider, &certificate, &key).await;
        assert_eq!(refused.status, 503, "{refused}");
        assert_eq!(plain.connections(), 0);
        // The same keys over TLS are used.
        provider.publish(&format!("{}/keys", provider.issuer), &key);
        let accepted = read_through_the_program(&provider, &certificate, &key).await;
        assert_eq!(accepted.status, 200, "{accepted}");
    });
}

//! A third-party mail server: PyPI's `aiosmtpd` on a loopback port.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Certificate;

/// The user of a server that requires authentication.
pub(crate) const USER: &str = "selfsame";
pub(crate) const PASSWORD: &str = "p\u{e4}ss \"word\"";

/// The mail server's process. It ends when this is dropped, or with the test's process, whose end closes its input.
pub(crate) struct MailServer {
    child: Child,
    output: Arc<Mutex<BufReader<ChildStdout>>>,
    pub(crate) port: u16,
}

impl MailServer {
    /// Starts a server without TLS and without authentication.
    pub(crate) async fn plain() -> MailServer {
        MailServer::start(&["0", "none"]).await
    }

    /// Starts a plain server without SMTPUTF8 (RFC 6531).
    pub(crate) async fn ascii() -> MailServer {
        MailServer::start(&["0", "ascii"]).await
    }

    /// Starts a plain server on the port of an earlier one.
    pub(crate) async fn plain_on(port: u16) -> MailServer {
        MailServer::start(&[&port.to_string(), "none"]).await
    }

    /// Starts a server that requires TLS (`starttls` or `tls`) and authentication.
    pub(crate) async fn guarded(security: &str, certificate: &Certificate) -> MailServer {
        let (path, key) = (certificate.certificate(), certificate.key());
        MailServer::start(&["0", security, &path, &key, USER, PASSWORD]).await
    }

    async fn start(arguments: &[&str]) -> MailServer {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/peers/python/bin/python");
        assert!(python.exists(), "the mail server is not installed: run ./test");
        let mut command = Command::new(python);
        command
            .args(["-W", "ignore"])
            .arg(root.join("tests/peers/smtp.py"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = Arc::new(Mutex::new(BufReader::new(child.stdout.take().unwrap())));
        let mut server = MailServer { child, output, port: 0 };
        server.port = server.line().await.trim().parse().unwrap();
        server
    }

    /// Waits for the next message that the server accepts.
    pub(crate) async fn message(&self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// Stops the server and returns the messages that have not been read.
    pub(crate) async fn stop(mut self) -> Vec<Value> {
        drop(self.child.stdin.take());
        let mut rest = Vec::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                let _ = self.child.wait();
                return rest;
            }
            rest.push(serde_json::from_str(&line).unwrap());
        }
    }

    async fn line(&self) -> String {
        let output = self.output.clone();
        let read = move || {
            let mut line = String::new();
            output.lock().unwrap().read_line(&mut line).unwrap();
            line
        };
        tokio::task::spawn_blocking(read).await.unwrap()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // Fails if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

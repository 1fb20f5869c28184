//! A mail server, written by others: PyPI's `aiosmtpd` on a loopback port.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Certificate;

/// Who may sign in where signing in is asked for.
pub(crate) const USER: &str = "selfsame";
pub(crate) const PASSWORD: &str = "p\u{e4}ss \"word\"";

/// The server; it ends with this, or with the test's process, whose end closes its input.
pub(crate) struct MailServer {
    child: Child,
    output: Arc<Mutex<BufReader<ChildStdout>>>,
    pub(crate) port: u16,
}

impl MailServer {
    /// One without TLS that takes mail from anybody.
    pub(crate) async fn plain() -> MailServer {
        MailServer::start(&["0", "none"]).await
    }

    /// The same without SMTPUTF8 (RFC 6531).
    pub(crate) async fn ascii() -> MailServer {
        MailServer::start(&["0", "ascii"]).await
    }

    /// The same on the port that another one had.
    pub(crate) async fn plain_on(port: u16) -> MailServer {
        MailServer::start(&[&port.to_string(), "none"]).await
    }

    /// One that wants TLS (`starttls` or `tls`) and somebody who signs in.
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

    /// The next message that it took.
    pub(crate) async fn message(&self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// Ends it, and returns what it took that nobody has read.
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
        // What has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

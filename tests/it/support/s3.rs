//! A third-party S3 service.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The service with one empty bucket. It ends when this is dropped, or with the test's process, whose end closes its
/// input.
pub(crate) struct S3 {
    child: Child,
    endpoint: String,
}

/// The name of the bucket.
pub(crate) const BUCKET: &str = "pictures";

impl S3 {
    /// Starts the service and creates the bucket.
    pub(crate) async fn start() -> S3 {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/peers/python/bin/python");
        assert!(python.exists(), "the service that speaks S3 is not installed: run ./test");
        let mut command = Command::new(python);
        command.arg(root.join("tests/peers/s3.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let read_port = move || {
            let mut port = String::new();
            output.read_line(&mut port).map(|_| port)
        };
        let port = tokio::task::spawn_blocking(read_port).await.unwrap().unwrap();
        let service = S3 { child, endpoint: format!("http://127.0.0.1:{}", port.trim()) };
        let made = reqwest::Client::new().put(service.url("")).send().await.unwrap();
        assert!(made.status().is_success(), "{made:?}");
        service
    }

    /// The settings of a server that stores its pictures in the bucket, below a prefix.
    pub(crate) fn settings(&self) -> [(&str, &str); 6] {
        [
            ("SELFSAME__PICTURES__STORE", "s3://pictures/kept/here"),
            ("SELFSAME__PICTURES__S3_ENDPOINT", &self.endpoint),
            ("SELFSAME__PICTURES__S3_ALLOW_HTTP", "true"),
            ("SELFSAME__PICTURES__S3_REGION", "eu-central-1"),
            ("SELFSAME__PICTURES__S3_ACCESS_KEY_ID", "key"),
            ("SELFSAME__PICTURES__S3_SECRET_ACCESS_KEY", "secret"),
        ]
    }

    /// Fetches an object as another client.
    pub(crate) async fn get(&self, object: &str) -> reqwest::Response {
        let request = reqwest::Client::new().get(self.url(&format!("/{object}")));
        // The service requires a signature but does not verify it.
        request.header("Authorization", "AWS key:signature").send().await.unwrap()
    }

    /// Stops the service, as in an outage.
    pub(crate) fn stop(&mut self) {
        // Fails if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{BUCKET}{path}", self.endpoint)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop();
    }
}

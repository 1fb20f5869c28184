//! Requests that read like requests, and answers that can be laid side by side with the contract.

use std::fmt;

/// Headers that differ from run to run, or that every answer carries (`edge.rs` tests them).
const LEFT_OUT: [&str; 4] = ["date", "content-length", "x-request-id", "x-content-type-options"];

/// A request on its way to be sent.
pub(crate) struct Request(reqwest::RequestBuilder);

impl Request {
    pub(crate) fn new(client: &reqwest::Client, method: &str, url: &str) -> Request {
        Request(client.request(method.parse().unwrap(), url))
    }

    /// Adds a header line.
    pub(crate) fn header(self, name: &str, value: &str) -> Request {
        Request(self.0.header(name, value))
    }

    /// Presents a bearer token.
    pub(crate) fn bearer(self, token: &str) -> Request {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sends a body as JSON, whatever it is.
    pub(crate) fn json(self, body: impl Into<reqwest::Body>) -> Request {
        self.header("Content-Type", "application/json").body(body)
    }

    /// Sends a body and says nothing about its type.
    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Request {
        Request(self.0.body(body))
    }

    /// Sends it, and leaves the body to be read.
    pub(crate) async fn response(self) -> reqwest::Response {
        self.0.send().await.unwrap()
    }

    /// Sends it and reads the whole answer.
    pub(crate) async fn send(self) -> Answer {
        let response = self.response().await;
        let status = response.status();
        let headers = response.headers().clone();
        let body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        Answer { status, headers, body }
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: reqwest::StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Status, headers by name, an empty line, and the body to the byte.
impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.status)?;
        let mut lines: Vec<String> = self
            .headers
            .iter()
            .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        for line in lines {
            writeln!(formatter, "{line}")?;
        }
        write!(formatter, "\n{}", self.body)
    }
}

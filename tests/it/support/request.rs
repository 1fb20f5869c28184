//! Test requests, and responses rendered for comparison with the contract.

use std::fmt;

/// Headers that differ from run to run or that every response has (tested in `edge/requests.rs`).
const LEFT_OUT: [&str; 4] = ["date", "content-length", "x-request-id", "x-content-type-options"];

/// A request that has not been sent yet.
pub(crate) struct Request(reqwest::RequestBuilder);

impl Request {
    pub(crate) fn new(client: &reqwest::Client, method: &str, url: &str) -> Request {
        Request(client.request(method.parse().unwrap(), url))
    }

    /// Adds a header line.
    pub(crate) fn header(self, name: &str, value: &str) -> Request {
        Request(self.0.header(name, value))
    }

    /// Adds a bearer token.
    pub(crate) fn bearer(self, token: &str) -> Request {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sets a body with the media type JSON, whatever its content.
    pub(crate) fn json(self, body: impl Into<reqwest::Body>) -> Request {
        self.header("Content-Type", "application/json").body(body)
    }

    /// Sets a body without a `Content-Type`.
    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Request {
        Request(self.0.body(body))
    }

    /// Sends the request and returns the response with its body unread.
    pub(crate) async fn response(self) -> reqwest::Response {
        self.0.send().await.unwrap()
    }

    /// Sends the request and reads the whole response.
    pub(crate) async fn send(self) -> Answer {
        let response = self.response().await;
        let status = response.status();
        let headers = response.headers().clone();
        let body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        Answer { status, headers, body }
    }
}

/// A whole response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: reqwest::StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header; empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Renders the status, the headers sorted by name, an empty line, and the exact body.
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

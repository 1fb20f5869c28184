//! The operators' listener.

use std::net::SocketAddr;

use crate::support::program::Running;
use crate::support::{Answer, Installation, Request, Transcript};

const LISTEN: &str = "SELFSAME__OPERATOR__LISTEN";

/// A running program with an operators' listener and one account.
pub(super) struct Watched {
    program: Running,
    contracts: SocketAddr,
    operator: SocketAddr,
    client: reqwest::Client,
    /// The account's token for the System portal.
    pub(super) token: String,
}

impl Watched {
    pub(super) fn start(installation: &mut Installation) -> Watched {
        installation.set(LISTEN, "127.0.0.1:0");
        installation.print(&["tenant", "create", "demo"]);
        let account = installation.json(&["account", "create", "--tenant", "demo", "--json", "display_name=Jane"]);
        let issue = ["token", "issue", "--contract", "system", "--account", account["id"].as_str().unwrap()];
        let token = installation.print(&issue).trim().to_owned();
        let (program, contracts) = installation.serve();
        let said =
            program.errors.seen().lines().find(|line| line.contains("metrics and health listener started")).unwrap();
        let said: serde_json::Value = serde_json::from_str(said).unwrap();
        let operator = said["address"].as_str().unwrap().parse().unwrap();
        Watched { program, contracts, operator, client: reqwest::Client::new(), token }
    }

    /// Begins a request to a contract.
    pub(super) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &format!("http://{}{path}", self.contracts))
    }

    /// Begins a request to the operators' listener.
    pub(super) fn watch(&self, method: &str, path: &str) -> Request {
        Request::new(&self.client, method, &format!("http://{}{path}", self.operator))
    }

    /// Returns the metrics for Prometheus.
    pub(super) async fn metrics(&self) -> String {
        self.watch("GET", "/metrics").send().await.body
    }

    /// Stops the program gracefully.
    pub(super) fn stop(self) {
        self.program.terminate();
        let ended = self.program.end();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
}

on_both_databases!(
    async fn the_operators_listener_serves_health_and_version_and_refuses_other_paths(installation: Installation) {
        let mut installation = installation;
        let watched = Watched::start(&mut installation);
        let mut answers = Transcript::default();
        for (method, path) in [
            ("GET", "/healthz"),
            ("GET", "/readyz"),
            ("GET", "/version"),
            ("HEAD", "/version"),
            ("OPTIONS", "/metrics"),
            ("POST", "/metrics"),
            ("GET", "/web/v1/system/profile"),
            ("GET", "/"),
        ] {
            answers.add(format!("{method} {path}"), &watched.watch(method, path).send().await);
        }
        insta::assert_snapshot!(answers, @r#"
        > GET /healthz
        200 OK
        content-type: text/plain; charset=utf-8

        ok

        > GET /readyz
        200 OK
        content-type: text/plain; charset=utf-8

        ready

        > GET /version
        200 OK
        content-type: application/json

        {"name":"selfsame","version":"0.1.0"}

        > HEAD /version
        200 OK
        content-type: application/json



        > OPTIONS /metrics
        204 No Content
        allow: GET, HEAD, OPTIONS



        > POST /metrics
        405 Method Not Allowed
        allow: GET, HEAD, OPTIONS
        content-type: application/problem+json

        {"status":405,"title":"Method Not Allowed","type":"about:blank"}

        > GET /web/v1/system/profile
        > GET /
        404 Not Found
        content-type: application/problem+json

        {"status":404,"title":"Not Found","type":"about:blank"}
        "#);
        let metrics = watched.watch("GET", "/metrics").send().await;
        assert_eq!((metrics.status.as_u16(), metrics.header("content-type")), (200, PROMETHEUS));
        watched.stop();
    }
);

/// Prometheus' text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_listener_does_not_serve_the_operators_paths() {
    let mut installation = Installation::new();
    let watched = Watched::start(&mut installation);
    for path in ["/metrics", "/version"] {
        let answer: Answer = watched.request("GET", path).bearer(&watched.token).send().await;
        assert_eq!(answer.status, 404, "{path}");
    }
    watched.stop();
}

#[test]
fn the_operators_listener_is_off_by_default() {
    let installation = Installation::new();
    let (program, _) = installation.serve();
    program.terminate();
    let ended = program.end();
    assert!(ended.code == Some(0) && !ended.errors.contains("operators"), "{ended}");
}

#[test]
fn the_demos_operator_listener_is_on_a_loopback_address() {
    let installation = Installation::new();
    let mut program = installation.spawn(&["dev", "--json", "--listen", "127.0.0.1:0"]);
    let printed: serde_json::Value = serde_json::from_str(&program.output.wait_for(|_| true)).unwrap();
    let address = printed["operator_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    assert!(address.parse::<SocketAddr>().unwrap().ip().is_loopback(), "{address}");
    program.terminate();
    assert_eq!(program.end().code, Some(0));
}

#[test]
fn an_address_that_is_taken_ends_the_start_with_a_line_that_names_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut installation = Installation::new();
    installation.set(LISTEN, &address);
    insta::assert_snapshot!(installation.refusal(&["serve"]).replace(&address, "ADDRESS"), @r#"selfsame: operator.listen = "ADDRESS": Address already in use (os error 98); choose another address"#);
}

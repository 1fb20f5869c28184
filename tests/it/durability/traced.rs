//! The system calls of the program, observed by strace: what is acknowledged was synced to disk before.

use std::path::Path;

use crate::rivergen::PIXEL;
use crate::support::{Answer, Installation, Request, until};

/// Changes that are made one after the other, so that no two can share a commit.
const CHANGES: usize = 8;

/// A server under strace, and an account.
struct Traced {
    installation: Installation,
    account: String,
}

impl Traced {
    fn new() -> Traced {
        let installation = Installation::new();
        installation.print(&["tenant", "create", "demo"]);
        let created = installation.json(&["account", "create", "--tenant", "demo", "--json", "display_name=Jane"]);
        Traced { account: created["id"].as_str().unwrap().to_owned(), installation }
    }

    fn token(&self, contract: &str) -> String {
        let issued = ["token", "issue", "--account", &self.account, "--contract", contract];
        self.installation.print(&issued).trim().to_owned()
    }

    /// Serves requests until each was acknowledged, and returns the calls that synced a file, in their order.
    async fn synced_by(&self, requests: impl Fn(usize) -> (&'static str, &'static str, String, String)) -> Vec<String> {
        let trace = self.installation.data().join("trace");
        let (program, address) = self.installation.serve_traced("fsync,fdatasync", &trace);
        let client = reqwest::Client::new();
        for number in 0..CHANGES {
            let (method, path, token, body) = requests(number);
            let request = Request::new(&client, method, &format!("http://{address}{path}"));
            let answer: Answer = request.bearer(&token).header("X-Client-Hash", "d1").json(body).send().await;
            assert_eq!(answer.status, 200, "{answer}");
        }
        program.terminate();
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{ended}");
        // The tracer ends after the program, and writes a last line.
        until(async || read(&trace).contains("+++ exited with 0 +++")).await;
        read(&trace).lines().filter(|line| line.contains("sync(")).map(str::to_owned).collect()
    }
}

fn read(trace: &Path) -> String {
    std::fs::read_to_string(trace).unwrap_or_default()
}

fn is_of_log(line: &str) -> bool {
    line.contains("selfsame.sqlite3-wal>")
}

#[tokio::test]
async fn each_acknowledged_change_was_synced_to_the_write_ahead_log() {
    let traced = Traced::new();
    let token = traced.token("system");
    let rename = |number: usize| {
        let body = format!(r#"{{"accountName":"Jane {number}"}}"#);
        ("POST", "/web/v1/system/profile/update", token.clone(), body)
    };
    let synced = traced.synced_by(rename).await;
    let commits = synced.iter().filter(|line| is_of_log(line)).count();
    assert!(commits >= CHANGES, "{CHANGES} changes were acknowledged after {commits} syncs: {synced:#?}");
}

#[tokio::test]
async fn a_picture_is_synced_before_its_change_is_committed() {
    let traced = Traced::new();
    let token = traced.token("rivergen");
    // Another picture each time: the present one is not stored again.
    let pictures = [PIXEL.to_owned(), "https://example.com/a.png".to_owned()];
    let show = |number: usize| {
        let body = serde_json::json!({ "profile_image_url": pictures[number % 2] });
        ("PUT", "/api/v1/auth/me/profile", token.clone(), body.to_string())
    };
    let synced = traced.synced_by(show).await;
    let of_pictures: Vec<usize> = (0..synced.len()).filter(|at| synced[*at].contains("/pictures/")).collect();
    assert!(of_pictures.len() >= CHANGES / 2, "{synced:#?}");
    // Each is followed by the commit that adopts it.
    assert!(of_pictures.iter().all(|at| synced[at + 1..].iter().any(|line| is_of_log(line))), "{synced:#?}");
}

//! The single-page application of `examples/spa`: a browser uses it as its README shows, from another origin than the server's.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::readme::{ADDRESS, blocks, section_of};
use crate::support::Shell;

const PAGE: &str = include_str!("../../examples/spa/README.md");
/// The page's origin in the commands of the README.
const ORIGIN: &str = "http://127.0.0.1:8000";
const JANE: &str = "jane@example.com";
/// A name that would do harm if the page took it for HTML.
const NAME: &str = r#"<img src=x onerror="document.title=1"><b>Jane</b>"#;

/// A server and the page's back end, started by the commands of the README.
struct Started {
    _shell: Shell,
    /// The server's address.
    server: String,
    /// The page's origin.
    origin: String,
}

impl Started {
    /// Runs the commands as printed, but with other addresses, and with tokens that are valid for so short that the page
    /// refreshes before every request.
    fn new(port: u16) -> Started {
        let commands = blocks(section_of(PAGE, "Try it"), "sh");
        let [dev, back_end] = *commands else { panic!("{commands:?}") };
        let mut shell = Shell::new();
        shell.run(&format!("ln -s '{}/examples' examples", env!("CARGO_MANIFEST_DIR")));
        shell.start(&format!("{dev} --json &"));
        let demo: Value = serde_json::from_str(&shell.output.wait_for(|_| true)).unwrap();
        let server = demo["base_url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let origin = own_origin(port);
        let commands = back_end.replace(ORIGIN, &origin).replace(ADDRESS, &server);
        shell.start(&commands.replace("--kind spa", "--kind spa --token-lifetime 1s"));
        shell.output.wait_for(|line| line.trim_end() == format!("the page is at {origin}"));
        Started { _shell: shell, server, origin }
    }

    /// Asks the page's back end for a code, as a page of some origin.
    async fn ask_for_a_code(&self, origin: &str, body: Value) -> (u16, String) {
        let request = reqwest::Client::new().post(format!("{}/code", self.origin)).header("Origin", origin);
        let answer = request.header("Content-Type", "application/json").body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// An origin of this process alone: no other program listens on this loopback address.
fn own_origin(port: u16) -> String {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    format!("http://127.{}.{b}.{c}:{port}", 100 + a)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_signs_in_to_the_page_changes_their_profile_and_signs_out() {
    let started = Started::new(8000);
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spa.png");
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/spa.mjs"));
    command.arg(&started.origin).arg(format!("http://{}/dev/mailbox", started.server));
    let folder = tempfile::tempdir().unwrap();
    command.args([JANE, NAME]).arg(folder.path()).arg(picture);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let seen: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(seen["who"], JANE);
    assert_eq!(seen["saved"], json!({"name": NAME, "nickname": "", "zoneinfo": "Asia/Tokyo", "locale": ""}));
    assert_eq!(seen["elements"], 0, "a name was taken for HTML");
    assert_eq!(seen["stored"], json!([0, 0, "", 0, format!("{}/", started.origin)]), "tokens are only in memory");
    assert_eq!(seen["complaints"], json!([]));
    assert_eq!(seen["left"], json!({"name": "", "nickname": "", "zoneinfo": "", "locale": ""}));
    let code = "http://tencentciam.com/oauth2/grant-type/otp/email";
    // A wrong code and the right one; then a refresh before each of three requests. The last was repeated, as its answer was lost.
    let refresh = "refresh_token";
    assert_eq!(seen["grants"], json!([code, code, refresh, refresh, refresh, refresh]));

    let last = &seen["last"];
    let refresh = [("grant_type", refresh), ("client_id", "page"), ("refresh_token", last[refresh].as_str().unwrap())];
    let form: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(refresh).finish();
    let request = reqwest::Client::new().post(format!("http://{}/oauth2/token", started.server));
    let form_type = "application/x-www-form-urlencoded";
    let after = request.header("Content-Type", form_type).body(form).send().await.unwrap();
    assert_eq!((after.status().as_u16(), after.text().await.unwrap().as_str()), (400, r#"{"error":"invalid_grant"}"#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_back_end_of_the_page_requests_codes_for_the_page_alone_and_passes_refusals_on() {
    let started = Started::new(8001);
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let wanted = json!({"email": JANE, "code_challenge": challenge});
    assert_eq!(started.ask_for_a_code("https://evil.example", wanted.clone()).await.0, 403);
    let mut large = wanted.clone();
    large["more"] = json!("x".repeat(1000));
    assert_eq!(started.ask_for_a_code(&started.origin, large).await.0, 403);
    let without = started.ask_for_a_code(&started.origin, json!({"email": JANE})).await;
    assert_eq!(without.0, 400, "a code without a challenge: {}", without.1);
    for body in [json!(null), json!([]), json!({"email": {"toString": 1}, "code_challenge": challenge})] {
        assert!(started.ask_for_a_code(&started.origin, body).await.0 >= 400);
    }
    // Another use and another application are not passed on.
    let mut other = wanted.clone();
    (other["usage"], other["client_id"]) = (json!("update_userinfo"), json!("page-back-end"));
    let (status, body) = started.ask_for_a_code(&started.origin, other).await;
    assert!(status == 200 && body.starts_with(r#"{"otp_token":"#), "{status} {body}");
    let (status, body) = started.ask_for_a_code(&started.origin, wanted).await;
    assert!(status == 400 && body.contains("email_rate_limit_exceeded"), "{status} {body}");
    for path in ["/server.mjs", "/README.md", "/code", "/../server.mjs", "/app.js?x"] {
        let answer = reqwest::get(format!("{}{path}", started.origin)).await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

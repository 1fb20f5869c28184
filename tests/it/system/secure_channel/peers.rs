//! Third-party clients: plain WebCrypto in Node.js and in a browser's page, and two JOSE libraries.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use super::*;
use crate::support::{Database, run_page};

const SCRIPT: &str = include_str!("../../../peers/channel.mjs");
const PAGE: &str = include_str!("../../../peers/channel.html");

/// The names that clients of the session form send, and must receive in the responses.
const NAMES: [&str; 3] = ["Jane Admin", "Łucja 😀", ""];

/// The input of a client.
fn given(server: &Server, admin: &AuthenticatedPerson<'_>) -> Value {
    let updates: Vec<Value> = NAMES.iter().map(|name| json!({"accountName": name})).collect();
    json!({
        "base": format!("http://{}", server.address()),
        "token": admin.token,
        "clientHash": super::super::DEVICE,
        "now": server.app.now().as_second(),
        "updates": updates,
    })
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers").join(path);
    assert!(path.exists(), "{} is missing: run ./test, which installs it", path.display());
    path
}

/// Runs a client to its end and returns what it printed, one JSON value a line.
async fn run(mut command: Command) -> Vec<Value> {
    command.stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let printed = String::from_utf8(ended.stdout).unwrap();
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks the responses that a client of the session form received: to every update, to the last one again, and to the
/// end of the session.
async fn check_exchange(admin: &AuthenticatedPerson<'_>, answers: &Value) {
    let answers = answers.as_array().unwrap_or_else(|| panic!("{answers}"));
    let names = NAMES.iter().chain(NAMES.last());
    assert_eq!(answers.len(), NAMES.len() + 2, "{answers:?}");
    for (answer, name) in answers.iter().zip(names) {
        assert_eq!(
            (&answer["status"], &answer["said"]["data"]["accountName"]),
            (&json!(200), &json!(name)),
            "{answer}"
        );
    }
    let closed = &answers[NAMES.len() + 1];
    assert_eq!((&closed["status"], &closed["said"]["code"]), (&json!(200), &json!("2000")), "{closed}");
    assert_eq!(admin.stored().await.version, 4);
}

on_both_databases!(
    async fn webcrypto_in_node_opens_a_session_and_reads_the_answers(server: Server) {
        let admin = admin(&server).await;
        let mut command = Command::new("node");
        command.arg(peers().join("channel_node.mjs")).arg(given(&server, &admin).to_string());
        let answers = run(command).await;
        check_exchange(&admin, &answers[0]).await;
    }
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webcrypto_in_a_browsers_page_of_another_origin_opens_a_session_and_reads_the_answers() {
    let pages = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", pages.local_addr().unwrap());
    let server = Server::with(Database::sqlite(), &[("SELFSAME__SERVER__CORS_ORIGINS", &origin)]).await;
    let admin = admin(&server).await;
    let script = Router::new().route("/channel.mjs", get(async || ([(CONTENT_TYPE, "text/javascript")], SCRIPT)));
    let answers = run_page(pages, PAGE, &given(&server, &admin), script).await;
    check_exchange(&admin, &answers).await;
}

/// Checks that a client of the JOSE form received what it sent.
fn check_messages(answers: &[Value], count: usize) {
    assert_eq!(answers.len(), count);
    for answer in answers {
        assert_eq!((&answer["status"], &answer["said"]), (&json!(200), &answer["sent"]), "{answer}");
    }
}

on_both_databases!(
    async fn npms_jose_and_the_server_decrypt_each_others_messages(server: Server) {
        let admin = admin(&server).await;
        let script = std::fs::read_to_string(peers().join("channel_jose.mjs")).unwrap();
        let mut command = Command::new("node");
        // A script from the command line finds its packages in the working directory.
        command.current_dir(installed("node_modules/jose").ancestors().nth(2).unwrap());
        command.args(["--input-type=module", "--eval", &script, "--", &given(&server, &admin).to_string()]);
        check_messages(&run(command).await, 20);
        assert_eq!(admin.stored().await.version, 21);
    }
);

on_both_databases!(
    async fn joserfc_and_the_server_decrypt_each_others_messages(server: Server) {
        let admin = admin(&server).await;
        let mut command = Command::new(installed("python/bin/python"));
        command.arg(peers().join("channel_jose.py")).arg(given(&server, &admin).to_string());
        check_messages(&run(command).await, 10);
        assert_eq!(admin.stored().await.version, 11);
    }
);

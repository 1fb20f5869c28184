//! schemathesis reads each document and searches for responses of the server that contradict it.
//!
//! `./test` installs it into `target/peers/python`. Settings that make a check weaker are in
//! `tests/peers/schemathesis*.toml`; CONTRIBUTING.md has the reasons.

use std::path::Path;
use std::process::Command;

use selfsame::account::{AccountId, Contract, Field, Kind};
use selfsame::identity::api_key;
use selfsame::store::ApiKey;

use crate::support::applications::basic;
use crate::support::{Database, Server};

/// Number of random test cases for each operation, beside those that schemathesis derives from the document.
const CASES: usize = 60;
const MANY_CASES: usize = 500;

/// No rate limits, so that a thousand test requests are not refused.
const SETTINGS: [(&str, &str); 7] = [
    ("SELFSAME__CODES__ADDRESS_PER_DAY", "10000"),
    ("SELFSAME__CODES__CHANGE_EMAIL__INTERVAL", "0s"),
    ("SELFSAME__CODES__CHANGE_EMAIL__PER_DAY", "1000"),
    ("SELFSAME__RATE_LIMIT__ADDRESS", "0"),
    ("SELFSAME__RATE_LIMIT__SYSTEM", "0"),
    ("SELFSAME__RATE_LIMIT__DEFAULT", "0"),
    ("SELFSAME__RATE_LIMIT__RIVERGEN", "0"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_portal_keeps_its_document() {
    system(CASES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cl2c_keeps_its_document() {
    cl2c(CASES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivergen_keeps_its_document() {
    rivergen(CASES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ciam_keeps_its_document() {
    ciam(CASES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; ./test --long runs it"]
async fn the_contracts_keep_their_documents_over_many_requests() {
    system(MANY_CASES).await;
    cl2c(MANY_CASES).await;
    rivergen(MANY_CASES).await;
    ciam(MANY_CASES).await;
}

async fn system(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::DisplayName, "System Admin"), (Field::Phone, "+1234567890")]).await;
    let token = server.token(&person, Contract::System).await;
    run(&server, "system", &[format!("Authorization: Bearer {token}"), "X-Client-Hash: d1".to_owned()], cases).await;
    let after = server.account(&person).await;
    assert!(after.version > 20, "the profile changed only {} times: nothing was tested", after.version);
}

async fn cl2c(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::GivenName, "John"), (Field::FamilyName, "Doe")]).await;
    let key = key(&server, person.id).await;
    run(&server, "cl2c", &[format!("tenant: {}", server.tenant.name), format!("X-API-Key: {key}")], cases).await;
    let after = server.account(&person).await;
    assert!(after.version > 20, "the user changed only {} times: nothing was tested", after.version);
}

async fn rivergen(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::DisplayName, "Jane Smith"), (Field::Email, "jane@example.com")]).await;
    let token = server.token(&person, Contract::RiverGen).await;
    run(&server, "rivergen", &[format!("Authorization: Bearer {token}")], cases).await;
    let after = server.account(&person).await;
    assert!(after.version > 10, "the profile changed only {} times: nothing was tested", after.version);
}

/// Users and applications authenticate in the same header, so each gets a run of its own.
async fn ciam(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::DisplayName, "Jane Smith")]).await;
    let client = server.client(Kind::M2m, &["name", "nickname", "zoneinfo", "locale"]).await;
    let token = client.token(&person).await;
    // A missing token is 400 without a body, as published: these checks expect another response.
    let another_refusal = "ignored_auth,missing_required_header,content_type_conformance,response_schema_conformance";
    let of_person = ["--include-path", "/userinfo", "--exclude-checks", another_refusal];
    run_with(&server, "ciam", &[format!("Authorization: Bearer {token}")], cases, &of_person).await;
    // Most generated requests name an attribute that no tenant defines, or an address without its code.
    let after = server.account(&person).await;
    assert!(after.version > 2, "the profile changed only {} times: nothing was tested", after.version);
    let basic = basic(&client.application.id, client.secret.as_deref().unwrap());
    let of_application = ["--exclude-path", "/userinfo"];
    run_with(&server, "ciam", &[format!("Authorization: {basic}")], cases, &of_application).await;
}

async fn run(server: &Server, contract: &str, headers: &[String], cases: usize) {
    run_with(server, contract, headers, cases, &[]).await;
}

async fn run_with(server: &Server, contract: &str, headers: &[String], cases: usize, only: &[&str]) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = project.join("target/peers/python/bin/schemathesis");
    assert!(program.exists(), "{} is missing: ./test installs it", program.display());
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    // A filter that matches nothing is a warning and so a failure: filters for one contract have a file of their own.
    let settings = match contract {
        "ciam" => "schemathesis-ciam.toml",
        "system" => "schemathesis-system.toml",
        "rivergen" => "schemathesis-rivergen.toml",
        _ => "schemathesis.toml",
    };
    command.current_dir(scratch.path()).arg("--config-file").arg(project.join("tests/peers").join(settings));
    command.arg("run").arg(format!("http://{}/openapi/{contract}.json", server.address()));
    command.args(["--checks", "all", "--seed", "1", "--continue-on-failure", "--no-color"]);
    command.args(["--max-examples", &cases.to_string()]).args(only);
    for header in headers {
        command.args(["--header", header]);
    }
    if contract == "ciam" {
        command.env("SCHEMATHESIS_HOOKS", project.join("tests/peers/schemathesis_ciam.py"));
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.contains("No issues found"), "{report}");
}

/// A new key that is bound to an account.
pub(super) async fn key(server: &Server, account: AccountId) -> String {
    let app = &server.app;
    let secret = api_key::mint();
    let key = ApiKey {
        hash: api_key::hash(app.keys(), &secret),
        id: app.new_id(),
        tenant_id: server.tenant.id,
        account_id: Some(account),
        name: "test".to_owned(),
        created_at: app.now(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    app.store().add_api_key(&key).await.unwrap();
    secret
}

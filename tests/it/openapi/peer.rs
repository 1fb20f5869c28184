//! schemathesis reads each document and searches for responses of the server that contradict it.
//!
//! `./test` installs it into `target/peers/python`. Settings that make a check weaker are in
//! `tests/peers/schemathesis*.toml`; CONTRIBUTING.md has the reasons. `schemathesis_hooks.py` gives requests what only the
//! server can issue, and fails every other valid request that is refused.

use std::path::Path;
use std::process::Command;

use selfsame::account::{AccountId, Contract, Field, Kind};
use selfsame::identity::api_key;
use selfsame::store::ApiKey;

use serde_json::{Value, json};

use crate::support::applications::basic;
use crate::support::{Database, Server};

/// Number of random test cases for each operation, beside those that schemathesis derives from the document.
const CASES: usize = 60;
const MANY_CASES: usize = 500;

/// The client hash of System's requests.
const CLIENT_HASH: &str = "d1";

/// No rate limits, so that a thousand test requests are not refused.
const SETTINGS: [(&str, &str); 15] = [
    ("SELFSAME__CODES__ADDRESS_PER_DAY", "10000"),
    ("SELFSAME__CODES__CHANGE_EMAIL__INTERVAL", "0s"),
    ("SELFSAME__CODES__CHANGE_EMAIL__PER_DAY", "1000"),
    ("SELFSAME__CODES__LOGIN__INTERVAL", "0s"),
    ("SELFSAME__CODES__LOGIN__PER_DAY", "1000"),
    ("SELFSAME__CODES__RESET_PASSWORD__INTERVAL", "0s"),
    ("SELFSAME__CODES__RESET_PASSWORD__PER_DAY", "1000"),
    ("SELFSAME__CODES__SIGNUP__INTERVAL", "0s"),
    ("SELFSAME__CODES__SIGNUP__PER_DAY", "1000"),
    ("SELFSAME__CODES__UPDATE_USERINFO__INTERVAL", "0s"),
    ("SELFSAME__CODES__UPDATE_USERINFO__PER_DAY", "1000"),
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

/// A run of schemathesis: with which headers, and what its hooks are given.
struct Run<'a> {
    server: &'a Server,
    contract: &'static str,
    headers: Vec<String>,
    /// Values of `Authorization` for requests of the hooks: a person's and an application's.
    bearer: String,
    basic: String,
    /// The account that the requests are about.
    account: AccountId,
    /// The operations that need issued values.
    issuing: &'static [&'static str],
}

async fn system(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::DisplayName, "System Admin"), (Field::Phone, "+1234567890")]).await;
    let bearer = format!("Bearer {}", server.token(&person, Contract::System).await);
    let run = Run {
        server: &server,
        contract: "system",
        headers: vec![format!("Authorization: {bearer}"), format!("X-Client-Hash: {CLIENT_HASH}")],
        bearer,
        basic: String::new(),
        account: person.id,
        issuing: &[
            "POST /web/v1/secure-channel/session",
            "POST /web/v1/secure-channel/session/close",
            "POST /web/v1/system/profile/update",
        ],
    };
    run.search(cases, &[]).await;
    let after = server.account(&person).await;
    assert!(after.version > 20, "the profile changed only {} times: nothing was tested", after.version);
}

async fn cl2c(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::GivenName, "John"), (Field::FamilyName, "Doe")]).await;
    let key = key(&server, person.id).await;
    let run = Run {
        server: &server,
        contract: "cl2c",
        headers: vec![format!("tenant: {}", server.tenant.name), format!("X-API-Key: {key}")],
        bearer: String::new(),
        basic: String::new(),
        account: person.id,
        issuing: &["GET /v1/cl2c/users/{id}", "PUT /v1/cl2c/user"],
    };
    run.search(cases, &[]).await;
    let after = server.account(&person).await;
    assert!(after.version > 20, "the user changed only {} times: nothing was tested", after.version);
}

async fn rivergen(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::DisplayName, "Jane Smith"), (Field::Email, "jane@example.com")]).await;
    let bearer = format!("Bearer {}", server.token(&person, Contract::RiverGen).await);
    let run = Run {
        server: &server,
        contract: "rivergen",
        headers: vec![format!("Authorization: {bearer}")],
        bearer,
        basic: String::new(),
        account: person.id,
        issuing: &["POST /api/v1/auth/me/email/verify"],
    };
    run.search(cases, &[]).await;
    let after = server.account(&person).await;
    assert!(after.version > 10, "the profile changed only {} times: nothing was tested", after.version);
}

/// Users and applications authenticate in the same header, so each gets a run of its own.
async fn ciam(cases: usize) {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let person = server.person(&[(Field::DisplayName, "Jane Smith")]).await;
    let client = server
        .client_with(Kind::M2m, &["name", "nickname", "zoneinfo", "locale"], |application| {
            // A code for a new address gets tokens, too.
            application.auto_signup = true;
        })
        .await;
    let bearer = format!("Bearer {}", client.token(&person).await);
    let basic = basic(&client.application.id, client.secret.as_deref().unwrap());
    // A missing token is 400 without a body, as published: these checks expect another response.
    let another_refusal = "ignored_auth,missing_required_header,content_type_conformance,response_schema_conformance";
    let of_person = Run {
        server: &server,
        contract: "ciam",
        headers: vec![format!("Authorization: {bearer}")],
        bearer: bearer.clone(),
        basic: basic.clone(),
        account: person.id,
        issuing: &["PATCH /userinfo"],
    };
    of_person.search(cases, &["--include-path", "/userinfo", "--exclude-checks", another_refusal]).await;
    let after = server.account(&person).await;
    assert!(after.version > 20, "the profile changed only {} times: nothing was tested", after.version);
    let headers = vec![format!("Authorization: {basic}")];
    let of_application = Run { headers, issuing: &["POST /oauth2/token", "POST /otp/send"], ..of_person };
    of_application.search(cases, &["--exclude-path", "/userinfo"]).await;
}

impl Run<'_> {
    /// Runs it to its end, which must find nothing, and checks that issued values were accepted in each operation that needs
    /// them.
    async fn search(&self, cases: usize, only: &[&str]) {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = project.join("target/peers/python/bin/python");
        assert!(python.exists(), "{} is missing: ./test installs it", python.display());
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new(python);
        // A filter that matches nothing is a warning and so a failure: filters for one contract have a file of their own.
        let settings = format!("schemathesis-{}.toml", self.contract);
        command.current_dir(scratch.path()).args(["-m", "schemathesis.cli", "--config-file"]);
        command.arg(project.join("tests/peers").join(settings));
        let base = format!("http://{}", self.server.address());
        command.arg("run").arg(format!("{base}/openapi/{}.json", self.contract));
        command.args(["--checks", "all", "--seed", "1", "--continue-on-failure", "--no-color"]);
        command.args(["--max-examples", &cases.to_string()]).args(only);
        for header in &self.headers {
            command.args(["--header", header]);
        }
        let accepted = scratch.path().join("accepted.json");
        let given = json!({
            "base": base,
            "now": self.server.app.now().as_second(),
            "bearer": self.bearer,
            "basic": self.basic,
            "client_hash": CLIENT_HASH,
            "user_id": self.account.to_string(),
            "accepted": accepted,
        });
        command.env("SCHEMATHESIS_HOOKS", project.join("tests/peers/schemathesis_hooks.py"));
        command.env("SELFSAME_ISSUED", given.to_string());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{report}{}", String::from_utf8_lossy(&output.stderr));
        assert!(report.contains("No issues found"), "{report}");
        let accepted: Value = serde_json::from_slice(&std::fs::read(accepted).unwrap()).unwrap();
        let accepted: Vec<&String> = accepted.as_object().unwrap().keys().collect();
        assert_eq!(accepted, self.issuing, "the operations in which issued values were accepted");
    }
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

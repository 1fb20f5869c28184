//! `selfsame token explain`, and the deep check of the configuration.

use selfsame::clock::Clock;
use serde_json::{Value, json};

use super::with_account;
use crate::support::Installation;
use crate::support::provider::Provider;
use crate::support::signing::Key;

const AUDIENCE: &str = "https://profile.example.com";

/// An installation that trusts a provider with one key.
struct Trusting {
    installation: Installation,
    provider: Provider,
    key: Key,
}

impl Trusting {
    async fn new() -> Trusting {
        let key = Key::p256("first");
        let provider = Provider::start(vec![key.jwk()]).await;
        let mut installation = Installation::new();
        for (name, value) in
            [("ISSUER", provider.issuer()), ("AUDIENCE", AUDIENCE), ("TENANT", "corp"), ("CONTRACTS", "system,ciam")]
        {
            installation.set(&format!("SELFSAME__TRUSTED_ISSUER__CORP__{name}"), value);
        }
        Trusting { installation, provider, key }
    }

    /// A token whose claims differ from those of a valid one.
    fn token(&self, changes: &Value) -> String {
        let now = Clock::System.now().as_second();
        let mut claims = json!({
            "iss": self.provider.issuer(), "sub": "alice", "aud": AUDIENCE, "exp": now + 600, "scope": "openid",
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.key.token("ES256", &claims)
    }

    /// What the command prints about a token, which it reads from standard input, and its exit code.
    fn explain(&self, token: &str) -> (Option<i32>, String) {
        let ended = self.installation.run_with_input(&["token", "explain", "-"], token);
        (ended.code, ended.output.replace(self.provider.issuer(), "ISSUER"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_token_follows_each_rule() {
    let trusting = Trusting::new().await;
    let (code, output) = trusting.explain(&format!("Bearer {}\n", trusting.token(&json!({}))));
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(output, @r"
    yes  length
    yes  form
    yes  header
    yes  issuer
    yes  type
    yes  algorithm
    yes  key
    yes  signature
    yes  claims
    yes  kind
    yes  audience
    yes  time
    issuer: ISSUER
    valid for: system, ciam
    not checked here: account, tenant, revocation and application, which the database decides
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_rule_is_explained() {
    let trusting = Trusting::new().await;
    let (code, output) = trusting.explain(&trusting.token(&json!({"aud": ["account"], "typ": "ID", "exp": 0})));
    assert_eq!(code, Some(1));
    let time = output.lines().find(|line| line.contains("time")).unwrap().to_owned();
    assert!(time.starts_with("no   time       exp: expired at 1970-01-01T00:00:00Z; it is 2"), "{time}");
    insta::assert_snapshot!(output.replace(&time, "no   time       (as above)"), @r#"
    yes  length
    yes  form
    yes  header
    yes  issuer
    yes  type
    yes  algorithm
    yes  key
    yes  signature
    yes  claims
    no   kind       typ names it an ID token
    no   audience   aud is ["account"]; accepted are ["https://profile.example.com"]
    no   time       (as above)
    issuer: ISSUER
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_is_not_called_wrong() {
    let trusting = Trusting::new().await;
    let (_, output) = trusting.explain(&trusting.token(&json!({"iss": format!("{}/", trusting.provider.issuer())})));
    assert!(output.contains("they must be the same to the letter"), "{output}");
    assert_eq!(output.matches("not checked, because of an earlier rule").count(), 8, "{output}");
    let stranger = Key::p256("other").token("ES256", &json!({"iss": trusting.provider.issuer(), "sub": 7}));
    let (_, output) = trusting.explain(&stranger);
    insta::assert_snapshot!(output, @r#"
    yes  length
    yes  form
    yes  header
    yes  issuer
    yes  type
    yes  algorithm
    no   key        no key of the issuer has the kid "other" and fits the algorithm
    -    signature  not checked, because of an earlier rule
    no   claims     sub is of the wrong type or out of range
    yes  kind
    -    audience   not checked, because of an earlier rule
    -    time       not checked, because of an earlier rule
    issuer: ISSUER
    "#);
    let (code, output) = trusting.explain("\u{1b}[2J");
    assert_eq!(code, Some(1));
    assert!(output.contains("no   form") && !output.contains('\u{1b}'), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_the_explanation_as_json() {
    let trusting = Trusting::new().await;
    let token = trusting.token(&json!({"aud": "account"}));
    let ended = trusting.installation.run(&["token", "explain", &token, "--json"]);
    let explanation: Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!((ended.code, &explanation["followed"]), (Some(1), &json!(false)));
    let rules = explanation["rules"].as_array().unwrap();
    let audience = rules.iter().find(|rule| rule["rule"] == "audience").unwrap();
    assert_eq!((&audience["followed"], rules.len()), (&json!(false), 12));
}

#[test]
fn tokens_of_the_embedded_issuer_are_explained_too() {
    let installation = Installation::new();
    let id = with_account(&installation);
    let token = installation.print(&["token", "issue", "--account", &id, "--contract", "rivergen"]);
    let explained = installation.json(&["token", "explain", token.trim(), "--json"]);
    assert_eq!((&explained["followed"], &explained["contracts"]), (&json!(true), &json!(["rivergen"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_check_finds_a_missing_tenant_and_keys_that_cannot_be_fetched() {
    let trusting = Trusting::new().await;
    let check = || {
        let ended = trusting.installation.run(&["config", "check", "--deep"]);
        (ended.code, ended.errors.replace(trusting.provider.issuer(), "ISSUER"))
    };
    let (code, errors) = check();
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(errors, @r#"
    issuer ISSUER: no tenant is named "corp", so all of its tokens are refused; see `selfsame tenant create`
    selfsame: 1 of the checks failed
    "#);
    trusting.installation.print(&["tenant", "create", "corp"]);
    assert_eq!(check(), (Some(0), String::new()));
    trusting.provider.publish(Vec::new());
    let (code, errors) = check();
    assert_eq!(code, Some(1));
    assert!(errors.starts_with("issuer ISSUER: its keys cannot be fetched: "), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_warns_of_an_issuer_whose_tenant_does_not_exist() {
    let trusting = Trusting::new().await;
    let mut running = trusting.installation.spawn(&["serve"]);
    let line = running.errors.wait_for(|line| line.contains("tenant of trusted issuer does not exist"));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["level"], &line["tenant"]), (&json!("WARN"), &json!("corp")));
}

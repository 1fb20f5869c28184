//! A trusted issuer cannot have a name under which this installation signs tokens itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::support::Installation;

/// An installation that trusts this issuer.
fn trusting(issuer: &str) -> Installation {
    let mut installation = Installation::new();
    for (name, value) in trust("MAIN", issuer, &[("JWKS_FILE", "/no/such/keys.json")]) {
        installation.set(&name, &value);
    }
    installation
}

const REMEDY: &str = "is a name under which this installation signs tokens itself; a trusted issuer needs another one";

#[test]
fn an_issuer_with_the_configured_name_of_the_embedded_one_is_refused() {
    let mut installation = trusting("https://id.example.com");
    installation.set("SELFSAME__ISSUER__NAME", "https://id.example.com");
    let expected = format!(
        "selfsame: environment SELFSAME__TRUSTED_ISSUER__MAIN__ISSUER: trusted_issuer.main.issuer = \
         \"https://id.example.com\": {REMEDY}"
    );
    assert_eq!(installation.refusal(&["config", "check"]), expected);
    assert_eq!(installation.refusal(&["serve"]), expected);
}

#[test]
fn an_issuer_with_the_public_address_is_refused() {
    for issuer in
        ["https://id.example.com", "https://id.example.com/", "https://ID.example.com", "https://id.example.com:443"]
    {
        let mut installation = trusting(issuer);
        installation.set("SELFSAME__SERVER__PUBLIC_URL", "https://id.example.com");
        assert!(installation.refusal(&["config", "check"]).ends_with(REMEDY), "{issuer}");
    }
    let mut installation = trusting("http://127.0.0.1:4711");
    installation.set("SELFSAME__SERVER__LISTEN", "127.0.0.1:4711");
    assert!(installation.refusal(&["config", "check"]).ends_with(REMEDY));
}

#[test]
fn another_issuer_of_the_same_host_is_accepted() {
    for issuer in ["https://id.example.com/realms/a", "https://login.id.example.com", "https://id.example.com:8443"] {
        let mut installation = trusting(issuer);
        installation.set("SELFSAME__SERVER__PUBLIC_URL", "https://id.example.com");
        assert_eq!(installation.print(&["config", "check"]), "the configuration is valid\n");
    }
}

on_both_databases!(
    async fn an_issuer_with_the_urn_of_the_installation_is_refused(installation: Installation) {
        installation.print(&["tenant", "create", "demo"]);
        let account = installation.json(&["account", "create", "--tenant", "demo", "--json", "display_name=Jane"]);
        let issue = ["token", "issue", "--account", account["id"].as_str().unwrap(), "--contract", "system"];
        let token = installation.print(&issue);
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let mut installation = installation;
        for (name, value) in trust("MAIN", claims["iss"].as_str().unwrap(), &[("JWKS_FILE", "/no/such/keys.json")]) {
            installation.set(&name, &value);
        }
        let refusal = installation.refusal(&["serve"]);
        assert!(refusal.starts_with("selfsame: trusted_issuer.main.issuer = \"urn:uuid:"), "{refusal}");
        assert!(refusal.ends_with(REMEDY), "{refusal}");
    }
);

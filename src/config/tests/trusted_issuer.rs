//! Settings of a trusted issuer.

use jsonwebtoken::Algorithm;

use super::*;
use crate::account::Contract;
use crate::config::{KeySource, Provision, TrustedIssuer};

fn corp(more: &str) -> TrustedIssuer {
    with_file(&format!("{CORP}{more}")).trusted_issuer.remove("corp").unwrap()
}

/// Returns the error for one setting that is written in line 2 of the file.
fn problem(key: &str, value: &str) -> String {
    let required = CORP.lines().skip(1).filter(|line| !line.starts_with(key));
    let rest = required.map(|line| format!("{line}\n")).collect::<String>();
    let error = file_error(&format!("[trusted_issuer.corp]\n{key} = {value}\n{rest}"));
    let shown = value.replace("u:p@", "(hidden)@").replace("127.0.0.1@", "(hidden)@");
    let place = format!("config.toml:2: trusted_issuer.corp.{key} = {shown}: ");
    error.strip_prefix(&place).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn the_defaults_are_strict() {
    let issuer = corp("");
    assert_eq!(issuer.keys, KeySource::Discovery);
    assert_eq!(issuer.algorithms, [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA]);
    assert_eq!(issuer.access_token_typ, ["at+jwt", "JWT"]);
    assert_eq!(issuer.contracts, [Contract::System]);
    assert_eq!(issuer.stale_for, Duration::from_secs(24 * 60 * 60));
    assert_eq!(issuer.provision, Provision::Refuse);
    assert!(!issuer.trust_verified_claims);
}

#[test]
fn a_claim_that_is_empty_is_not_copied() {
    let claims = corp("claims.email = \"\"\n").claims;
    assert!(!claims.contains_key("country") && !claims.contains_key("email"), "{claims:?}");
    assert_eq!(claims["username"], "preferred_username");
    assert_eq!(claims.len(), 9);
}

#[test]
fn keys_come_from_discovery_a_url_or_a_file() {
    assert_eq!(corp("jwks_file = \"keys.json\"\n").keys, KeySource::JwksFile("keys.json".into()));
    for url in ["https://login.example.com/jwks?v=1", "http://127.0.0.1:90/jwks", "http://[::1]/", "http://localhost:1"]
    {
        assert_eq!(corp(&format!("jwks_uri = \"{url}\"\n")).keys, KeySource::JwksUri(url.into()));
    }
}

#[test]
fn the_key_file_is_not_a_secret() {
    let loaded = load(&format!("{CORP}jwks_file = \"keys.json\"\n"), &[], Overrides::default());
    assert!(origin_of(&loaded, "trusted_issuer.corp.jwks_file").starts_with("\"keys.json\" from "));
}

#[test]
fn keys_cannot_come_from_two_sources() {
    let expected = "trusted_issuer.corp.jwks_uri and trusted_issuer.corp.jwks_file are both given; keep one of them";
    let error = file_error(&format!("{CORP}jwks_uri = \"https://a.example\"\njwks_file = \"a\"\n"));
    assert_eq!(error, format!("config.toml:7: {expected}"));
}

#[test]
fn the_url_of_keys_must_be_trustworthy() {
    let expected = "must be a URL with https://, or with http:// and a loopback host, \
                    such as https://login.example.com/jwks.json";
    for url in [
        "http://login.example.com/jwks",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "https://u:p@login.example.com",
        "https://login.example.com#a",
        "https://",
        "login.example.com",
        "/jwks",
        "ftp://127.0.0.1",
    ] {
        assert_eq!(problem("jwks_uri", &format!("\"{url}\"")), expected);
    }
}

#[test]
fn an_issuer_that_is_discovered_must_be_a_trustworthy_url() {
    let expected = "must be a URL with https://, or with http:// and a loopback host, to discover its keys there; \
                    otherwise set trusted_issuer.corp.jwks_uri or trusted_issuer.corp.jwks_file";
    for issuer in ["http://login.example.com", "urn:corp", "https://login.example.com?a=b", "https://a.example#b"] {
        assert_eq!(problem("issuer", &format!("\"{issuer}\"")), expected);
    }
}

#[test]
fn an_issuer_whose_keys_are_given_may_have_any_name() {
    for keys in ["jwks_file = \"keys.json\"", "jwks_uri = \"https://login.example.com/jwks\""] {
        let file = CORP.replace("https://login.example.com", "urn:corp");
        assert_eq!(with_file(&format!("{file}{keys}\n")).trusted_issuer["corp"].issuer, "urn:corp");
    }
}

#[test]
fn two_sections_cannot_have_one_issuer() {
    let second = CORP.replace("corp]", "other]");
    assert_eq!(
        file_error(&format!("{CORP}{second}")),
        "config.toml:7: trusted_issuer.other.issuer = \"https://login.example.com\": \
         trusted_issuer.corp has the same issuer; keep one of them"
    );
}

#[test]
fn a_missing_required_setting_is_reported_at_the_line_of_its_section() {
    for (key, shown, problem) in [
        (
            "issuer",
            "\"\"",
            "must be the iss of its tokens, 1 to 255 bytes without spaces, such as https://login.example.com",
        ),
        ("audience", "[]", "must name at least one audience"),
        ("tenant", "\"\"", "must name the tenant that its accounts belong to"),
        ("contracts", "[]", "must name at least one contract"),
    ] {
        let kept: String = CORP.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
        assert_eq!(
            file_error(&format!("[log]\n\n\n{kept}")),
            format!("config.toml:4: trusted_issuer.corp.{key} = {shown}: {problem}")
        );
    }
}

#[test]
fn a_missing_required_setting_is_reported_at_the_variable_that_began_the_section() {
    let name = "SELFSAME__TRUSTED_ISSUER__CORP__AUDIENCE";
    let error = environment_error(name, "api");
    assert!(error.starts_with(&format!("environment {name}: trusted_issuer.corp.")), "{error}");
}

#[test]
fn an_empty_required_setting_is_refused_at_its_own_line() {
    assert_eq!(problem("audience", "[]"), "must name at least one audience");
    assert_eq!(problem("contracts", "[]"), "must name at least one contract");
    assert_eq!(problem("algorithms", "[]"), "must name at least one algorithm");
    assert_eq!(problem("access_token_typ", "[]"), "must name at least one type");
}

#[test]
fn only_algorithms_with_a_public_key_are_accepted() {
    let all = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA";
    for refused in ["[\"HS256\"]", "[\"RS256\", \"none\"]", "[\"rs256\"]", "[\"ES512\"]", "[\"\"]", "[5]", "\"RS256\""]
    {
        assert_eq!(problem("algorithms", refused), format!("expected {all}"));
    }
    let quoted = all.replace(", ", "\", \"");
    assert_eq!(corp(&format!("algorithms = [\"{quoted}\"]\n")).algorithms.len(), 9);
}

#[test]
fn the_error_of_a_list_names_what_is_expected() {
    let audience = "expected a list of audiences such as [\"https://id.example.com\"]";
    for value in ["\"api\"", "[5]", "[\"\"]", "true"] {
        assert_eq!(problem("audience", value), audience);
    }
    assert_eq!(problem("access_token_typ", "\"JWT\""), "expected a list of types such as [\"at+jwt\"]");
    assert_eq!(problem("contracts", "\"system\""), "expected a list of contracts such as [\"system\"]");
}

#[test]
fn an_unknown_contract_lists_those_that_are_known() {
    let expected = "nothing".parse::<Contract>().unwrap_err();
    assert!(expected.contains("system"), "{expected}");
    assert_eq!(problem("contracts", "[\"system\", \"nothing\"]"), expected);
}

#[test]
fn the_errors_of_the_other_settings_name_what_is_expected() {
    assert_eq!(problem("provision", "\"maybe\""), "expected \"refuse\" or \"create\"");
    assert_eq!(problem("trust_verified_claims", "\"yes\""), "expected true or false");
    assert_eq!(problem("claims.email", "5"), "expected text in quotes");
    assert_eq!(problem("jwks_file", "5"), "expected the path of a file");
    assert_eq!(problem("leeway", "\"11m\""), "must be between 0s and 10m");
    assert_eq!(problem("refresh", "\"9s\""), "must be between 10s and 24h");
    assert_eq!(problem("stale_for", "\"169h\""), "must be between 1m and 168h");
}

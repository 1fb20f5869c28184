//! Sections that the operator names.

use super::*;

#[test]
fn nothing_is_named_by_default() {
    assert!(with_file("").trusted_issuer.is_empty());
    assert!(!load("", &[], Overrides::default()).explain().contains("trusted_issuer"));
}

#[test]
fn a_named_section_starts_as_a_copy_of_its_template() {
    let config = with_file(&format!("{CORP}leeway = \"5s\"\n"));
    assert_eq!(config.trusted_issuer["corp"].leeway, Duration::from_secs(5));
    assert_eq!(config.trusted_issuer["corp"].refresh, Duration::from_secs(60 * 60));
    assert_eq!(config.trusted_issuer.len(), 1);
}

#[test]
fn there_may_be_any_number_of_named_sections() {
    let section = |n: usize| CORP.replace("corp]", &format!("n_{n}]")).replace("login", &format!("login{n}"));
    let config = with_file(&(0..50).map(section).collect::<String>());
    assert_eq!(config.trusted_issuer.len(), 50);
    assert_eq!(config.trusted_issuer["n_49"].issuer, "https://login49.example.com");
}

#[test]
fn the_environment_reaches_a_section_of_the_file_and_begins_one() {
    let variables = [
        ("SELFSAME__TRUSTED_ISSUER__CORP__LEEWAY", "30s"),
        ("SELFSAME__TRUSTED_ISSUER__CORP__CLAIMS__EMAIL", "mail"),
        ("SELFSAME__TRUSTED_ISSUER__B__ISSUER", "https://b.example.com"),
        ("SELFSAME__TRUSTED_ISSUER__B__AUDIENCE", "x, y"),
        ("SELFSAME__TRUSTED_ISSUER__B__TENANT", "b"),
        ("SELFSAME__TRUSTED_ISSUER__B__CONTRACTS", "system,rivergen"),
    ];
    let issuers = load(CORP, &variables, Overrides::default()).config.trusted_issuer;
    assert_eq!(issuers["corp"].leeway, Duration::from_secs(30));
    assert_eq!(issuers["corp"].claims["email"], "mail");
    assert_eq!(issuers["b"].audience, ["x", "y"]);
    assert_eq!(issuers["b"].contracts.len(), 2);
}

#[test]
fn an_explanation_lists_named_sections_and_not_their_template() {
    let variables = [("SELFSAME__TRUSTED_ISSUER__CORP__REFRESH", "30s")];
    let folder = Folder::new();
    let loaded = folder.load(&format!("[log]\n{CORP}"), &variables, Overrides::default()).unwrap();
    let from = |key: &str| folder.without_path(&origin_of(&loaded, key));
    assert_eq!(from("trusted_issuer.corp.tenant"), "\"corp\" from config.toml:5");
    assert_eq!(from("trusted_issuer.corp.refresh"), "\"30s\" from environment SELFSAME__TRUSTED_ISSUER__CORP__REFRESH");
    assert_eq!(from("trusted_issuer.corp.claims.email"), "\"email\" from default");
    assert!(!loaded.explain().contains("trusted_issuer.example"), "{}", loaded.explain());
}

#[test]
fn an_explanation_keeps_named_sections_at_the_place_of_their_template() {
    let second = CORP.replace("corp]", "a]").replace("login", "login2");
    let loaded = load(&format!("{CORP}{second}"), &[], Overrides::default());
    let mut sections: Vec<&str> =
        loaded.settings.iter().map(|s| s.key.rsplit_once('.').unwrap_or(("", "")).0).collect();
    sections.dedup();
    let expected = [
        "identity",
        "trusted_issuer.corp",
        "trusted_issuer.corp.claims",
        "trusted_issuer.a",
        "trusted_issuer.a.claims",
        "rate_limit",
    ];
    assert!(sections.windows(expected.len()).any(|window| window == expected), "{sections:?}");
}

#[test]
fn an_unknown_key_of_a_named_section_names_the_nearest() {
    assert_eq!(
        file_error(&format!("{CORP}\n\n\naudiance = []\n")),
        "config.toml:9: unknown key trusted_issuer.corp.audiance; did you mean trusted_issuer.corp.audience?"
    );
    assert_eq!(
        file_error(&format!("{CORP}claims.emial = \"mail\"\n")),
        "config.toml:6: unknown key trusted_issuer.corp.claims.emial; did you mean trusted_issuer.corp.claims.email?"
    );
}

#[test]
fn a_suggestion_in_a_named_section_is_a_key_of_it() {
    assert_eq!(
        file_error("trusted_issuer.corp.url = \"https://a.example\"\n"),
        "config.toml:1: unknown key trusted_issuer.corp.url; did you mean trusted_issuer.corp.issuer?"
    );
}

#[test]
fn an_unknown_variable_of_a_named_section_names_the_nearest() {
    assert_eq!(
        environment_error("SELFSAME__TRUSTED_ISSUER__CORP__LEWAY", "1s"),
        "environment SELFSAME__TRUSTED_ISSUER__CORP__LEWAY: unknown key trusted_issuer.corp.leway; \
         did you mean SELFSAME__TRUSTED_ISSUER__CORP__LEEWAY?"
    );
}

#[test]
fn the_error_of_a_key_without_a_section_name_shows_where_the_name_goes() {
    for file in ["[trusted_issuer]\ntenant = \"a\"\n", "\ntrusted_issuer.tenant = \"a\"\n"] {
        assert_eq!(
            file_error(file),
            "config.toml:2: unknown key trusted_issuer.tenant; did you mean trusted_issuer.NAME.tenant?"
        );
    }
    assert_eq!(
        environment_error("SELFSAME__TRUSTED_ISSUER__TENANT", "a"),
        "environment SELFSAME__TRUSTED_ISSUER__TENANT: unknown key trusted_issuer.tenant; \
         did you mean SELFSAME__TRUSTED_ISSUER__NAME__TENANT?"
    );
}

#[test]
fn an_unknown_section_of_a_named_section_names_the_nearest() {
    assert_eq!(
        file_error("[trusted_issuer.corp.claim]\nemail = \"a\"\n"),
        "config.toml:1: unknown section trusted_issuer.corp.claim; did you mean trusted_issuer.corp.claims?"
    );
}

#[test]
fn the_template_cannot_be_set() {
    let problem = "trusted_issuer.example only documents what [trusted_issuer.NAME] can contain; choose another name";
    for file in
        ["[trusted_issuer.example]\n", "trusted_issuer.example.leeway = \"1s\"", "[trusted_issuer.example.claims]"]
    {
        assert_eq!(file_error(file), format!("config.toml:1: {problem}"));
    }
    let name = "SELFSAME__TRUSTED_ISSUER__EXAMPLE__LEEWAY";
    assert_eq!(environment_error(name, "1s"), format!("environment {name}: {problem}"));
}

#[test]
fn a_section_name_is_limited_to_lower_case_letters_digits_and_underscores() {
    let long = "a".repeat(65);
    for name in ["Corp", "my-house", "\"\"", "\"a b\"", "\"ä\"", &long] {
        assert_eq!(
            file_error(&format!("[trusted_issuer.{name}]\n")),
            format!(
                "config.toml:1: trusted_issuer.{}: a name is 1 to 64 of a-z, 0-9 and _; choose another name",
                name.trim_matches('"')
            )
        );
    }
    let name = "SELFSAME__TRUSTED_ISSUER__MY-HOUSE__LEEWAY";
    assert!(environment_error(name, "1s").contains("trusted_issuer.my-house: a name is 1 to 64 of"));
    with_file(&CORP.replace("corp]", &format!("{}_9]", &long[..62])));
}

#[test]
fn a_named_section_is_not_a_value() {
    assert_eq!(
        file_error(&format!("{CORP}claims = \"email\"\n")),
        "config.toml:6: trusted_issuer.corp.claims is a section; write [trusted_issuer.corp.claims] and its settings below"
    );
    assert!(file_error("trusted_issuer.corp = 5\n").starts_with("config.toml:1: unknown key trusted_issuer.corp; did"));
    assert!(file_error("[[trusted_issuer.corp]]\n").starts_with("config.toml:1: unknown key trusted_issuer.corp; did"));
}

//! Tests that `config.default.toml` is complete and correct.

use super::*;

#[test]
fn the_defaults_are_a_valid_configuration() {
    let config = Config::load(&Sources::default()).unwrap().config;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.request_timeout, Duration::from_secs(30));
    assert_eq!(config.issuer.max_token_lifetime, Duration::from_secs(30 * 24 * 60 * 60));
    assert_eq!(config.data, Path::new("./selfsame-data"));
    assert!(config.keys.master_key.expose().is_none());
}

#[test]
fn a_copy_of_the_default_file_is_a_valid_configuration_once_its_example_is_filled_in() {
    let (before, example) = DEFAULTS.split_once("[trusted_issuer.example]").unwrap();
    let filled = example
        .replacen("issuer = \"\"", "issuer = \"https://login.example.com\"", 1)
        .replacen("audience = []", "audience = [\"api\"]", 1)
        .replacen("tenant = \"\"", "tenant = \"corp\"", 1)
        .replacen("contracts = []", "contracts = [\"system\"]", 1)
        .replace("[trusted_issuer.example.", "[trusted_issuer.corp.");
    with_file(&format!("{before}[trusted_issuer.corp]{filled}"));
}

#[test]
fn every_default_has_a_comment_above_it() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let is_key = !line.is_empty() && !line.starts_with(['#', '[']);
        assert!(!is_key || lines[number - 1].starts_with("# "), "line {}: {line}", number + 1);
    }
}

#[test]
fn the_comment_of_every_number_and_duration_states_its_limits() {
    let settings = Settings::defaults();
    let mut bounded = 0;
    for key in settings.keys() {
        let value = &settings.get(key).unwrap().value;
        let too_low = match value {
            Value::Integer(_) => "-1".to_owned(),
            Value::String(text) if text.parse::<jiff::SignedDuration>().is_ok() => "-1s".to_owned(),
            _ => continue,
        };
        let name = format!("SELFSAME__{}", key.replace(".example.", ".corp.").replace('.', "__"));
        let error = Folder::new().error(CORP, &[(&name, &too_low)]);
        let limits = error.rsplit_once("must be ").unwrap_or_else(|| panic!("{error}")).1;
        assert!(comment_of(key).contains(limits), "{key}: the comment does not say {limits:?}");
        bounded += 1;
    }
    assert_eq!(bounded, 87);
}

fn comment_of(key: &str) -> String {
    let (section, name) = key.rsplit_once('.').unwrap();
    let body = DEFAULTS.split_once(&format!("\n[{section}]\n")).unwrap().1;
    let above = body.split_once(&format!("\n{name} = ")).unwrap().0;
    let comment: Vec<&str> = above.lines().rev().take_while(|line| line.starts_with("# ")).collect();
    comment.join(" ")
}

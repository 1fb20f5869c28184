//! The precedence of sources.

use super::*;

#[test]
fn a_file_overrides_the_default() {
    let loaded = load("[server]\nmax_headers = 100\n", &[], Overrides::default());
    assert_eq!(loaded.config.server.max_headers, 100);
    assert!(origin_of(&loaded, "server.max_headers").ends_with("config.toml:2"));
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = [("SELFSAME__SERVER__MAX_HEADERS", "200")];
    let loaded = load("[server]\nmax_headers = 100\n", &variables, Overrides::default());
    assert_eq!(loaded.config.server.max_headers, 200);
    assert_eq!(origin_of(&loaded, "server.max_headers"), "200 from environment SELFSAME__SERVER__MAX_HEADERS");
}

#[test]
fn a_flag_overrides_the_environment() {
    let variables =
        [("SELFSAME__SERVER__LISTEN", "127.0.0.1:1"), ("SELFSAME__DATA", "a"), ("SELFSAME__DATABASE__URL", "sqlite:a")];
    let overrides =
        Overrides { listen: Some("127.0.0.1:2".into()), data: Some("b".into()), database: Some("sqlite:b".into()) };
    let loaded = load("", &variables, overrides);
    assert_eq!(origin_of(&loaded, "server.listen"), "\"127.0.0.1:2\" from --listen");
    assert_eq!(origin_of(&loaded, "data"), "\"b\" from --data");
    assert_eq!(origin_of(&loaded, "database.url"), "(hidden) from --database");
}

#[test]
fn environment_variables_are_matched_in_any_case() {
    let loaded = load("", &[("selfsame__Server__max_headers", "200")], Overrides::default());
    assert_eq!(loaded.config.server.max_headers, 200);
}

#[test]
fn variables_that_a_platform_injects_are_ignored() {
    let variables = [("SELFSAME_PORT", "tcp://10.0.0.1:80"), ("SELFSAME_SERVICE_HOST", "10.0.0.1"), ("PATH", "/bin")];
    load("", &variables, Overrides::default());
}

#[test]
fn an_environment_value_is_read_as_the_type_of_its_default() {
    let variables = [("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true"), ("SELFSAME__ISSUER__NAME", "1")];
    let config = load("", &variables, Overrides::default()).config;
    assert!(config.database.allow_unsafe_durability);
    assert_eq!(config.issuer.name, "1");
}

#[test]
fn a_list_in_the_environment_is_separated_by_commas() {
    let list = layers::read_as(&Value::Array(vec![]), "a, b,");
    assert_eq!(list, Value::Array(vec![Value::String("a".into()), Value::String("b".into())]));
}

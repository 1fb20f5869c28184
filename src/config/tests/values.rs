//! Values that are refused, individually or together.

use super::*;

#[test]
fn an_address_must_have_a_port() {
    assert_eq!(
        environment_error("SELFSAME__SERVER__LISTEN", "abc"),
        "environment SELFSAME__SERVER__LISTEN: server.listen = \"abc\": \
         expected an address and port such as 127.0.0.1:8080"
    );
}

#[test]
fn a_flag_is_checked_like_any_other_source() {
    let overrides = Overrides { listen: Some("8080".into()), ..Overrides::default() };
    let error = Config::load(&Sources { overrides, ..Sources::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "--listen: server.listen = \"8080\": expected an address and port such as 127.0.0.1:8080"
    );
}

#[test]
fn a_duration_must_have_a_unit() {
    let expected = "expected a duration such as 30s, 5m or 1h";
    for value in ["\"banana\"", "\"30\"", "30", "true"] {
        let error = file_error(&format!("[server]\n\nrequest_timeout = {value}\n"));
        assert_eq!(error, format!("config.toml:3: server.request_timeout = {value}: {expected}"));
    }
}

#[test]
fn a_duration_may_have_several_units() {
    let config = with_file("[issuer]\ntoken_lifetime = \"1h 30m\"\n");
    assert_eq!(config.issuer.token_lifetime, Duration::from_secs(90 * 60));
}

#[test]
fn a_duration_has_limits() {
    for value in ["-5s", "0s", "11m", "9999999999h"] {
        let error = file_error(&format!("server.body_timeout = \"{value}\"\n"));
        let problem = "must be between 100ms and 10m";
        assert_eq!(error, format!("config.toml:1: server.body_timeout = \"{value}\": {problem}"));
    }
}

#[test]
fn a_number_has_limits() {
    for value in ["-1", "0", "1000001"] {
        let error = file_error(&format!("[server]\nmax_connections = {value}\n"));
        let problem = "must be between 1 and 1000000";
        assert_eq!(error, format!("config.toml:2: server.max_connections = {value}: {problem}"));
    }
}

#[test]
fn a_number_beyond_64_bits_is_refused() {
    let error = file_error("[server]\nmax_connections = 99999999999999999999\n");
    assert_eq!(error, "config.toml:2: server.max_connections: the number is too large");
}

#[test]
fn the_error_of_a_wrong_type_names_what_is_expected() {
    for (file, problem) in [
        ("server.max_headers = \"many\"", "expected a whole number"),
        ("server.max_headers = 1.5", "expected a whole number"),
        ("server.listen = 8080", "expected an address and port such as 127.0.0.1:8080"),
        ("database.allow_unsafe_durability = \"yes\"", "expected true or false"),
        ("data = 5", "expected the path of a folder"),
        ("data = \"\"", "expected the path of a folder"),
    ] {
        assert_eq!(file_error(file), format!("config.toml:1: {file}: {problem}"));
    }
}

#[test]
fn the_error_of_a_wrong_type_in_the_environment_names_what_is_expected() {
    assert_eq!(
        environment_error("SELFSAME__SERVER__MAX_HEADERS", "many"),
        "environment SELFSAME__SERVER__MAX_HEADERS: server.max_headers = \"many\": expected a whole number"
    );
    assert_eq!(
        environment_error("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "1"),
        "environment SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY: \
         database.allow_unsafe_durability = \"1\": expected true or false"
    );
}

#[test]
fn the_error_of_a_choice_lists_the_options() {
    assert_eq!(
        file_error("log.format = \"xml\""),
        "config.toml:1: log.format = \"xml\": expected one of \"auto\", \"text\", \"json\""
    );
    assert_eq!(
        file_error("system.client_hash = \"no\""),
        "config.toml:1: system.client_hash = \"no\": expected \"required\" or \"optional\""
    );
    assert_eq!(file_error("log.format = 1"), "config.toml:1: log.format = 1: expected text in quotes");
}

#[test]
fn a_misspelt_log_level_is_refused() {
    let expected = "expected error, warn, info, debug, trace or off, or directives such as info,selfsame=debug";
    for level in ["inof", "", "selfsame=loud", "loud,info"] {
        let error = file_error(&format!("log.level = \"{level}\""));
        assert_eq!(error, format!("config.toml:1: log.level = \"{level}\": {expected}"));
    }
    assert_eq!(with_file("log.level = \"warn,selfsame::store=debug\"").log.level, "warn,selfsame::store=debug");
}

#[test]
fn an_issuer_has_no_spaces() {
    assert_eq!(
        file_error("issuer.name = \"my house\""),
        "config.toml:1: issuer.name = \"my house\": expected at most 255 bytes without spaces"
    );
}

#[test]
fn a_public_url_is_a_bare_origin() {
    let expected = "expected http:// or https:// and a host without a path, such as https://id.example.com";
    for url in [
        "id.example.com",
        "ftp://id.example.com",
        "https://",
        "https://id.example.com/",
        "https://id.example.com/a",
        "https://id.example.com?a",
        "https://id.example.com#a",
        "https://a@id.example.com",
        "https://:80",
    ] {
        let error = file_error(&format!("server.public_url = \"{url}\""));
        let shown = url.replace("a@", "(hidden)@");
        assert_eq!(error, format!("config.toml:1: server.public_url = \"{shown}\": {expected}"));
    }
}

#[test]
fn a_long_value_is_cut_and_kept_on_one_line() {
    let error = file_error(&format!("issuer.name = \"\"\"\na{}\"\"\"", "\\n".repeat(500)));
    let shown = format!("\"a{}…\"", "\\n".repeat(79));
    assert_eq!(error, format!("config.toml:1: issuer.name = {shown}: expected at most 255 bytes without spaces"));
}

#[test]
fn a_token_may_not_outlive_the_maximum() {
    assert_eq!(
        file_error("[issuer]\ntoken_lifetime = \"721h\"\n"),
        "config.toml:2: issuer.token_lifetime = \"721h\": \
         must be at most issuer.max_token_lifetime = \"720h\" (default)"
    );
}

#[test]
fn a_broken_rule_is_reported_at_the_setting_that_was_set() {
    assert_eq!(
        file_error("[database]\nqueue = 100\n"),
        "config.toml:2: database.queue = 100: must be at least database.group = 256 (default)"
    );
}

#[test]
fn a_network_may_not_have_more_unread_bytes_than_all_together() {
    assert_eq!(
        file_error("[server]\nmax_unread_bytes = 8388608\n"),
        "config.toml:2: server.max_unread_bytes = 8388608: \
         must be at least server.max_network_unread_bytes = 16777216 (default)"
    );
}

#[test]
fn a_token_that_no_header_can_carry_is_reported_where_it_was_set() {
    assert_eq!(
        file_error("[server]\nmax_token_bytes = 65536\n"),
        "config.toml:2: server.max_token_bytes = 65536: must be at most server.max_header_bytes = 32768 (default)"
    );
    assert_eq!(with_file("server.max_header_bytes = 8192").server.max_header_bytes, 8192);
}

#[test]
fn a_network_has_its_share_of_a_number_and_at_least_one() {
    let share = |percent: u8, all| with_file(&format!("server.network_share = {percent}")).server.share_of(all);
    assert_eq!([share(25, 1024), share(25, 16), share(25, 3), share(100, 7), share(1, 0)], [256, 4, 1, 7, 1]);
    assert_eq!(share(100, usize::MAX), usize::MAX / 100);
}

#[test]
fn only_postgres_is_distributed() {
    let url = "url = \"postgres://user@host/accounts\"";
    assert!(!with_file(&format!("[database]\n{url}\n")).database.distributed);
    assert!(with_file(&format!("[database]\n{url}\ndistributed = true\n")).database.distributed);
    assert_eq!(
        file_error("[database]\ndistributed = true\n"),
        "config.toml:2: database.distributed = true: only PostgreSQL is distributed; leave it false for SQLite"
    );
}

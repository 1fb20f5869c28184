//! Secrets and their files, which are never shown.

use super::*;
use crate::config::secret::without_passwords;

#[test]
fn a_secret_is_read_from_its_file_without_the_last_line_break() {
    let folder = Folder::new();
    for text in [MASTER_KEY.to_owned(), format!("{MASTER_KEY}\n"), format!("{MASTER_KEY}\r\n")] {
        let path = folder.write("master.key", &text);
        let loaded = folder.load(&format!("keys.master_key_file = {path:?}"), &[], Overrides::default()).unwrap();
        assert_eq!(loaded.config.keys.master_key.expose(), Some(&std::array::from_fn(|i| i as u8)));
        assert_eq!(folder.without_path(&origin_of(&loaded, "keys.master_key")), "(hidden) from config.toml:1");
    }
}

#[test]
fn a_secret_and_its_file_cannot_both_be_given() {
    assert_eq!(
        file_error("[database]\nurl = \"sqlite:a\"\nurl_file = \"b\"\n"),
        "config.toml:3: database.url and database.url_file are both given; keep one of them"
    );
}

#[test]
fn a_secret_overrides_its_file_from_an_earlier_source() {
    let overrides = Overrides { database: Some("sqlite:b".into()), ..Overrides::default() };
    let loaded = load("database.url_file = \"no/such\"", &[], overrides);
    assert!(matches!(loaded.config.database(), DatabaseUrl::Sqlite(path) if path == Path::new("b")));
    assert_eq!(origin_of(&loaded, "database.url_file"), "\"\" from --database");
}

#[test]
fn the_file_of_a_secret_overrides_the_secret_from_an_earlier_source() {
    let folder = Folder::new();
    let path = folder.write("url", "sqlite:b");
    let variables = [("SELFSAME__DATABASE__URL_FILE", &*path)];
    let loaded = folder.load("database.url = \"sqlite:a\"", &variables, Overrides::default()).unwrap();
    assert!(matches!(loaded.config.database(), DatabaseUrl::Sqlite(path) if path == Path::new("b")));
}

#[test]
fn an_unreadable_secret_file_is_named() {
    assert_eq!(
        file_error("[database]\nurl_file = \"./no/such\"\n"),
        "config.toml:2: database.url_file = \"./no/such\": cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn the_file_of_a_secret_must_be_text() {
    assert_eq!(
        file_error("database.url_file = 5"),
        "config.toml:1: database.url_file = (hidden): expected text in quotes"
    );
}

#[test]
fn an_empty_secret_file_is_refused() {
    let folder = Folder::new();
    let path = folder.write("url", "\n");
    assert_eq!(
        folder.error(&format!("database.url_file = {path:?}"), &[]),
        "config.toml:1: database.url_file = \"url\": the file is empty; write the secret into it"
    );
}

#[test]
fn an_error_never_shows_a_secret() {
    let database = "expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE";
    for value in ["\"mysql://u:hunter2@h/d\"", "[\"hunter2\"]", "\"sqlite:\"", "\"sqlite::memory:\"", "\"postgres://\""]
    {
        let error = file_error(&format!("database.url = {value}"));
        assert_eq!(error, format!("config.toml:1: database.url = (hidden): {database}"));
    }
    let key = "expected 64 hexadecimal digits, such as `openssl rand -hex 32` prints";
    for value in ["hunter2", &MASTER_KEY[1..], &format!("{MASTER_KEY}00"), &MASTER_KEY.replace("1f", "1ß")] {
        let error = file_error(&format!("keys.master_key = \"{value}\""));
        assert_eq!(error, format!("config.toml:1: keys.master_key = (hidden): {key}"));
    }
    let error = file_error("[database]\nurl = postgres://u:hunter2@h/d\n");
    assert!(error.starts_with("config.toml:2: not valid TOML: ") && !error.contains("hunter2"), "{error}");
}

#[test]
fn neither_explanation_nor_debug_output_shows_a_secret() {
    let file = format!("database.url = \"postgres://u:hunter2@h/d\"\nkeys.master_key = \"{MASTER_KEY}\"\n");
    let loaded = load(&file, &[], Overrides::default());
    let shown = format!("{}{loaded:?}{:?}", loaded.explain(), loaded.config.database());
    assert!(!shown.contains("hunter2") && !shown.contains(MASTER_KEY), "{shown}");
    assert_eq!(shown.matches("(hidden)").count(), 10);
}

#[test]
fn an_explanation_lists_every_setting_with_its_origin() {
    let explanation = load("", &[("SELFSAME__LOG__FORMAT", "json")], Overrides::default()).explain();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = explanation.lines().map(words).collect();
    let is_listed = |key: &&str| !key.starts_with("trusted_issuer.example.");
    assert_eq!(lines.len(), Settings::defaults().keys().filter(is_listed).count());
    assert_eq!(lines[0], "data = \"./selfsame-data\" # default");
    assert_eq!(lines[1], "server.listen = \"127.0.0.1:8080\" # default");
    assert!(lines.contains(&"log.format = \"json\" # environment SELFSAME__LOG__FORMAT".to_owned()), "{explanation}");
}

#[test]
fn the_user_and_the_password_in_a_url_are_not_shown() {
    for (key, text, shown) in [
        ("sms.url", "https://a/b", "https://a/b"),
        ("sms.url", "https://a/b?key=x", "https://a/b?(hidden)"),
        ("sms.url", "https://u:p@a/b?key=x@y", "https://(hidden)@a/b?(hidden)"),
        ("smtp.host", "u:p@a", "(hidden)@a"),
        ("smtp.host", "u:p@q@a", "(hidden)@a"),
        ("smtp.from", "Example <no-reply@example.com>", "Example <no-reply@example.com>"),
        ("smtp.from", "no-reply@example.com", "no-reply@example.com"),
        ("sms.headers", "X-Key: x", "X-Key: (hidden)"),
        ("sms.headers", "X-Key: {secret}", "X-Key: {secret}"),
        ("sms.headers", "x", "(hidden)"),
    ] {
        assert_eq!(without_passwords(key, text), shown);
    }
}

//! Files with secrets: who may read them, and that nothing that may be a password is printed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Installation;

const KEY_FILE: &str = "SELFSAME__KEYS__MASTER_KEY_FILE";

/// Writes a file with this mode into the data folder and returns its path.
fn file(installation: &Installation, name: &str, text: &str, mode: u32) -> String {
    let path = installation.data().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_master_key_file_that_every_user_may_read_or_write_is_refused() {
    for mode in [0o644, 0o444, 0o604, 0o602] {
        let mut installation = Installation::new();
        let key = file(&installation, "key", &"ab".repeat(32), mode);
        installation.set(KEY_FILE, &key);
        let expected = format!(
            "selfsame: environment {KEY_FILE}: keys.master_key_file = \"DATA/key\": readable by others (mode {mode:o}); \
             run `chmod o= DATA/key`"
        );
        assert_eq!(installation.refusal(&["serve"]), expected);
        assert_eq!(installation.refusal(&["config", "check"]), expected);
        assert_eq!(installation.refusal(&["tenant", "list"]), expected);
    }
}

#[test]
fn a_master_key_file_that_its_group_may_read_is_accepted() {
    for mode in [0o600, 0o400, 0o440, 0o640, 0o660] {
        let mut installation = Installation::new();
        let key = file(&installation, "key", &"ab".repeat(32), mode);
        installation.set(KEY_FILE, &key);
        assert_eq!(installation.print(&["tenant", "list"]), "", "{mode:o}");
    }
}

#[test]
fn a_master_key_that_is_not_used_may_have_any_mode() {
    let mut installation = Installation::new();
    let key = file(&installation, "key", &"ab".repeat(32), 0o644);
    let settings = file(&installation, "selfsame.toml", &format!("keys.master_key_file = {key:?}\n"), 0o600);
    installation.set("SELFSAME__KEYS__MASTER_KEY", &"cd".repeat(32));
    assert_eq!(installation.print(&["tenant", "list", "--config", &settings]), "");
}

#[test]
fn each_other_file_with_a_secret_that_every_user_may_read_causes_one_warning() {
    let mut installation = Installation::new();
    let password = file(&installation, "password", "hunter2", 0o644);
    let secret = file(&installation, "secret", "hunter2", 0o640);
    installation.set("SELFSAME__SMTP__USER", "operator");
    installation.set("SELFSAME__SMTP__PASSWORD_FILE", &password);
    installation.set("SELFSAME__SMS__SECRET_FILE", &secret);
    let settings = format!("[keys]\nmaster_key = {:?}\n", "ab".repeat(32));
    let settings = file(&installation, "selfsame.toml", &settings, 0o644);
    let mut running = installation.spawn(&["serve", "--config", &settings]);
    crate::support::program::listening(&mut running.errors);
    running.terminate();
    let ended = running.end();
    let warnings: Vec<serde_json::Value> = ended
        .errors
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["level"] == "WARN")
        .collect();
    let named: Vec<_> = warnings.iter().map(|line| (line["setting"].as_str(), line["mode"].as_str())).collect();
    assert_eq!(named, [(Some("smtp.password_file"), Some("644")), (Some("keys.master_key"), Some("644"))], "{ended}");
    assert!(warnings.iter().all(|line| line["message"] == "secret file is readable by others"), "{ended}");
    assert!(!ended.errors.contains("hunter2"), "{ended}");
}

#[test]
fn a_check_of_the_configuration_warns_of_files_that_every_user_may_read() {
    let mut installation = Installation::new();
    let password = file(&installation, "password", "hunter2", 0o604);
    installation.set("SELFSAME__SMTP__USER", "operator");
    installation.set("SELFSAME__SMTP__PASSWORD_FILE", &password);
    let ended = installation.run(&["config", "check"]);
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), "the configuration is valid\n"));
    let warning =
        "warning: smtp.password_file: DATA/password is readable by others (mode 604); run `chmod o= DATA/password`";
    assert_eq!(installation.settled(&ended.errors), warning);
}

#[test]
fn a_database_url_whose_password_is_not_encoded_is_refused_without_a_part_of_it() {
    let installation = Installation::new();
    for url in [
        "postgres://operator:hun@ter2@127.0.0.1:1/accounts",
        "postgres://operator:hun@ter2#x@127.0.0.1:1/accounts",
        "postgres://operator:hun@ter2/x@127.0.0.1:1/accounts",
        "postgres://operator:hun@ter2?x=y@127.0.0.1:1/accounts",
        "postgresql://operator:hun#@ter2#",
        "postgres://operator:hunter2",
        "postgres://operator:hunter2/accounts",
        "postgres://127.0.0.1:1/accounts?password=hun@ter2",
        "postgres://operator@127.0.0.1:1/accounts?password=hun@ter2",
        "postgres://operator:hunter2@127.0.0.1:1:2/accounts",
        "postgres://operator:hunter2@127.0.0.1:99999/accounts",
    ] {
        let refusal = installation.refusal(&["tenant", "list", "--database", url]);
        let expected = "selfsame: --database: database.url = (hidden): expected postgres://USER:PASSWORD@HOST/DATABASE; \
                        in USER and PASSWORD write @ as %40, ? as %3F and % as %25";
        assert_eq!(refusal, expected, "{url}");
    }
    let url = "postgres://operator@127.0.0.1:1/accounts?password=hun&ter2=x";
    let refusal = installation.refusal(&["tenant", "list", "--database", url]);
    assert!(refusal.starts_with("selfsame: database.url = (hidden): ") && !refusal.contains("ter2"), "{refusal}");
}

#[test]
fn a_database_url_with_an_encoded_password_is_accepted_and_not_shown() {
    let installation = Installation::new();
    for url in [
        "postgres://operator:hun%40ter2%23@127.0.0.1:1/accounts",
        "postgres://operator:hun#ter2/@127.0.0.1:1/accounts",
        "postgres://operator@127.0.0.1:1/accounts?password=hun%40ter2",
    ] {
        let refusal = installation.refusal(&["tenant", "list", "--database", url]);
        let expected =
            "selfsame: database postgres://127.0.0.1:1/accounts: error connecting to server: Connection refused";
        assert!(refusal.starts_with(expected), "{url}: {refusal}");
    }
}

#[test]
fn a_secret_in_the_place_of_its_file_is_not_printed() {
    for (name, text) in [
        (KEY_FILE, "ab".repeat(32)),
        ("SELFSAME__DATABASE__URL_FILE", "postgres://operator:hunter2@h/d".to_owned()),
        ("SELFSAME__SMTP__PASSWORD_FILE", "hunter2".to_owned()),
    ] {
        let mut installation = Installation::new();
        installation.set(name, &text);
        let refusal = installation.refusal(&["config", "check"]);
        assert!(refusal.contains("_file = (hidden): cannot be read: ") && !refusal.contains(&text), "{refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn credentials_in_the_place_of_a_url_or_a_header_are_not_printed() {
    for (name, text) in [
        ("SELFSAME__SMS__URL", "https://operator:hunter2@gateway.example/send"),
        ("SELFSAME__SMS__URL", "ftp://gateway.example/send?key=hunter2"),
        ("SELFSAME__PICTURES__S3_ENDPOINT", "https://operator:hunter2@minio.example"),
        ("SELFSAME__TELEMETRY__OTLP_ENDPOINT", "https://hunter2@collector.example"),
        ("SELFSAME__SERVER__CORS_ORIGINS", "https://a.example,https://operator:hunter2@b.example"),
        ("SELFSAME__SMTP__FROM", "operator:hunter2@mail.example:"),
    ] {
        let mut installation = Installation::new();
        installation.set(name, text);
        let refusal = installation.refusal(&["config", "check"]);
        assert!(refusal.contains("(hidden)") && !refusal.contains("hunter2"), "{refusal}");
    }
    let mut installation = Installation::new();
    installation.set("SELFSAME__SMS__URL", "https://gateway.example/send?key=hunter2");
    installation.set("SELFSAME__SMS__HEADERS", "X-Key: hunter2,Authorization: Bearer {secret}");
    installation.set("SELFSAME__SMS__BODY", r#"{"to":"{to}","text":"{text}"}"#);
    let explained = installation.print(&["config", "explain"]);
    assert!(!explained.contains("hunter2"), "{explained}");
    for shown in [r#""https://gateway.example/send?(hidden)""#, "X-Key: (hidden)", "Authorization: Bearer {secret}"] {
        assert!(explained.contains(shown), "{explained}");
    }
}

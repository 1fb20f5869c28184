//! A start that fails ends with one line that names the key, the value and where it was set.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::with_tenant;
use crate::support::Installation;

/// Writes a configuration file into the data folder, and returns its path for `--config`.
fn file(installation: &Installation, text: &str) -> String {
    let path = installation.data().join("selfsame.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_unknown_key_in_the_file_is_refused() {
    let installation = Installation::new();
    let file = file(&installation, "[server]\nlisten = \"127.0.0.1:0\"\nlisen = \"127.0.0.1:1\"\n");
    insta::assert_snapshot!(installation.refusal(&["serve", "--config", &file]), @"selfsame: DATA/selfsame.toml:3: unknown key server.lisen; did you mean server.listen?");
}

#[test]
fn a_value_out_of_bounds_is_refused() {
    let installation = Installation::new();
    let file = file(&installation, "[server]\nmax_connections = 0\n");
    insta::assert_snapshot!(installation.refusal(&["serve", "--config", &file]), @"selfsame: DATA/selfsame.toml:2: server.max_connections = 0: must be between 1 and 1000000");
    insta::assert_snapshot!(installation.refusal(&["config", "check", "--config", &file]), @"selfsame: DATA/selfsame.toml:2: server.max_connections = 0: must be between 1 and 1000000");
}

#[test]
fn a_missing_configuration_file_is_named() {
    let installation = Installation::new();
    insta::assert_snapshot!(installation.refusal(&["serve", "--config", "/no/such/file.toml"]), @"selfsame: /no/such/file.toml: cannot be read: No such file or directory (os error 2); check the path after --config");
}

#[test]
fn an_unknown_variable_is_refused() {
    let mut installation = Installation::new();
    installation.set("SELFSAME__SERVER__LISTN", "127.0.0.1:0");
    insta::assert_snapshot!(installation.refusal(&["serve"]), @"selfsame: environment SELFSAME__SERVER__LISTN: unknown key server.listn; did you mean SELFSAME__SERVER__LISTEN?");
}

#[test]
fn a_secret_file_that_cannot_be_read_is_named() {
    let mut installation = Installation::new();
    installation.set("SELFSAME__KEYS__MASTER_KEY_FILE", "/no/such/secret");
    insta::assert_snapshot!(installation.refusal(&["serve"]), @r#"selfsame: environment SELFSAME__KEYS__MASTER_KEY_FILE: keys.master_key_file = "/no/such/secret": cannot be read: No such file or directory (os error 2)"#);
}

#[test]
fn a_master_key_that_others_may_read_is_refused() {
    let installation = Installation::new();
    with_tenant(&installation);
    let key = installation.data().join("secret.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    insta::assert_snapshot!(installation.refusal(&["serve"]), @"selfsame: master key: DATA/secret.key: readable by others (mode 644); run `chmod 600 DATA/secret.key`");
    // The group may: a volume of Kubernetes with `fsGroup` makes each file so.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o660)).unwrap();
    installation.print(&["tenant", "list"]);
}

on_both_databases!(
    async fn a_master_key_of_another_database_is_refused(installation: Installation) {
        with_tenant(&installation);
        let mut installation = installation;
        installation.set("SELFSAME__KEYS__MASTER_KEY", &"ab".repeat(32));
        insta::assert_snapshot!(installation.refusal(&["serve"]), @"selfsame: keys.master_key: this master key does not decrypt the keys in the database; use the master key that the database was created with");
    }
);

#[test]
fn a_master_key_file_of_another_installation_is_refused() {
    let (installation, other) = (Installation::new(), Installation::new());
    with_tenant(&installation);
    with_tenant(&other);
    fs::copy(other.data().join("secret.key"), installation.data().join("secret.key")).unwrap();
    insta::assert_snapshot!(installation.refusal(&["serve"]), @"selfsame: DATA/secret.key: this master key does not decrypt the keys in the database; use the master key that the database was created with");
}

#[test]
fn a_port_in_use_is_refused_with_its_setting() {
    let installation = Installation::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refusal = installation.refusal(&["serve", "--listen", &address]).replace(&address, "ADDRESS");
    insta::assert_snapshot!(refusal, @r#"selfsame: server.listen = "ADDRESS": Address already in use (os error 98); choose another address"#);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let installation = Installation::new();
    with_tenant(&installation);
    let newer = "INSERT INTO refinery_schema_history VALUES (99, 'from_the_future', '2026-01-01T00:00:00Z', '1')";
    Connection::open(installation.sqlite_file()).unwrap().execute(newer, []).unwrap();
    insta::assert_snapshot!(installation.refusal(&["serve"]), @"selfsame: database DATA/selfsame.sqlite3: made by a newer version of selfsame (V99__from_the_future is unknown to this one); start that version, or restore a backup made before the upgrade");
    insta::assert_snapshot!(installation.refusal(&["migrate"]), @"selfsame: database DATA/selfsame.sqlite3: made by a newer version of selfsame (V99__from_the_future is unknown to this one); start that version, or restore a backup made before the upgrade");
}

#[test]
fn a_data_folder_that_cannot_be_created_is_named() {
    let installation = Installation::new();
    let file = file(&installation, "");
    let mut other = Installation::new();
    other.set("SELFSAME__DATABASE__URL", &format!("sqlite:{file}/selfsame.sqlite3"));
    let refusal = other.refusal(&["tenant", "list"]).replace(&file, "FILE");
    insta::assert_snapshot!(refusal, @"selfsame: database FILE/selfsame.sqlite3: Not a directory (os error 20)");
}

#[test]
fn a_database_server_that_is_not_there_is_named_without_its_password() {
    let installation = Installation::new();
    let url = "postgres://operator:hunter2@127.0.0.1:1/accounts";
    insta::assert_snapshot!(installation.refusal(&["tenant", "list", "--database", url]), @"selfsame: database postgres://127.0.0.1:1/accounts: error connecting to server: Connection refused (os error 111)");
}

#[test]
fn a_database_url_that_is_invalid_is_not_shown() {
    let installation = Installation::new();
    let url = "mysql://operator:hunter2@127.0.0.1/accounts";
    insta::assert_snapshot!(installation.refusal(&["tenant", "list", "--database", url]), @"selfsame: --database: database.url = (hidden): expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE");
}

#[test]
fn a_valid_configuration_is_explained_without_its_secrets() {
    let mut installation = Installation::new();
    installation.set("SELFSAME__KEYS__MASTER_KEY", &"ab".repeat(32));
    let file = file(&installation, "[server]\nmax_requests = 7\n");
    assert_eq!(installation.print(&["config", "check", "--config", &file]), "the configuration is valid\n");
    let explained = installation.settled(&installation.print(&["config", "explain", "--config", &file]));
    for line in ["server.max_requests = 7", "keys.master_key = (hidden)"] {
        let said = explained.lines().find(|said| said.starts_with(line)).unwrap();
        assert!(said.contains("  # "), "{said}");
    }
    assert!(!explained.contains("abab"), "{explained}");
}

on_both_databases!(
    async fn tables_can_be_migrated_before_the_first_start_and_again(installation: Installation) {
        assert_eq!(installation.print(&["migrate"]), "");
        assert_eq!(installation.print(&["migrate"]), "");
        assert!(!installation.data().join("secret.key").exists(), "the migration created a key");
        with_tenant(&installation);
    }
);

#[test]
fn a_migration_makes_the_data_folder() {
    let installation = Installation::new();
    fs::remove_dir(installation.data()).unwrap();
    assert_eq!(installation.print(&["migrate"]), "");
    assert!(installation.sqlite_file().exists());
}

#[test]
fn certificates_are_not_needed_while_no_issuer_is_trusted() {
    let mut installation = Installation::new();
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        installation.set(variable, "/nonexistent");
    }
    assert_eq!(installation.print(&["tenant", "list"]), "");
}

#[test]
fn an_invalid_command_is_answered_with_the_usage() {
    let installation = Installation::new();
    for arguments in [&["acount"][..], &["token", "revoke"], &["account", "set"], &["serve", "--lisen", "x"]] {
        let ended = installation.run(arguments);
        assert!(ended.code == Some(2) && ended.errors.contains("Usage: selfsame"), "{ended}");
    }
}

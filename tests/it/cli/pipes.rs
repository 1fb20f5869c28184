//! Commands whose output no longer has a reader: a listing ends, every other command continues.

use std::fs::File;
use std::path::PathBuf;

use rusqlite::Connection;

use super::{with_account, with_tenant};
use crate::support::Installation;

/// Number of accounts whose lines exceed a pipe (64 KiB) and the buffer of its reader.
const MANY: u64 = 200;

/// The identifier of the account with a number.
fn id(number: u64) -> String {
    format!("00000000-0000-7000-8000-{number:012x}")
}

/// Writes a file into the data folder, and returns its path.
fn file(installation: &Installation, text: &str) -> PathBuf {
    let path = installation.data().join("input");
    std::fs::write(&path, text).unwrap();
    path
}

/// Adds the tenant `demo` with accounts whose listing exceeds a pipe.
fn with_many_accounts(installation: &Installation) {
    with_tenant(installation);
    let remark = "long ".repeat(150);
    let line =
        |number| format!(r#"{{"id":"{}","number":{number},"tenant":"demo","remark":"{remark}"}}"#, id(number)) + "\n";
    let lines: String = (1..=MANY).map(line).collect();
    installation.print(&["account", "import", file(installation, &lines).to_str().unwrap()]);
}

/// Changes one row of the database directly.
fn tamper(installation: &Installation, statement: &str) {
    let database = Connection::open(installation.sqlite_file()).unwrap();
    assert_eq!(database.execute(statement, []).unwrap(), 1, "{statement}");
}

on_both_databases!(
    async fn a_listing_ends_without_an_error_when_its_reader_has_read_enough(installation: Installation) {
        with_many_accounts(&installation);
        for listing in [["account", "list"].as_slice(), &["account", "list", "--json"], &["account", "export"]] {
            let whole = installation.print(listing);
            assert!(whole.len() > 128 * 1024, "{listing:?} fits into the pipe");
            let ended = installation.head(listing);
            assert!(ended.code == Some(0) && ended.errors.is_empty(), "{listing:?}: {ended}");
            assert_eq!(Some(ended.output.as_str()), whole.split_inclusive('\n').next(), "{listing:?}");
        }
    }
);

#[test]
fn a_listing_reads_no_further_than_its_reader() {
    let installation = Installation::new();
    with_many_accounts(&installation);
    tamper(&installation, &format!("UPDATE account SET attributes = x'78' WHERE number = {MANY}"));
    assert_eq!(
        installation.run(&["account", "export"]).code,
        Some(1),
        "the export succeeded without writing the last account"
    );
    let ended = installation.head(&["account", "export"]);
    assert!(ended.code == Some(0) && ended.errors.is_empty(), "{ended}");
}

#[test]
fn every_listing_succeeds_without_a_reader() {
    let installation = Installation::new();
    let account = with_account(&installation);
    installation.print(&["key", "create", "--tenant", "demo"]);
    installation.print(&["client", "create", "--tenant", "demo", "--name", "App"]);
    installation.print(&["tenant", "set-schema", "demo", file(&installation, "{}").to_str().unwrap()]);
    let listings = [
        ["account", "list"].as_slice(),
        &["account", "show", &account],
        &["account", "show", &account, "--json"],
        &["account", "export"],
        &["tenant", "list"],
        &["tenant", "show-schema", "demo"],
        &["key", "list", "--tenant", "demo"],
        &["client", "list", "--tenant", "demo"],
        &["audit", "list", "--account", &account],
        &["openapi", "system"],
        &["config", "check"],
        &["config", "explain"],
    ];
    for listing in listings {
        let ended = installation.spawn_unread(listing).end();
        assert!(ended.code == Some(0) && ended.errors.is_empty(), "{listing:?}: {ended}");
        assert_ne!(installation.print(listing), "", "{listing:?} writes nothing at all");
    }
}

#[test]
fn a_change_is_made_without_a_reader() {
    let installation = Installation::new();
    let account = with_account(&installation);
    let application =
        installation.json(&["client", "create", "--tenant", "demo", "--name", "App", "--json"])["client_id"].clone();
    let schema = file(&installation, "{}");
    let changes = [
        ["tenant", "create", "other"].as_slice(),
        &["tenant", "set", "other", "--rename", "another"],
        &["tenant", "set-schema", "demo", schema.to_str().unwrap()],
        &["account", "create", "--tenant", "another"],
        &["account", "set", &account, "nickname=Jo"],
        &["account", "set-status", &account, "SUSPENDED"],
        &["key", "create", "--tenant", "another"],
        &["key", "create", "--tenant", "another", "--json"],
        &["client", "create", "--tenant", "another", "--name", "App"],
        &["client", "rotate-secret", application.as_str().unwrap()],
        &["token", "issue", "--account", &account, "--contract", "system"],
        &["token", "issue", "--account", &account, "--contract", "system", "--json"],
        &["issuer", "rotate"],
        &["issuer", "rotate", "--applications"],
        &["channel", "rotate"],
    ];
    for change in changes {
        let ended = installation.spawn_unread(change).end();
        assert!(ended.code == Some(0) && ended.errors.is_empty(), "{change:?}: {ended}");
    }
    let lines = |listing: &[&str]| installation.print(&[listing, &["--json"]].concat()).lines().count();
    assert_eq!(lines(&["account", "list", "--tenant", "another"]), 1);
    assert_eq!(lines(&["key", "list", "--tenant", "another"]), 2);
    assert_eq!(lines(&["client", "list", "--tenant", "another"]), 1);
    let shown = installation.json(&["account", "show", &account, "--json"]);
    assert_eq!((&shown["nickname"], &shown["status"]), (&"Jo".into(), &"SUSPENDED".into()));
}

on_both_databases!(
    async fn an_import_continues_to_its_last_line_without_a_reader(installation: Installation) {
        with_tenant(&installation);
        let line = |number| match number % 3 {
            0 => "{}\n".to_owned(),
            _ => format!("{{\"id\":\"{}\",\"tenant\":\"demo\"}}\n", id(number)),
        };
        let lines = file(&installation, &(1..=100).map(line).collect::<String>());
        let import = ["account", "import", lines.to_str().unwrap(), "--keep-going"];
        // Refused lines make the exit code 1, whether they can be reported or not.
        assert_eq!(installation.run_unread(&import), Some(1));
        assert_eq!(installation.print(&["account", "export"]).lines().count(), 67);
        insta::assert_snapshot!(installation.print(&["audit", "verify"]), @"accounts: 67, entries: 67, erased: 0, broken histories: 0");
    }
);

#[test]
fn a_copy_is_whole_and_verified_without_a_reader() {
    let installation = Installation::new();
    with_account(&installation);
    let source = format!("sqlite:{}", installation.sqlite_file().display());
    let target = |name: &str| format!("sqlite:{}", installation.data().join(name).display());
    let copy = target("copy.sqlite3");
    let ended = installation.spawn_unread(&["copy", "--from", &source, "--to", &copy]).end();
    assert!(ended.code == Some(0) && ended.errors.is_empty(), "{ended}");
    insta::assert_snapshot!(installation.print(&["audit", "verify", "--database", &copy]), @"accounts: 1, entries: 1, erased: 0, broken histories: 0");

    tamper(&installation, "UPDATE history SET salt = zeroblob(length(salt))");
    let ended = installation.spawn_unread(&["copy", "--from", &source, "--to", &target("broken.sqlite3")]).end();
    insta::assert_snapshot!(installation.settled(&ended.to_string()), @"
    exit code Some(1)
    account ID: entry 1: the payload is not the one that was committed to
    selfsame: histories are broken; `selfsame audit verify` on the source shows whether they are broken there too
    ");
}

#[test]
fn a_broken_history_is_found_without_a_reader() {
    let installation = Installation::new();
    with_account(&installation);
    for _ in 0..2 {
        installation.print(&["account", "create", "--tenant", "demo"]);
    }
    let verify = ["audit", "verify"];
    let ended = installation.spawn_unread(&verify).end();
    assert!(ended.code == Some(0) && ended.errors.is_empty(), "{ended}");
    for number in [1, 3] {
        tamper(&installation, &format!("UPDATE account SET history_head = zeroblob(32) WHERE number = {number}"));
    }
    let ended = installation.spawn_unread(&verify).end();
    insta::assert_snapshot!(ended, @"
    exit code Some(1)
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
    // Standard error has no reader either.
    assert_eq!(installation.run_unread(&verify), Some(1));
}

#[test]
fn output_that_cannot_be_written_for_another_reason_is_an_error() {
    let installation = Installation::new();
    with_account(&installation);
    for listing in [["account", "list"], ["account", "export"], ["config", "explain"], ["openapi", "system"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = installation.spawn_into(full, &listing).end();
        assert_eq!(ended.code, Some(1), "{listing:?}: {ended}");
        assert_eq!(ended.errors, "selfsame: standard output: No space left on device (os error 28)\n", "{listing:?}");
    }
}

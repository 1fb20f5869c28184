use rusqlite::Connection;

use super::with_account;
use crate::support::Installation;

/// An account with three entries in its history.
fn with_history(installation: &Installation) -> String {
    let id = with_account(installation);
    installation.print(&["account", "set", &id, "display_name=Jane"]);
    installation.print(&["account", "set-status", &id, "SUSPENDED"]);
    id
}

on_both_databases!(
    async fn a_history_shows_who_changed_what(installation: Installation) {
        let id = with_history(&installation);
        let json = installation.print(&["audit", "list", "--account", &id, "--json"]);
        insta::assert_snapshot!(installation.settled(&json), @r#"
        {"sequence":1,"at":"TIME","actor":"operator","contract":"cli","request_id":"","erased":false,"changes":[{"field":"display_name","before":null,"after":"Jane Admin"},{"field":"username","before":null,"after":"jane"},{"field":"email","before":null,"after":"jane@example.com"},{"field":"email_verified","before":false,"after":true}]}
        {"sequence":2,"at":"TIME","actor":"operator","contract":"cli","request_id":"","erased":false,"changes":[{"field":"display_name","before":"Jane Admin","after":"Jane"}]}
        {"sequence":3,"at":"TIME","actor":"operator","contract":"cli","request_id":"","erased":false,"changes":[{"field":"status","before":"ACTIVE","after":"SUSPENDED"}]}
        "#);
        let text = installation.print(&["audit", "list", "--account", &id]);
        insta::assert_snapshot!(installation.settled(&text), @r#"
        sequence:   1
        at:         TIME
        actor:      operator
        contract:   cli
        request_id: 
        erased:     false
        changes:    [{"field":"display_name","before":null,"after":"Jane Admin"},{"field":"username","before":null,"after":"jane"},{"field":"email","before":null,"after":"jane@example.com"},{"field":"email_verified","before":false,"after":true}]

        sequence:   2
        at:         TIME
        actor:      operator
        contract:   cli
        request_id: 
        erased:     false
        changes:    [{"field":"display_name","before":"Jane Admin","after":"Jane"}]

        sequence:   3
        at:         TIME
        actor:      operator
        contract:   cli
        request_id: 
        erased:     false
        changes:    [{"field":"status","before":"ACTIVE","after":"SUSPENDED"}]
        "#);
    }
);

on_both_databases!(
    async fn an_intact_history_is_verified(installation: Installation) {
        let id = with_history(&installation);
        installation.print(&["account", "create", "--tenant", "demo"]);
        insta::assert_snapshot!(installation.print(&["audit", "verify"]), @"accounts: 2, entries: 4, erased: 0, broken histories: 0");
        insta::assert_snapshot!(installation.print(&["audit", "verify", "--account", &id]), @"accounts: 1, entries: 3, erased: 0, broken histories: 0");
    }
);

/// Changes the database by hand and returns how `audit verify` ends.
fn verified_after(tampering: &str) -> String {
    let installation = Installation::new();
    with_history(&installation);
    installation.print(&["account", "create", "--tenant", "demo"]);
    let database = Connection::open(installation.sqlite_file()).unwrap();
    assert!(database.execute(tampering, []).unwrap() > 0, "nothing was tampered with");
    drop(database);
    let ended = installation.run(&["audit", "verify"]);
    installation.settled(&ended.to_string())
}

#[test]
fn an_entry_whose_metadata_was_changed_is_found() {
    insta::assert_snapshot!(verified_after("UPDATE history SET actor = 'owner' WHERE sequence = 2"), @"
    exit code Some(1)
    account ID: entry 2: the entry is not linked to the one before it
    accounts: 2, entries: 1, erased: 0, broken histories: 1
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
}

#[test]
fn an_entry_whose_time_was_changed_is_found() {
    let tampering = "UPDATE history SET at = at + 1 WHERE sequence = 3";
    assert!(verified_after(tampering).contains("account ID: entry 3: the entry is not linked to the one before it"));
}

#[test]
fn an_entry_whose_payload_was_replaced_is_found() {
    let tampering = "UPDATE history SET payload = (SELECT payload FROM history h WHERE h.account_id = history.account_id \
                     AND h.sequence = 3) WHERE sequence = 2";
    insta::assert_snapshot!(verified_after(tampering), @"
    exit code Some(1)
    account ID: entry 2: the payload does not open
    accounts: 2, entries: 1, erased: 0, broken histories: 1
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
}

#[test]
fn an_entry_whose_salt_was_changed_is_found() {
    let tampering = "UPDATE history SET salt = zeroblob(length(salt)) WHERE sequence = 2";
    insta::assert_snapshot!(verified_after(tampering), @"
    exit code Some(1)
    account ID: entry 2: the payload is not the one that was committed to
    accounts: 2, entries: 1, erased: 0, broken histories: 1
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
}

#[test]
fn a_deleted_entry_is_reported_as_missing() {
    insta::assert_snapshot!(verified_after("DELETE FROM history WHERE sequence = 2"), @"
    exit code Some(1)
    account ID: entry 2: an entry is missing
    accounts: 2, entries: 1, erased: 0, broken histories: 1
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
}

#[test]
fn a_deleted_last_entry_is_reported_as_missing() {
    insta::assert_snapshot!(verified_after("DELETE FROM history WHERE sequence = 3"), @"
    exit code Some(1)
    account ID: entry 3: the chain does not end at the account's head
    accounts: 2, entries: 1, erased: 0, broken histories: 1
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
}

#[test]
fn a_changed_head_is_found() {
    let tampering = "UPDATE account SET history_head = zeroblob(32) WHERE number = 1";
    insta::assert_snapshot!(verified_after(tampering), @"
    exit code Some(1)
    account ID: entry 4: the chain does not end at the account's head
    accounts: 2, entries: 1, erased: 0, broken histories: 1
    selfsame: at least one history was altered, see the lines above; compare the accounts with a backup
    ");
}

#[test]
fn an_erased_entry_leaves_the_history_whole() {
    let tampering = "UPDATE history SET sealing_key = NULL, payload = NULL, salt = NULL WHERE sequence = 2";
    insta::assert_snapshot!(verified_after(tampering), @"
    exit code Some(0)
    accounts: 2, entries: 4, erased: 1, broken histories: 0
    ");
}

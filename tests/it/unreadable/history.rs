//! Unreadable histories and identities, which the command line reads.

use selfsame::account::{Error, Field};
use selfsame::store::{Identity, Link};

use super::row::{Row, wrong};
use super::{IS_NO_TIME, NO_TIME, SIDES, causes, rename, written};
use crate::support::{Log, Person, Server, THROW_AWAY, patch};

on_both_databases!(
    async fn a_history_that_is_ahead_of_its_account_is_an_internal_error_and_nothing_is_written(server: Server) {
        let names = [(Field::GivenName, "Jane"), (Field::FamilyName, "Roe"), (Field::Email, "jane@example.com")];
        let person = Person::new(&server, patch(&names)).await;
        let ahead = "INSERT INTO history SELECT account_id, 2, at, actor, contract, request_id, commitment, link, \
                     sealing_key, payload, salt FROM history";
        server.database().execute(ahead).await;
        let before = written(&server).await;
        let mut seen = 0;
        for side in SIDES {
            let answer = rename(&person, side).await;
            assert_eq!(answer.status, 500, "{side:?}: {answer}");
            let logged = causes(&Log::of_this_test(), &mut seen);
            assert!(logged.len() == 1 && logged[0].contains("history"), "{side:?}: {logged:?}");
        }
        assert_eq!(written(&server).await, before);
    }
);

on_both_databases!(
    async fn an_unreadable_entry_of_a_history_ends_its_audit_and_is_named(server: Server) {
        let account = server.person(&[(Field::DisplayName, "Jane")]).await;
        let key = format!("{}/1", account.id);
        let entry = Row { server: &server, table: "history", condition: "sequence = 1".to_owned(), key };
        let short = server.database().bytes(&[7; 31]);
        let mut cases = vec![
            wrong("at", NO_TIME, IS_NO_TIME),
            wrong("commitment", short.as_str(), "not 32 bytes"),
            wrong("link", short.as_str(), "not 32 bytes"),
            wrong("salt", short.as_str(), "not 32 bytes"),
        ];
        if server.database().is_sqlite() {
            cases.extend(
                ["actor", "contract", "request_id"].map(|name| wrong(name, "CAST(X'61ff' AS TEXT)", "not UTF-8")),
            );
        }
        let store = server.app.store();
        entry
            .damage_and(&cases, async |place| assert_eq!(internal(store.history(account.id, 0, 10).await), place))
            .await;

        server.database().execute(&format!("UPDATE history SET link = {short}")).await;
        let id = account.id.to_string();
        for command in [["audit", "list", "--account", &id], ["audit", "verify", "--account", &id]] {
            let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_selfsame"));
            program.args(command).arg("--data").arg(server.data()).args(["--database", server.database().url()]);
            let output = program.env_clear().envs(THROW_AWAY).output().unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(told, format!("selfsame: internal error: history {id}/1: link: not 32 bytes\n"));
        }
    }
);

on_both_databases!(
    async fn an_unreadable_identity_is_named_by_its_key(server: Server) {
        let account = server.person(&[]).await;
        let identity = Identity { issuer: "https://id.example".to_owned(), subject: "jane".to_owned() };
        let link = Link { identity, key: [0xab; 32] };
        server.app.store().link(account.id, &link, server.app.now()).await.unwrap();
        let key = format!("https://id.example/{}", "ab".repeat(32));
        let row = Row { server: &server, table: "identity", condition: "1 = 1".to_owned(), key };
        let cases = [
            wrong("personal_key", "3", "3 is not a known key"),
            wrong("subject", server.database().bytes(b"ja\xff"), "not UTF-8"),
        ];
        let store = server.app.store();
        row.damage_and(&cases, async |place| assert_eq!(internal(store.identities(account.id).await), place)).await;
    }
);

/// The cause of an internal error.
fn internal<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Internal(cause)) => cause.to_string(),
        Err(other) => panic!("{other:?} instead of an internal error"),
        Ok(_) => panic!("what cannot be read was read"),
    }
}

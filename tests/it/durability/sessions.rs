//! The settings of PostgreSQL sessions, recorded by a trigger in the transaction of each change.

use selfsame::account::{Contract, Field};

use crate::support::{Database, Server, patch};

/// Records the settings of the session that writes an account.
const RECORDER: &str = "
    CREATE TABLE recorded (version bigint, setting text, value text);
    CREATE FUNCTION record_settings() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO recorded SELECT NEW.version, name, current_setting(name) FROM unnest(ARRAY['synchronous_commit',
            'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) AS name;
        RETURN NULL;
    END $$;
    CREATE TRIGGER record_settings AFTER INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION record_settings();";

/// The tests' cluster has none of these settings by default.
#[test]
fn every_change_is_committed_in_a_session_that_is_durable_and_bounded() {
    crate::support::run(Database::postgres, async |database| {
        let server = Server::with(database, &[("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "7s")]).await;
        server.database().execute(RECORDER).await;
        // An insert, a change of one statement, and one of a whole transaction, which claims several unique keys.
        let account = server.person(&[]).await;
        let token = server.token(&account, Contract::System).await;
        let change = server.request("POST", "/web/v1/system/profile/update").bearer(&token);
        let change = change.header("X-Client-Hash", "d1").json(r#"{"accountName":"Jane"}"#).send().await;
        assert_eq!(change.status, 200, "{change}");
        let mut addresses = patch(&[(Field::Email, "jane@example.com"), (Field::Phone, "+8613800138000")]);
        (addresses.email_verified, addresses.phone_verified) = (Some(true), Some(true));
        server.operate(&account, addresses).await;

        let recorded = server.database().rows("SELECT * FROM recorded ORDER BY version, setting").await;
        // A change that is committed with others waits for a lock for a shorter time before it is committed alone.
        let of_each = |lock_timeout| {
            ["idle_in_transaction_session_timeout 7s", lock_timeout, "statement_timeout 7s", "synchronous_commit on"]
        };
        let lock_timeouts = [(1, "lock_timeout 7s"), (2, "lock_timeout 250ms"), (3, "lock_timeout 7s")];
        let expected = lock_timeouts
            .into_iter()
            .flat_map(|(version, lock_timeout)| of_each(lock_timeout).map(|setting| format!("{version} {setting}")));
        assert_eq!(recorded, expected.collect::<Vec<_>>());
    });
}

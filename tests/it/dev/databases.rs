//! `dev` makes a database of its own or continues in one that it made, and refuses every other one without changing it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Demo;
use crate::support::{Database, Installation, Request};

const DEV: [&str; 3] = ["dev", "--listen", "127.0.0.1:0"];
const FACT: &str = "SELECT value FROM installation WHERE name = 'made_by'";
const WITHOUT_FACT: &str = "DELETE FROM installation WHERE name = 'made_by'";

/// The sorted names of the files in a folder.
fn listing(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The error of `dev` about a refused database, which must name the database.
fn refusal(installation: &Installation) -> String {
    let refusal = installation.refusal(&DEV);
    let (database, rest) = refusal.strip_prefix("selfsame: database ").unwrap().split_once(": ").unwrap();
    let (_, place) = installation.database().url().split_once(':').unwrap();
    assert!(database.contains(place.rsplit('/').next().unwrap()), "{database} is not {place}");
    format!("database PLACE: {rest}")
}

on_both_databases!(
    async fn a_database_with_only_a_tenant_is_refused_and_left_as_it_was(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        // A start that is not refused would make a new master key.
        fs::remove_file(installation.data().join("secret.key")).unwrap();
        let before = (installation.database().all_rows().await, listing(installation.data()));
        insta::assert_snapshot!(refusal(&installation), @"database PLACE: it was not made by `selfsame dev`, which would add demo accounts and their credentials to it; use `selfsame serve`, or choose another database for `dev` with --data or --database");
        assert_eq!((installation.database().all_rows().await, listing(installation.data())), before);
    }
);

#[test]
fn a_refused_database_is_named_without_its_password() {
    let database = Database::postgres();
    let mut installation = Installation::new();
    installation.set("SELFSAME__DATABASE__URL", &database.url().replace("postgres@", "postgres:hunter2@"));
    installation.print(&["tenant", "create", "acme"]);
    let refusal = installation.refusal(&DEV);
    assert!(refusal.starts_with("selfsame: database postgres:///") && !refusal.contains("hunter2"), "{refusal}");
}

on_both_databases!(
    async fn a_database_of_an_older_version_is_refused_before_its_tables_change(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        // A migration that ran would fail because its tables exist.
        let database = installation.database();
        database.execute("DELETE FROM refinery_schema_history WHERE version > 1").await;
        refusal(&installation);
        assert_eq!(database.rows("SELECT version FROM refinery_schema_history").await, ["1"]);
    }
);

on_both_databases!(
    async fn a_database_with_only_an_account_is_refused(installation: Installation) {
        installation.print(&["tenant", "create", "acme"]);
        installation.print(&["account", "create", "--tenant", "acme"]);
        installation.database().execute("DELETE FROM tenant").await;
        refusal(&installation);
    }
);

on_both_databases!(
    async fn a_database_that_has_tables_and_keys_but_no_tenant_is_accepted(installation: Installation) {
        installation.print(&["migrate"]);
        // Every start makes the keys, this command included.
        installation.print(&["tenant", "list"]);
        let demo = Demo::start(&installation);
        assert_eq!(demo.read(demo.token()).await.status, 200);
        demo.stop();
        assert_eq!(installation.database().rows(FACT).await, ["dev"]);
    }
);

on_both_databases!(
    async fn a_start_that_fails_has_marked_the_database_before_anything_else(installation: Installation) {
        let key = installation.data().join("secret.key");
        fs::write(&key, "no key").unwrap();
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(installation.run(&DEV).code, Some(1));
        let rows = installation.database().all_rows().await;
        let rows: Vec<&String> = rows.iter().filter(|row| !row.starts_with("counter ")).collect();
        assert!(matches!(rows.as_slice(), [fact] if fact.contains("made_by")), "{rows:?}");
        fs::remove_file(&key).unwrap();
        Demo::start(&installation).stop();
    }
);

on_both_databases!(
    async fn a_database_that_dev_made_may_have_other_tenants_and_accounts(installation: Installation) {
        Demo::start(&installation).stop();
        assert_eq!(installation.database().rows(FACT).await, ["dev"]);
        installation.print(&["tenant", "create", "acme"]);
        let file = installation.data().join("accounts.jsonl");
        fs::write(&file, r#"{"id":"00000000-0000-7000-8000-000000000001","tenant":"acme"}"#).unwrap();
        installation.print(&["account", "import", file.to_str().unwrap()]);
        let demo = Demo::start(&installation);
        assert_eq!(demo.read(demo.token()).await.status, 200);
        demo.stop();
    }
);

on_both_databases!(
    async fn a_database_that_an_older_dev_made_gets_the_mark(installation: Installation) {
        Demo::start(&installation).stop();
        installation.database().execute(WITHOUT_FACT).await;
        Demo::start(&installation).stop();
        assert_eq!(installation.database().rows(FACT).await, ["dev"]);
    }
);

on_both_databases!(
    async fn a_database_of_others_that_an_older_dev_used_is_refused(installation: Installation) {
        Demo::start(&installation).stop();
        installation.print(&["tenant", "create", "acme"]);
        installation.database().execute(WITHOUT_FACT).await;
        let before = installation.database().all_rows().await;
        refusal(&installation);
        assert_eq!(installation.database().all_rows().await, before);
    }
);

on_both_databases!(
    async fn a_database_that_something_else_made_is_refused(installation: Installation) {
        installation.print(&["migrate"]);
        installation.database().execute("INSERT INTO installation VALUES ('made_by', 'another')").await;
        refusal(&installation);
        assert_eq!(installation.database().rows("SELECT name, value FROM installation").await, ["made_by another"]);
    }
);

on_both_databases!(
    async fn concurrent_first_starts_serve_one_demo(installation: Installation) {
        let start = || installation.spawn(&["dev", "--json", "--listen", "127.0.0.1:0"]);
        let mut programs = [start(), start(), start(), start()];
        let mut accounts = Vec::new();
        for program in &mut programs {
            let printed: Value = serde_json::from_str(&program.output.wait_for(|_| true)).unwrap();
            accounts.push((printed["account_id"].clone(), printed["bystander_id"].clone()));
            let health = format!("{}/healthz", printed["base_url"].as_str().unwrap());
            assert_eq!(Request::new(&reqwest::Client::new(), "GET", &health).send().await.status, 200);
        }
        assert!(accounts.iter().all(|account| *account == accounts[0]), "{accounts:?}");
        for program in programs {
            program.terminate();
            let ended = program.end();
            assert_eq!(ended.code, Some(0), "{ended}");
        }
        let database = installation.database();
        assert_eq!(database.rows("SELECT name FROM tenant").await, ["demo"]);
        assert_eq!(database.rows("SELECT count(*) FROM account").await, ["2"]);
        assert_eq!(database.rows("SELECT count(*) FROM application").await, ["1"]);
    }
);

on_both_databases!(
    async fn a_server_on_a_database_that_dev_made_warns_that_its_credentials_open_it(installation: Installation) {
        let demo = Demo::start(&installation);
        let (id, key) = (demo.text("/account_id").to_owned(), demo.text("/contracts/cl2c/api_key").to_owned());
        demo.stop();
        let (program, address) = installation.serve();
        let user = format!("http://{address}/v1/cl2c/users/{id}");
        let request = Request::new(&reqwest::Client::new(), "GET", &user);
        let answer = request.header("tenant", "demo").header("X-API-Key", &key).send().await;
        assert_eq!(answer.status, 200, "{answer}");
        program.terminate();
        let ended = program.end();
        let warnings: Vec<Value> = ended.errors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let warnings: Vec<&Value> = warnings.iter().filter(|line| line["level"] == "WARN").collect();
        assert_eq!(warnings.len(), 1, "{ended}");
        insta::assert_snapshot!(warnings[0]["message"].as_str().unwrap(), @"demo credentials of selfsame dev are valid in this database; selfsame copy makes a copy without them");
    }
);

on_both_databases!(
    async fn a_server_on_another_database_does_not_warn(installation: Installation) {
        installation.print(&["tenant", "create", "demo"]);
        let (program, _) = installation.serve();
        program.terminate();
        let ended = program.end();
        assert!(ended.code == Some(0) && !ended.errors.contains("WARN"), "{ended}");
    }
);

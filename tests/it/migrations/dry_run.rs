//! `selfsame migrate --dry-run`: what a migration would do, and that nothing is written.

use std::path::Path;
use std::process::Command;

use selfsame::store::{OpenError, Store};

use super::{another, configured, execute, migrate, migrations, open, schema};
use crate::support::Database;

/// The output of a dry run, which must succeed and create no file.
fn dry_run(database: &Database) -> String {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
    command.env_clear().args(["migrate", "--dry-run", "--data"]).arg(data.path()).args(["--database", database.url()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
    String::from_utf8(output.stdout).unwrap()
}

on_both_databases!(
    async fn a_dry_run_lists_pending_migrations_and_changes_nothing(database: Database) {
        let known = migrations(&database);
        let nothing = "unique keys of phone numbers to rebuild: 0, verified marks to remove: 0\n";
        let unknown = "unique keys and verified marks: not known before the pending migrations, which make the table that has them\n";
        // The table of unique keys has its name since the ninth migration.
        for (applied, last) in [(8, unknown), (9, nothing), (known.len(), nothing)] {
            let database = another(&database);
            migrate(&database, &known[..applied]).await;
            let tables = schema(&database).await;
            let pending = known[applied..].iter().map(|migration| format!("pending migration: {migration}\n"));
            assert_eq!(dry_run(&database), pending.collect::<String>() + last);
            assert_eq!(schema(&database).await, tables);
        }
    }
);

on_both_databases!(
    async fn a_dry_run_does_not_create_a_database(database: Database) {
        let printed = dry_run(&database);
        match database.url().strip_prefix("sqlite:") {
            Some(file) => {
                assert_eq!(printed, "there is no database yet: it would be created\n");
                assert!(!Path::new(file).exists());
            }
            None => {
                assert_eq!(printed.lines().count(), migrations(&database).len() + 1);
                assert_eq!(schema(&database).await, [""; 0]);
            }
        }
    }
);

on_both_databases!(
    async fn a_dry_run_refuses_a_database_made_by_a_newer_version(database: Database) {
        let (config, _data) = configured(&database);
        open(&config).await.unwrap();
        let row = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                   VALUES (9999, 'of_the_future', '2030-01-01T00:00:00Z', '1')";
        execute(&database, row).await;
        let refused = Store::open_to_read(&config.database(), &config.database).await.err().unwrap();
        assert!(matches!(refused, OpenError::Newer(..)), "{refused:?}");
        execute(&database, "DELETE FROM refinery_schema_history WHERE version = 9999").await;
        execute(&database, "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1").await;
        let refused = Store::open_to_read(&config.database(), &config.database).await.err().unwrap();
        assert!(matches!(refused, OpenError::Divergent(..)), "{refused:?}");
    }
);

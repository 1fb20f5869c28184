//! Something that keeps changes of accounts from being committed, for tests that interrupt them.

use selfsame::account::AccountId;
use tokio_postgres::NoTls;

use super::Database;

/// On SQLite it keeps every other write waiting too, since there is one writer.
pub(crate) enum Obstacle {
    /// A trigger that never returns.
    Trigger,
    /// A lock on rows; the connection's transaction has it.
    Lock(tokio_postgres::Client),
}

impl Obstacle {
    /// Stops the next change of this account, or of any.
    pub(crate) async fn put(database: &Database, account: Option<AccountId>) -> Obstacle {
        let id = account.map(|account| account.0.simple().to_string());
        if database.url().starts_with("sqlite:") {
            let when = id.map_or(String::new(), |id| format!("WHEN old.id = x'{id}'"));
            let endless = format!(
                "CREATE TRIGGER endless BEFORE UPDATE ON account {when} BEGIN SELECT count(*) FROM \
                 (WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n FROM n); END"
            );
            database.execute(&endless).await;
            return Obstacle::Trigger;
        }
        let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let which = id.map_or(String::new(), |id| format!("WHERE id = '{id}'"));
        client.batch_execute(&format!("BEGIN; SELECT id FROM account {which} FOR UPDATE")).await.unwrap();
        Obstacle::Lock(client)
    }

    /// Lets changes be committed again.
    pub(crate) async fn take_away(self, database: &Database) {
        match self {
            Obstacle::Trigger => database.execute("DROP TRIGGER endless").await,
            Obstacle::Lock(client) => client.batch_execute("ROLLBACK").await.unwrap(),
        }
    }
}

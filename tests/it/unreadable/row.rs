//! Makes the columns of a row unreadable, one after the other.

use super::{causes, written};
use crate::support::{Answer, Log, Server};

/// A row of the server's database.
pub(super) struct Row<'a> {
    pub(super) server: &'a Server,
    pub(super) table: &'static str,
    /// The SQL condition that selects the row.
    pub(super) condition: String,
    /// The key of the row in the log.
    pub(super) key: String,
}

/// The SQL value that a column is set to, and the cause that is logged for it.
pub(super) struct Wrong {
    column: &'static str,
    value: String,
    why: String,
}

pub(super) fn wrong(column: &'static str, value: impl Into<String>, why: impl Into<String>) -> Wrong {
    Wrong { column, value: value.into(), why: why.into() }
}

impl Row<'_> {
    /// Damages one column after the other and calls `ask` with the number of each case. Every answer must be an internal
    /// error that does not contain the key, with one line in the log that names the place; nothing may be written.
    pub(super) async fn damage(&self, cases: &[Wrong], mut ask: impl AsyncFnMut(usize) -> Vec<Answer>) {
        let log = Log::of_this_test();
        let mut seen = log.at("ERROR").len();
        let before = written(self.server).await;
        let mut number = 0;
        self.damage_and(cases, async |place| {
            let answers = ask(number).await;
            for answer in &answers {
                assert_eq!(answer.status, 500, "{place}: {answer}");
                assert!(!answer.body.contains(&self.key), "{answer}");
            }
            assert_eq!(causes(&log, &mut seen), vec![place; answers.len()]);
            number += 1;
        })
        .await;
        assert_eq!(written(self.server).await, before);
    }

    /// Damages one column after the other and passes the expected cause to `examine`.
    pub(super) async fn damage_and(&self, cases: &[Wrong], mut examine: impl AsyncFnMut(String)) {
        let Row { server, table, condition, key } = self;
        let database = server.database();
        database.execute(&format!("CREATE TABLE kept AS SELECT * FROM {table} WHERE {condition}")).await;
        for Wrong { column, value, why } in cases {
            database.execute(&format!("UPDATE {table} SET {column} = {value} WHERE {condition}")).await;
            examine(format!("{table} {key}: {column}: {why}")).await;
            let restore = format!("UPDATE {table} SET {column} = (SELECT k.{column} FROM kept k) WHERE {condition}");
            database.execute(&restore).await;
        }
        database.execute("DROP TABLE kept").await;
    }
}

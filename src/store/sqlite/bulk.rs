//! Many rows at a time.

use rusqlite::{Connection, params_from_iter};
use tokio::sync::mpsc::Receiver;

use super::{Sqlite, error, error_of, execute, query, query_text};
use crate::account::{Cause, Error, Unique};
use crate::store::copy::{Batch, Measure, measured};
use crate::store::statement::Statement;
use crate::store::table::{TABLES, Table, Values};
use crate::store::value::{Parameter, present};
use crate::store::{Query, Read};

/// Pages that the log gathers before they go into the file. Many rows under keyed hashes touch pages all over it: at SQLite's
/// own 1000 every batch would write all of them there again.
const LOG_PAGES: i64 = 32 * 1024;

impl Sqlite {
    /// Runs a statement once for each list of parameters.
    pub(in crate::store) fn query_each<T>(
        &self,
        statement: Statement,
        bound: impl Iterator<Item = Vec<Parameter>>,
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        let reader = self.readers.take();
        let mut values = Vec::new();
        for bound in bound {
            values.extend(query(&reader, statement, &bound, read)?);
        }
        Ok(values)
    }

    /// Writes rows, then runs queries, in one transaction; [`Error::Taken`] names any of what is taken.
    pub(in crate::store) async fn insert(
        &self,
        rows: Vec<(&'static Table, Vec<Values>)>,
        queries: Vec<Query>,
    ) -> Result<(), Error> {
        let work = move |connection: &Connection| {
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(error)?;
            for (table, rows) in &rows {
                insert(connection, table, rows)?;
            }
            run_all(connection, &queries)
        };
        self.writer.run(work).await
    }

    /// The rows of a table behind a key.
    pub(in crate::store) fn page(
        &self,
        table: &Table,
        behind: Option<Values>,
        limit: i64,
    ) -> Result<Vec<Values>, Error> {
        let statement = table.page('?', behind.is_some());
        let mut bound = behind.unwrap_or_default();
        bound.push(limit.into());
        query_text(&self.readers.take(), &statement, &bound, |row| table.read(row))
    }

    /// How full every table is.
    pub(in crate::store) fn measure(&self) -> Result<Vec<Measure>, Error> {
        measure(&self.readers.take())
    }

    /// Writes what comes, in one transaction that commits when all has come and is undone when it breaks off.
    pub(in crate::store) async fn fill(&self, mut batches: Receiver<Batch>) -> Result<(), Error> {
        let work = move |connection: &Connection| {
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(error)?;
            for table in TABLES.iter().filter(|table| table.seeded) {
                connection.execute(&format!("DELETE FROM {}", table.name), []).map_err(error)?;
            }
            loop {
                match batches.blocking_recv() {
                    Some(Batch::Rows(table, rows)) => insert(connection, table, &rows)?,
                    // A sender that no longer waits for the answer has given up, and its channel ends next.
                    Some(Batch::Measure(answer)) => drop(answer.send(measure(connection)?)),
                    Some(Batch::End(last)) => return run_all(connection, &last),
                    None => return Err(Error::Unavailable(Cause::new("the copy broke off"))),
                }
            }
        };
        self.writer.run(work).await
    }
}

fn run_all(connection: &Connection, queries: &[Query]) -> Result<(), Error> {
    queries.iter().try_for_each(|query| execute(connection, query).map(drop))
}

fn measure(connection: &Connection) -> Result<Vec<Measure>, Error> {
    let one = |table: &&Table| {
        let rows = query_text(connection, &table.measure(), &[], |row| measured(table, row))?;
        present(rows.into_iter().next())
    };
    TABLES.iter().map(one).collect()
}

fn insert(connection: &Connection, table: &Table, rows: &[Values]) -> Result<(), Error> {
    let mut prepared = connection.prepare_cached(&table.insert()).map_err(error)?;
    let refused = |cause| error_of(cause, Some(Unique::Number));
    rows.iter().try_for_each(|row| prepared.execute(params_from_iter(row)).map(drop).map_err(refused))
}

//! Bulk reads and writes.

use std::mem::take;

use rusqlite::{Connection, params_from_iter};
use tokio::sync::mpsc::{Receiver, Sender};

use super::{Sqlite, connect, error, error_of, execute, query, query_text};
use crate::account::{Cause, Error, Unique};
use crate::store::copy::{BATCH_BYTES, BATCH_ROWS, Batch, Written};
use crate::store::statement::Statement;
use crate::store::table::{Table, Values, size};
use crate::store::tables::TABLES;
use crate::store::value::{Parameter, computed};
use crate::store::{Query, Read};

/// Size of the write-ahead log, in pages, at which a checkpoint writes them to the file. Rows with keyed hashes touch pages
/// all over the file: at SQLite's default of 1000 every batch would write all of those pages again.
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

    /// Writes rows, then runs queries, in one transaction. The kind of unique key in [`Error::Taken`] is arbitrary.
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

    /// Returns the result of a counting query for each table.
    pub(in crate::store) fn counts(&self, query: fn(&Table) -> String) -> Result<Vec<u64>, Error> {
        counts(&self.readers.take(), query)
    }

    /// Sends every row of every table from one snapshot.
    pub(in crate::store) async fn dump(&self, batches: Sender<Batch>) -> Result<(), Error> {
        let path = self.path.clone();
        let dump = move || dump(&connect(&path).map_err(error)?, &batches);
        tokio::task::spawn_blocking(dump).await.unwrap_or_else(|panicked| Err(Error::Internal(Cause::new(panicked))))
    }

    /// Writes the received batches, then runs queries, in one transaction. Commits after [`Batch::End`], and rolls back when
    /// the copy breaks off.
    pub(in crate::store) async fn fill(&self, mut batches: Receiver<Batch>, last: Vec<Query>) -> Result<(), Error> {
        let work = move |connection: &Connection| {
            connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES).map_err(error)?;
            for table in TABLES.iter().filter(|table| table.fresh.is_some()) {
                connection.execute(&format!("DELETE FROM {}", table.name), []).map_err(error)?;
            }
            let mut written = Written::new();
            loop {
                match batches.blocking_recv() {
                    Some(Batch::Total(_)) => {}
                    Some(Batch::Rows(table, rows)) => {
                        insert(connection, table, &rows)?;
                        written.add(table, rows.len());
                    }
                    Some(Batch::End) => {
                        written.check(&counts(connection, Table::count)?)?;
                        return run_all(connection, &last);
                    }
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

fn insert(connection: &Connection, table: &Table, rows: &[Values]) -> Result<(), Error> {
    let mut prepared = connection.prepare_cached(&table.insert()).map_err(error)?;
    let refused = |cause| error_of(cause, Some(Unique::Number));
    rows.iter().try_for_each(|row| prepared.execute(params_from_iter(row)).map(drop).map_err(refused))
}

/// Sends every row. Ends early, without an error, when the receiver is gone: the other end has failed and reports why.
fn dump(connection: &Connection, batches: &Sender<Batch>) -> Result<(), Error> {
    // All reads in one transaction see the state at the first read.
    connection.execute_batch("BEGIN").map_err(error)?;
    let mut received = batches.blocking_send(Batch::Total(counts(connection, Table::count)?.iter().sum()));
    for table in TABLES {
        let mut prepared = connection.prepare(&table.dump()).map_err(error)?;
        let mut rows = prepared.query([]).map_err(error)?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(error)? {
            let values = table.read(row)?;
            bytes += size(&values);
            batch.push(values);
            if bytes >= BATCH_BYTES || batch.len() >= BATCH_ROWS {
                received = batches.blocking_send(Batch::Rows(table, take(&mut batch)));
                bytes = 0;
            }
            if received.is_err() {
                return Ok(());
            }
        }
        if !batch.is_empty() {
            received = batches.blocking_send(Batch::Rows(table, batch));
        }
    }
    // The receiver may be gone; there is nothing left to do either way.
    let _ = batches.blocking_send(Batch::End);
    Ok(())
}

fn counts(connection: &Connection, query: fn(&Table) -> String) -> Result<Vec<u64>, Error> {
    let count = |table: &&Table| query_text(connection, &query(table), &[], |row| computed::<i64>(row, 0));
    TABLES.iter().map(|table| Ok(count(table)?.into_iter().map(i64::unsigned_abs).sum())).collect()
}

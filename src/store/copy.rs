//! Copies a whole installation from one database to another, of either kind, as of the moment when the copy begins.

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::table::{Table, Values};
use super::tables::TABLES;
use super::{DevCredentials, Store};
use crate::account::{Cause, Error};

/// The approximate size of the rows of a batch, in bytes.
pub(super) const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// The most rows in a batch.
pub(super) const BATCH_ROWS: usize = 2000;

/// A message from the reading end of a copy to the writing end.
pub(super) enum Batch {
    /// How many rows will follow.
    Total(u64),
    /// Rows of a table.
    Rows(&'static Table, Vec<Values>),
    /// Every row was sent.
    End,
}

/// A progress report of a copy.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// How many rows there are in all.
    Total(u64),
    /// How many more rows of a table were read.
    Rows(&'static str, u64),
}

/// The result for one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// How many rows it has in the target.
    pub rows: u64,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target is not empty.
    #[error("the target is not empty (table {0}): give a new database, in which no server was started yet")]
    NotEmpty(&'static str),
    /// One of the databases failed.
    #[error("{0}; the target is as empty as it was: copy again")]
    Failed(Error),
}

impl From<Error> for CopyError {
    fn from(error: Error) -> CopyError {
        CopyError::Failed(error)
    }
}

impl Store {
    /// Copies every row of every table into an empty database, all or none, in memory that does not grow with their number.
    /// Returns the row counts of the target's tables. The source is read in one snapshot: concurrent writes are not copied.
    ///
    /// In the same transaction, the credentials that `dev` made are revoked in the copy and its facts about them are
    /// dropped, so they are never valid there.
    pub async fn copy_to(
        &self,
        target: &Store,
        dev: &DevCredentials,
        report: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<Copied>, CopyError> {
        let occupied = target.counts(Table::occupied).await?;
        if let Some((table, _)) = TABLES.iter().zip(occupied).find(|(_, rows)| *rows > 0) {
            return Err(CopyError::NotEmpty(table.name));
        }
        // One batch is read while the previous one is written.
        let (read, reading) = mpsc::channel(1);
        let (write, writing) = mpsc::channel(1);
        let dump = async {
            match self {
                Store::Sqlite(sqlite) => sqlite.dump(read).await,
                Store::Postgres(postgres) => postgres.dump(read).await,
            }
        };
        let fill = async {
            match target {
                Store::Sqlite(sqlite) => sqlite.fill(writing, dev.ending()).await,
                Store::Postgres(postgres) => postgres.fill(writing, dev.ending()).await,
            }
        };
        // An end that fails drops its channel, which makes the other end stop or roll back. When the source fails, the
        // target only learns that the copy broke off.
        let (dumped, (), filled) = tokio::join!(dump, forward(reading, write, report), fill);
        dumped?;
        filled?;
        let there = TABLES.iter().zip(target.counts(Table::count).await?);
        Ok(there.map(|(table, rows)| Copied { table: table.name, rows }).collect())
    }

    /// Returns the result of a counting query for each table.
    async fn counts(&self, query: fn(&Table) -> String) -> Result<Vec<u64>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.counts(query),
            Store::Postgres(postgres) => postgres.counts(query).await,
        }
    }
}

/// Forwards batches to the writing end, and reports progress.
async fn forward(mut reading: Receiver<Batch>, write: Sender<Batch>, report: &mut (dyn FnMut(Progress) + Send)) {
    while let Some(batch) = reading.recv().await {
        match &batch {
            Batch::Total(rows) => report(Progress::Total(*rows)),
            Batch::Rows(table, rows) => {
                report(Progress::Rows(table.name, rows.len() as u64));
            }
            Batch::End => {}
        }
        if write.send(batch).await.is_err() {
            break;
        }
    }
}

/// How many rows of each table were written, to compare with the table's count before the copy is committed.
pub(super) struct Written(Vec<u64>);

impl Written {
    /// Returns a count of zero for every table.
    pub(super) fn new() -> Written {
        Written(vec![0; TABLES.len()])
    }

    /// Adds rows to a table's count.
    pub(super) fn add(&mut self, table: &Table, rows: usize) {
        let counts = TABLES.iter().zip(&mut self.0).filter(|(known, _)| known.name == table.name);
        counts.for_each(|(_, count)| *count += rows as u64);
    }

    /// Returns an error if a table of the target has more or fewer rows than were written: something else writes to it.
    pub(super) fn check(&self, there: &[u64]) -> Result<(), Error> {
        let counts = self.0.iter().zip(there);
        match TABLES.iter().zip(counts).find(|(_, (written, there))| written != there) {
            Some((table, _)) => Err(Error::Unavailable(Cause::new(format!(
                "table {} of the target has other rows than were copied: something else writes to it",
                table.name
            )))),
            None => Ok(()),
        }
    }
}

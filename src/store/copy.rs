//! A whole installation from one database to another, of whichever kind.

use tokio::sync::mpsc::{self, Sender};
use tokio::sync::oneshot;

use super::table::{self, TABLES, Table, Values};
use super::value::{Row, present};
use super::{DevCredentials, Query, Store};
use crate::account::Error;

/// A page of rows is made larger while its rows are smaller than this in sum, in bytes, and smaller while they are larger.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// The most rows of a page.
const MAX_PAGE: i64 = 2000;
/// The rows of the first page of a table: so few that also the longest fit into memory.
const FIRST_PAGE: i64 = 16;

/// What the two ends of a copy say to each other.
pub(super) enum Batch {
    /// Rows of a table.
    Rows(&'static Table, Vec<Values>),
    /// All rows have come: asks how full the tables are then.
    Measure(oneshot::Sender<Vec<Measure>>),
    /// All is as it should be: these statements are run, and everything is committed.
    End(Vec<Query>),
}

/// How full a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: i64,
    /// Differs when rows were changed in place.
    pub mark: i64,
}

/// What is told while a copy runs: so many more rows of a table.
pub type Copied<'a> = &'a mut (dyn FnMut(&'static str, u64) + Send);

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something is in the target.
    #[error("the target is not empty (table {0}): give a new database, in which no server was started yet")]
    NotEmpty(&'static str),
    /// Somebody wrote to the source.
    #[error(
        "the source was changed meanwhile (table {0}): stop every server that uses it and copy again; \
         the target is as empty as it was"
    )]
    Changed(&'static str),
    /// The target did not take the same rows as the source has.
    #[error(
        "the target does not hold what the source holds (table {0}), and nothing was copied: \
         copy into a new database that nothing else uses"
    )]
    Incomplete(&'static str),
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
    /// How full every table is.
    pub async fn measure(&self) -> Result<Vec<Measure>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.measure(),
            Store::Postgres(postgres) => postgres.measure().await,
        }
    }

    /// Copies every row of every table into an empty database, all or none, in memory that does not grow with them; returns
    /// how full the tables are then. Nobody may write to the source meanwhile: if somebody does, the copy fails.
    ///
    /// The credentials that `dev` made are ended in the copy, and what it remembers of them is dropped, in the same
    /// transaction: there is no moment at which they are valid there.
    pub async fn copy_to(
        &self,
        target: &Store,
        dev: &DevCredentials,
        copied: Copied<'_>,
    ) -> Result<Vec<Measure>, CopyError> {
        for (table, measure) in TABLES.iter().zip(target.measure().await?) {
            if measure.rows > 0 && !(table.seeded && measure.mark == 0) {
                return Err(CopyError::NotEmpty(table.name));
            }
        }
        let before = self.measure().await?;
        // One batch is read while the one before it is written.
        let (sender, batches) = mpsc::channel(1);
        let fill = async {
            match target {
                Store::Sqlite(sqlite) => sqlite.fill(batches).await,
                Store::Postgres(postgres) => postgres.fill(batches).await,
            }
        };
        // A sender that fails is dropped, which makes the other end undo what it wrote; of both failures its own counts.
        let (sent, filled) = tokio::join!(self.send(sender, &before, dev.ending(), copied), fill);
        if let Err(Sending::Refused(error)) = sent {
            return Err(error);
        }
        filled?;
        Ok(target.measure().await?)
    }

    async fn send(
        &self,
        batches: Sender<Batch>,
        before: &[Measure],
        last: Vec<Query>,
        copied: Copied<'_>,
    ) -> Result<(), Sending> {
        for table in TABLES {
            let mut limit = FIRST_PAGE;
            let mut behind = None;
            loop {
                let rows = self.page(table, behind, limit).await?;
                let Some(last) = rows.last() else { break };
                behind = Some(table.key(last));
                let (count, bytes) = (rows.len() as u64, rows.iter().map(table::size).sum::<usize>());
                batches.send(Batch::Rows(table, rows)).await.map_err(|_| Sending::Closed)?;
                copied(table.name, count);
                limit = if bytes > PAGE_BYTES { (limit / 2).max(1) } else { (limit * 2).min(MAX_PAGE) };
            }
        }
        if let Some(table) = different(before, &self.measure().await?) {
            return Err(Sending::Refused(CopyError::Changed(table)));
        }
        let (answer, answered) = oneshot::channel();
        batches.send(Batch::Measure(answer)).await.map_err(|_| Sending::Closed)?;
        if let Some(table) = different(before, &answered.await.map_err(|_| Sending::Closed)?) {
            return Err(Sending::Refused(CopyError::Incomplete(table)));
        }
        batches.send(Batch::End(last)).await.map_err(|_| Sending::Closed)
    }

    async fn page(&self, table: &Table, behind: Option<Values>, limit: i64) -> Result<Vec<Values>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.page(table, behind, limit),
            Store::Postgres(postgres) => postgres.page(table, behind, limit).await,
        }
    }
}

/// Why not everything was sent.
enum Sending {
    /// The other end has failed and says itself why.
    Closed,
    /// The source failed, or must not be copied.
    Refused(CopyError),
}

impl From<Error> for Sending {
    fn from(error: Error) -> Sending {
        Sending::Refused(error.into())
    }
}

/// Reads what [`Table::measure`] asks for.
pub(super) fn measured(table: &Table, row: &dyn Row) -> Result<Measure, Error> {
    Ok(Measure { table: table.name, rows: present(row.integer(0)?)?, mark: present(row.integer(1)?)? })
}

fn different(before: &[Measure], after: &[Measure]) -> Option<&'static str> {
    let pair = before.iter().zip(after).find(|(before, after)| before != after);
    pair.map(|(before, _)| before.table)
}

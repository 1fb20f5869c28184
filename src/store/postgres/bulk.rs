//! Bulk reads and writes.

use std::pin::pin;

use deadpool_postgres::Transaction;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_postgres::IsolationLevel;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

use super::error::{error, error_of};
use super::{Postgres, references, run, settle, uncancelled};
use crate::account::{Cause, Error, Unique};
use crate::store::Query;
use crate::store::copy::{BATCH_BYTES, BATCH_ROWS, Batch, Written};
use crate::store::table::{Table, Values, size};
use crate::store::tables::TABLES;
use crate::store::value::computed;

/// Rows in the first batch of a table: few enough that even the longest fit into memory.
const FIRST_BATCH: i32 = 16;
/// Disables time-outs for a transaction that counts or moves millions of rows and waits for another database in between.
const PATIENT: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

impl Postgres {
    /// Writes rows, then runs queries, in one transaction. The kind of unique key in [`Error::Taken`] is arbitrary.
    pub(in crate::store) async fn insert(
        &self,
        rows: Vec<(&'static Table, Vec<Values>)>,
        queries: Vec<Query>,
    ) -> Result<(), Error> {
        let connections = self.connections.clone();
        uncancelled(async move {
            let mut connection = connections.connection().await?;
            let work = async {
                let transaction = connection.transaction().await?;
                for (table, rows) in &rows {
                    insert(&transaction, table, rows).await?;
                }
                run_all(&transaction, &queries).await?;
                transaction.commit().await
            };
            let worked = tokio::time::timeout(connections.patience, work).await;
            settle(connection, worked)?.map_err(|cause| error_of(cause, Some(Unique::Number)))
        })
        .await
    }

    /// Returns the result of a counting query for each table.
    pub(in crate::store) async fn counts(&self, query: fn(&Table) -> String) -> Result<Vec<u64>, Error> {
        let mut connection = self.connections.connection().await?;
        let transaction = connection.transaction().await.map_err(error)?;
        transaction.batch_execute(PATIENT).await.map_err(error)?;
        counts(&transaction, query).await
    }

    /// Sends every row of every table from one snapshot. Ends early, without an error, when the receiver is gone: the other
    /// end has failed and reports why.
    pub(in crate::store) async fn dump(&self, batches: Sender<Batch>) -> Result<(), Error> {
        let mut connection = self.connections.connection().await?;
        let snapshot = connection.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let transaction = snapshot.start().await.map_err(error)?;
        transaction.batch_execute(PATIENT).await.map_err(error)?;
        let total = counts(&transaction, Table::count).await?.iter().sum();
        let mut received = batches.send(Batch::Total(total)).await;
        for table in TABLES {
            let all = transaction.prepare(&table.dump()).await.map_err(error)?;
            let cursor = transaction.bind(&all, &[]).await.map_err(error)?;
            let mut limit = FIRST_BATCH;
            while received.is_ok() {
                let rows = transaction.query_portal(&cursor, limit).await.map_err(error)?;
                if rows.is_empty() {
                    break;
                }
                let batch = rows.iter().map(|row| table.read(row)).collect::<Result<Vec<_>, Error>>()?;
                let bytes: usize = batch.iter().map(size).sum();
                limit = if bytes > BATCH_BYTES { (limit / 2).max(1) } else { (limit * 2).min(BATCH_ROWS as i32) };
                received = batches.send(Batch::Rows(table, batch)).await;
            }
        }
        // The receiver may be gone; there is nothing left to do either way.
        let _ = batches.send(Batch::End).await;
        Ok(())
    }

    /// Writes the received batches, then runs queries, in one transaction. Commits after [`Batch::End`], and rolls back when
    /// the copy breaks off.
    pub(in crate::store) async fn fill(&self, mut batches: Receiver<Batch>, last: Vec<Query>) -> Result<(), Error> {
        let connections = self.connections.clone();
        uncancelled(async move {
            let mut connection = connections.connection().await?;
            let transaction = connection.transaction().await.map_err(error)?;
            // Between two batches the transaction waits for the other database.
            transaction.batch_execute(PATIENT).await.map_err(error)?;
            for table in TABLES.iter().filter(|table| table.fresh.is_some()) {
                transaction.batch_execute(&format!("DELETE FROM {}", table.name)).await.map_err(error)?;
            }
            let mut written = Written::new();
            loop {
                match batches.recv().await {
                    Some(Batch::Total(_)) => {}
                    Some(Batch::Rows(table, rows)) => {
                        insert(&transaction, table, &rows).await.map_err(error)?;
                        written.add(table, rows.len());
                    }
                    Some(Batch::End) => {
                        written.check(&counts(&transaction, Table::count).await?)?;
                        run_all(&transaction, &last).await.map_err(error)?;
                        return transaction.commit().await.map_err(error);
                    }
                    None => {
                        transaction.rollback().await.map_err(error)?;
                        return Err(Error::Unavailable(Cause::new("the copy broke off")));
                    }
                }
            }
        })
        .await
    }
}

async fn run_all(transaction: &Transaction<'_>, queries: &[Query]) -> Result<(), tokio_postgres::Error> {
    for query in queries {
        run(transaction, query).await?;
    }
    Ok(())
}

async fn insert(transaction: &Transaction<'_>, table: &Table, rows: &[Values]) -> Result<(), tokio_postgres::Error> {
    let sink = transaction.copy_in(&table.copy()).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &table.types()));
    for row in rows {
        writer.as_mut().write(&references(row)).await?;
    }
    writer.finish().await.map(drop)
}

async fn counts(transaction: &Transaction<'_>, query: fn(&Table) -> String) -> Result<Vec<u64>, Error> {
    let mut counts = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let row = transaction.query_one(&query(table), &[]).await.map_err(error)?;
        counts.push(computed::<i64>(&row, 0)?.unsigned_abs());
    }
    Ok(counts)
}

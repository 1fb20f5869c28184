//! Many rows at a time.

use std::pin::pin;

use deadpool_postgres::{Object, Transaction};
use tokio::sync::mpsc::Receiver;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

use super::{Postgres, error, references, run, uncancelled};
use crate::account::{Cause, Error, Unique};
use crate::store::Query;
use crate::store::copy::Batch;
use crate::store::table::{TABLES, Table, Values};
use crate::store::value::{Row, present};

impl Postgres {
    /// Writes rows, then runs queries, in one transaction; [`Error::Taken`] names any of what is taken.
    pub(in crate::store) async fn insert(
        &self,
        rows: Vec<(&'static Table, Vec<Values>)>,
        queries: Vec<Query>,
    ) -> Result<(), Error> {
        let this = self.clone();
        uncancelled(async move {
            let mut connection = this.connection().await?;
            let work = async {
                let transaction = connection.transaction().await?;
                for (table, rows) in &rows {
                    insert(&transaction, table, rows).await?;
                }
                for query in &queries {
                    run(&transaction, query).await?;
                }
                transaction.commit().await
            };
            let worked = tokio::time::timeout(this.patience, work).await;
            this.settle(connection, worked, Some(Unique::Number))
        })
        .await
    }

    /// The rows of a table behind a key.
    pub(in crate::store) async fn page(
        &self,
        table: &Table,
        behind: Option<Values>,
        limit: i64,
    ) -> Result<Vec<Values>, Error> {
        let statement = table.page('$', behind.is_some());
        let mut bound = behind.unwrap_or_default();
        bound.push(limit.into());
        let connection = self.connection().await?;
        let prepared = connection.prepare_cached(&statement).await.map_err(error)?;
        let rows = connection.query(&prepared, &references(&bound)).await.map_err(error)?;
        rows.iter().map(|row| table.read(row)).collect()
    }

    /// How many rows a table has, and its mark.
    pub(in crate::store) async fn measure(&self, table: &Table) -> Result<(i64, i64), Error> {
        let connection = self.connection().await?;
        // A table of many millions of rows takes longer to count than any statement of a request may.
        connection.batch_execute("SET statement_timeout = 0").await.map_err(error)?;
        let counted = connection.query_one(&table.measure(), &[]).await;
        // The session's settings end with the connection.
        drop(Object::take(connection));
        let counted = counted.map_err(error)?;
        let row: &dyn Row = &counted;
        Ok((present(row.integer(0)?)?, present(row.integer(1)?)?))
    }

    /// Writes what comes, in one transaction that commits when all has come and is undone when it breaks off.
    pub(in crate::store) async fn fill(&self, mut batches: Receiver<Batch>) -> Result<(), Error> {
        let this = self.clone();
        uncancelled(async move {
            let mut connection = this.connection().await?;
            let work = async {
                let transaction = connection.transaction().await?;
                // Between two batches the transaction waits for the other database.
                transaction
                    .batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
                    .await?;
                for table in TABLES.iter().filter(|table| table.seeded) {
                    transaction.batch_execute(&format!("DELETE FROM {}", table.name)).await?;
                }
                loop {
                    match batches.recv().await {
                        Some(Batch::Rows(table, rows)) => insert(&transaction, table, &rows).await?,
                        Some(Batch::End) => break transaction.commit().await.map(|()| true),
                        None => break transaction.rollback().await.map(|()| false),
                    }
                }
            };
            let filled: Result<bool, tokio_postgres::Error> = work.await;
            match filled.map_err(error)? {
                true => Ok(()),
                false => Err(Error::Unavailable(Cause::new("the copy broke off"))),
            }
        })
        .await
    }
}

async fn insert(transaction: &Transaction<'_>, table: &Table, rows: &[Values]) -> Result<(), tokio_postgres::Error> {
    let sink = transaction.copy_in(&table.copy()).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &table.types()));
    for row in rows {
        writer.as_mut().write(&references(row)).await?;
    }
    writer.finish().await.map(drop)
}

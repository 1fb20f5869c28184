//! PostgreSQL, or a server with its protocol: prepared statements, connections that requests share, changes that are committed
//! together.

mod batch;
mod bulk;
mod commit;
mod connect;
mod error;
mod shared;

#[cfg(test)]
pub(super) use commit::ALL as OF_ONE_ACCOUNT;
pub(super) use connect::place_of;

use std::sync::Arc;
use std::time::Duration;

use batch::Batches;
use connect::{Connector, Purpose};
use deadpool_postgres::{ClientWrapper, Object, Pool, Transaction};
use error::{error, error_of, pool_error};
use shared::Shared;
use tokio_postgres::Config;
use tokio_postgres::types::ToSql;

use super::numbers::Numbers;
use super::opened_to_read::OpenedToRead;
use super::statement::Statement;
use super::value::Parameter;
use super::{Commit, MakeUpdate, OpenError, Query, Read, Store, Update};
use crate::account::{Cause, Error};
use crate::config::{self, Secret};
use crate::telemetry::{self, Stopwatch};

/// Of this many connections one is shared by requests that read. Few are best: the server wakes up once for all statements that
/// wait on a connection.
const SHARED_OF: usize = 8;
/// The most connections that are shared.
const MAX_SHARED: usize = 8;

/// The connections to one server; clones share them.
#[derive(Clone)]
pub struct Postgres {
    connections: Arc<Connections>,
    /// `None` when each change is committed alone.
    batches: Option<Batches>,
    /// The account numbers that are drawn in advance, if the server is distributed.
    pub(super) numbers: Option<Numbers>,
}

/// What every kind of work uses.
struct Connections {
    /// For statements that may wait for a lock, and for transactions.
    pool: Pool,
    /// For queries that return at once.
    shared: Shared,
    server: Config,
    /// Longer than the server's own statement time-out: it fires only when the server does not respond at all.
    patience: Duration,
}

impl Postgres {
    /// Connects, checks that the server keeps what it acknowledges, and migrates the tables.
    pub(super) async fn open(url: &Secret, settings: &config::Database) -> Result<Postgres, OpenError> {
        let connections = Connections::new(connect::server(url, settings)?, settings, Purpose::Any)?;
        connect::migrate(&connections.pool, &connections.server, settings).await?;
        let connections = Arc::new(connections);
        let connector = || Connector::new(&connections.server, settings, Purpose::Batches);
        // A statement that changes many accounts would touch many nodes of a distributed server.
        let batches = match settings.distributed {
            true => None,
            false => Some(Batches::start(&connections, [connector()?, connector()?], settings)),
        };
        Ok(Postgres { connections, batches, numbers: settings.distributed.then(Numbers::default) })
    }

    /// Connects for reading only.
    pub(super) async fn open_to_read(url: &Secret, settings: &config::Database) -> Result<OpenedToRead, OpenError> {
        let connections = Connections::new(connect::server(url, settings)?, settings, Purpose::Reading)?;
        let (pending, has_unique_keys) = connect::inspect(&connections.pool, &connections.server).await?;
        let store = Store::Postgres(Postgres { connections: Arc::new(connections), batches: None, numbers: None });
        Ok(OpenedToRead { store, pending, has_unique_keys })
    }

    /// Takes the lock of the instance that migrates, on a connection of its own.
    pub(super) async fn lock_for_migrating(&self) -> Result<ClientWrapper, OpenError> {
        let Connections { pool, server, .. } = &*self.connections;
        connect::lock_for_migrating(connect::first_connection(pool, server).await?, server).await
    }

    /// Checks whether `dev` may work in a database, without changing it.
    pub(super) async fn admits_dev(url: &Secret, settings: &config::Database) -> Result<bool, OpenError> {
        let server = connect::server(url, settings)?;
        connect::admits_dev(&connect::pool(&server, settings, Purpose::Reading, 1)?, &server).await
    }

    pub(super) async fn prepare(&self, statement: Statement) -> Result<(), Error> {
        let connection = self.connections.connection().await?;
        connection.prepare_cached(statement.postgres).await.map(drop).map_err(error)
    }

    /// Prepares the statements that only PostgreSQL has.
    pub(super) async fn prepare_own(&self) -> Result<(), Error> {
        for statement in commit::ALL.iter().chain(batch::ALL) {
            self.prepare(*statement).await?;
        }
        Ok(())
    }

    /// Runs a query that returns at once, on a connection that others use at the same time.
    pub(super) async fn query<T>(
        &self,
        statement: Statement,
        bound: &[Parameter],
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        let Connections { shared, patience, .. } = &*self.connections;
        let connection = shared.get().await?;
        let answered = tokio::time::timeout(*patience, rows(&connection, statement, bound)).await;
        let rows = answered.map_err(|elapsed| {
            shared.discard(&connection);
            Error::Unavailable(Cause::new(elapsed))
        })?;
        rows.map_err(error)?.iter().map(|row| read(row)).collect()
    }

    /// Runs one statement that writes and returns rows.
    pub(super) async fn write<T>(
        &self,
        statement: Statement,
        bound: &[Parameter],
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        let written = self.connections.work(async |connection| rows(connection, statement, bound).await);
        written.await?.map_err(error)?.iter().map(|row| read(row)).collect()
    }

    pub(super) async fn execute(
        &self,
        queries: Vec<Query>,
        accept: impl FnOnce(&[u64]) -> Result<(), Error> + Send + 'static,
    ) -> Result<Vec<u64>, Error> {
        let connections = self.connections.clone();
        uncancelled(async move {
            let mut connection = connections.connection().await?;
            let mut claims = None;
            let work = async {
                let transaction = connection.transaction().await?;
                let mut counts = Vec::with_capacity(queries.len());
                for query in &queries {
                    claims = query.claims;
                    counts.push(run(&transaction, query).await?);
                }
                let accepted = accept(&counts);
                match accepted {
                    Ok(()) => transaction.commit().await?,
                    Err(_) => transaction.rollback().await?,
                }
                Ok(accepted.map(|()| counts))
            };
            let worked = tokio::time::timeout(connections.patience, work).await;
            settle(connection, worked)?.map_err(|cause| error_of(cause, claims))?
        })
        .await
    }

    /// Commits a change: with others, or alone if it needs more than one account's rows.
    pub(super) async fn commit(&self, first: Update, make_update: MakeUpdate) -> Result<Commit, Error> {
        match &self.batches {
            Some(batches) if batch::takes(&first) => batches.commit(first, make_update).await,
            _ => {
                let connections = self.connections.clone();
                uncancelled(async move { connections.commit(first, make_update).await }).await
            }
        }
    }
}

impl Connections {
    fn new(server: Config, settings: &config::Database, purpose: Purpose) -> Result<Connections, OpenError> {
        let shared = (settings.connections / SHARED_OF).clamp(1, MAX_SHARED);
        let others = settings.connections.saturating_sub(shared + batch::WRITERS).max(1);
        let connector = Connector::new(&server, settings, Purpose::Shared)?;
        Ok(Connections {
            pool: connect::pool(&server, settings, purpose, others)?,
            shared: Shared::new(connector, shared, settings.wait_timeout),
            server,
            patience: settings.statement_timeout + Duration::from_secs(1),
        })
    }

    /// Takes a connection for one piece of work alone.
    async fn connection(&self) -> Result<Object, Error> {
        let waited = Stopwatch::start();
        let connection = self.pool.get().await;
        telemetry::pool_wait(waited);
        connection.map_err(pool_error)
    }

    /// Runs work on a connection of its own.
    async fn work<T>(&self, work: impl AsyncFnOnce(&ClientWrapper) -> T) -> Result<T, Error> {
        let connection = self.connection().await?;
        let worked = tokio::time::timeout(self.patience, work(&connection)).await;
        settle(connection, worked)
    }
}

/// Returns the outcome of work. A connection that did not respond in time is discarded: whether its work was done is unknown.
fn settle<T>(connection: Object, outcome: Result<T, tokio::time::error::Elapsed>) -> Result<T, Error> {
    outcome.map_err(|elapsed| {
        drop(Object::take(connection));
        Error::Unavailable(Cause::new(elapsed))
    })
}

async fn rows(
    connection: &ClientWrapper,
    statement: Statement,
    bound: &[Parameter],
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    let prepared = connection.prepare_cached(statement.postgres).await?;
    connection.query(&prepared, &references(bound)).await
}

/// Runs one query and returns how many rows it touched.
async fn run(transaction: &Transaction<'_>, query: &Query) -> Result<u64, tokio_postgres::Error> {
    let prepared = transaction.prepare_cached(query.statement.postgres).await?;
    transaction.execute(&prepared, &references(&query.parameters)).await
}

fn references(bound: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    bound.iter().map(|parameter| parameter as &(dyn ToSql + Sync)).collect()
}

/// Runs work that writes in its own task, so that it continues when its caller goes away: a commit once begun is never
/// cancelled.
async fn uncancelled<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    tokio::spawn(work).await.unwrap_or_else(|panicked| Err(Error::Internal(Cause::new(panicked))))
}

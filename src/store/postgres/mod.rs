//! PostgreSQL, or a server with its protocol: prepared statements, one round trip per commit.

mod bulk;
mod connect;

pub(super) use connect::place_of;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use connect::Access;
use deadpool_postgres::{ClientWrapper, Object, Pool, PoolError, TimeoutType, Transaction};
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::numbers::Numbers;
use super::opened_to_read::OpenedToRead;
use super::statement::{Part, Statement, parts, select, statement};
use super::tables::{ACCOUNT, CHANNEL_NONCE, HISTORY};
use super::value::{Parameter, computed};
use super::{
    Commit, MakeUpdate, OpenError, Query, Read, Store, UniqueKey, Update, accounts, record, secure_channel, unique,
};
use crate::account::{Account, Cause, CredentialFault, Error, Unique};
use crate::config::{self, Secret};
use crate::telemetry::{self, Stopwatch};

/// First parameter of the released unique keys (kinds, then keys), after those of [`record::account_values`].
const RELEASED: usize = ACCOUNT.table().width() + 1;
/// First parameter of the claimed unique keys (kinds, then keys).
const CLAIMED: usize = RELEASED + 2;
/// First parameter of [`record::entry_values`].
const ENTRY: usize = CLAIMED + 2;
/// First parameter of the nonce of an encrypted body.
const NONCE: usize = ENTRY + HISTORY.table().width();

/// The part that both statements below share: writes the account, its unique keys and its history entry.
const CHANGE: Part = Part::All(parts![
    "WITH changed AS (",
    { accounts::CHANGE },
    " RETURNING id, tenant_id), released AS (DELETE FROM unique_key h USING changed, unnest(",
    { Part::Place(RELEASED) },
    "::text[], ",
    { Part::Place(RELEASED + 1) },
    "::bytea[]) AS r(kind, key) WHERE h.tenant_id = changed.tenant_id AND h.kind = r.kind AND h.key = r.key \
     AND h.account_id = ",
    { ACCOUNT.id.place() },
    "), claimed AS (INSERT INTO unique_key (tenant_id, kind, key, account_id) \
     SELECT changed.tenant_id, c.kind, c.key, changed.id FROM changed, unnest(",
    { Part::Place(CLAIMED) },
    "::text[], ",
    { Part::Place(CLAIMED + 1) },
    "::bytea[]) AS c(kind, key)), recorded AS (INSERT INTO history (",
    { Part::Names(HISTORY.table()) },
    ") SELECT ",
    { Part::TypedPlaces(HISTORY.table(), ENTRY) },
    " FROM changed)",
]);
/// Writes account, history entry and unique keys in one statement: one round trip, one transaction. Returns how many
/// accounts were changed: none when the account is no longer at the version that the update was made from, and then nothing
/// is written.
const COMMIT: Statement = statement!({ CHANGE }, " SELECT count(*) FROM changed");
/// Does the same as [`COMMIT`], and uses up the nonce of an encrypted body and counts its message, in the same round trip.
const COMMIT_ONCE: Statement = statement!(
    { CHANGE },
    ", noted AS (INSERT INTO channel_nonce (",
    { Part::Names(CHANNEL_NONCE.table()) },
    ") SELECT ",
    { Part::TypedPlaces(CHANNEL_NONCE.table(), NONCE) },
    " FROM changed), counted AS (UPDATE channel_session s SET messages = s.messages + 1 FROM changed WHERE s.id = ",
    { Part::Place(NONCE) },
    "::bytea) SELECT count(*) FROM changed"
);
/// Makes every other writer of the account wait.
const LOCK: Statement = select!(ACCOUNT, "WHERE account.id = ?1 FOR UPDATE");

/// The statements that only PostgreSQL has.
pub(super) const OWN: &[Statement] = &[COMMIT, COMMIT_ONCE, LOCK];

/// A pool of connections to one server.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    server: Arc<Config>,
    /// Longer than the server's own statement time-out: it fires only when the server does not respond at all.
    patience: Duration,
    /// The account numbers that are drawn in advance, if the server is distributed.
    pub(super) numbers: Option<Numbers>,
}

impl Postgres {
    /// Connects, checks that the server keeps what it acknowledges, and migrates the tables.
    pub(super) async fn open(url: &Secret, settings: &config::Database) -> Result<Postgres, OpenError> {
        let server = connect::server(url, settings)?;
        let pool = connect::pool(&server, settings, Access::Write)?;
        connect::migrate(&pool, &server, settings).await?;
        Ok(Postgres::new(pool, server, settings))
    }

    /// Connects for reading only.
    pub(super) async fn open_to_read(url: &Secret, settings: &config::Database) -> Result<OpenedToRead, OpenError> {
        let server = connect::server(url, settings)?;
        let pool = connect::pool(&server, settings, Access::Read)?;
        let (pending, has_unique_keys) = connect::inspect(&pool, &server).await?;
        let store = Store::Postgres(Postgres::new(pool, server, settings));
        Ok(OpenedToRead { store, pending, has_unique_keys })
    }

    fn new(pool: Pool, server: Config, settings: &config::Database) -> Postgres {
        Postgres {
            pool,
            server: Arc::new(server),
            patience: settings.statement_timeout + Duration::from_secs(1),
            numbers: settings.distributed.then(Numbers::default),
        }
    }

    /// Takes the lock of the instance that migrates, on a connection of its own.
    pub(super) async fn lock_for_migrating(&self) -> Result<ClientWrapper, OpenError> {
        let connection = connect::first_connection(&self.pool, &self.server).await?;
        connect::lock_for_migrating(connection, &self.server).await
    }

    /// Checks whether `dev` may work in a database, without changing it.
    pub(super) async fn admits_dev(url: &Secret, settings: &config::Database) -> Result<bool, OpenError> {
        let server = connect::server(url, settings)?;
        connect::admits_dev(&connect::pool(&server, settings, Access::Read)?, &server).await
    }

    async fn connection(&self) -> Result<Object, Error> {
        let waited = Stopwatch::start();
        let connection = self.pool.get().await;
        telemetry::pool_wait(waited);
        connection.map_err(pool_error)
    }

    pub(super) async fn prepare(&self, statement: Statement) -> Result<(), Error> {
        let connection = self.connection().await?;
        connection.prepare_cached(statement.postgres).await.map(drop).map_err(error)
    }

    /// Prepares the statements that only PostgreSQL has.
    pub(super) async fn prepare_own(&self) -> Result<(), Error> {
        for statement in OWN {
            self.prepare(*statement).await?;
        }
        Ok(())
    }

    pub(super) async fn query<T>(
        &self,
        statement: Statement,
        bound: &[Parameter],
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        self.query_claiming(statement, bound, read, None).await
    }

    async fn query_claiming<T>(
        &self,
        statement: Statement,
        bound: &[Parameter],
        read: Read<T>,
        claims: Option<Unique>,
    ) -> Result<Vec<T>, Error> {
        let connection = self.connection().await?;
        let asked = async {
            let prepared = connection.prepare_cached(statement.postgres).await?;
            connection.query(&prepared, &references(bound)).await
        };
        let answered = tokio::time::timeout(self.patience, asked).await;
        let rows = self.settle(connection, answered, claims)?;
        rows.iter().map(|row| read(row)).collect()
    }

    pub(super) async fn execute(
        &self,
        queries: Vec<Query>,
        accept: impl FnOnce(&[u64]) -> Result<(), Error> + Send + 'static,
    ) -> Result<Vec<u64>, Error> {
        let this = self.clone();
        uncancelled(async move {
            let mut connection = this.connection().await?;
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
            let worked = tokio::time::timeout(this.patience, work).await;
            this.settle(connection, worked, claims)?
        })
        .await
    }

    pub(super) async fn commit(&self, first: Update, make_update: MakeUpdate) -> Result<Commit, Error> {
        let this = self.clone();
        uncancelled(async move {
            let claims = match first.claim.as_slice() {
                [] => None,
                [one] => Some(one.kind),
                // A violated constraint does not name the unique key, so each claim needs its own statement.
                _ => return this.commit_locked(first.account, make_update).await,
            };
            if !first.effects.is_empty() {
                // Effects need statements of their own, and so a transaction of several. This is rare.
                return this.commit_locked(first.account, make_update).await;
            }
            let Query { statement, parameters, .. } = committing(&first, &first.claim);
            match this.query_claiming(statement, &parameters, |row| computed::<i64>(row, 0), claims).await?[..] {
                [1] => Ok(first.into()),
                _ => this.commit_locked(first.account, make_update).await,
            }
        })
        .await
    }

    /// Locks the row, reads it again and attempts the change again: the account was changed in between, or the update needs
    /// more than one statement.
    async fn commit_locked(&self, seen: Account, make_update: MakeUpdate) -> Result<Commit, Error> {
        let mut connection = self.connection().await?;
        let (mut refused, mut claims) = (None, None);
        let work = async {
            let transaction = connection.transaction().await?;
            let outcome = attempt_locked(&transaction, &seen, &make_update, &mut refused, &mut claims).await?;
            match refused {
                Some(_) => transaction.rollback().await?,
                None => transaction.commit().await?,
            }
            Ok(outcome)
        };
        let worked = tokio::time::timeout(self.patience, work).await;
        let outcome = self.settle(connection, worked, claims)?;
        match refused {
            Some(error) => Err(error),
            None => outcome.ok_or(Error::Credentials(CredentialFault::Invalid)),
        }
    }

    /// Turns the outcome of a piece of work into a result; `claims` is the kind of unique key that the last statement
    /// claimed. A connection that did not respond in time is discarded: a late response would be taken for that of another
    /// statement.
    fn settle<T>(
        &self,
        connection: Object,
        outcome: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
        claims: Option<Unique>,
    ) -> Result<T, Error> {
        match outcome {
            Ok(result) => result.map_err(|cause| error_of(cause, claims)),
            Err(elapsed) => {
                drop(Object::take(connection));
                Err(Error::Unavailable(Cause::new(elapsed)))
            }
        }
    }
}

/// Attempts a change to the current account, under a lock. Sets `refused` when the attempt or one of the effects refuses the
/// change, and `claims` to the kind of unique key that the last statement claimed.
async fn attempt_locked(
    transaction: &Transaction<'_>,
    seen: &Account,
    make_update: &MakeUpdate,
    refused: &mut Option<Error>,
    claims: &mut Option<Unique>,
) -> Result<Option<Commit>, tokio_postgres::Error> {
    let lock = transaction.prepare_cached(LOCK.postgres).await?;
    let rows = transaction.query(&lock, &references(&[seen.id.into()])).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let attempted = record::account(row).and_then(|current| Ok((make_update(&current)?, current)));
    let update = match attempted {
        Ok((Some(update), _)) => update,
        Ok((None, current)) => return Ok(Some(Commit::unchanged(current))),
        Err(error) => {
            *refused = Some(error);
            return Ok(None);
        }
    };
    let (together, one_by_one) = match update.claim.as_slice() {
        [one] => {
            *claims = Some(one.kind);
            (update.claim.as_slice(), None)
        }
        _ => (&[][..], Some(accounts::claims(&update))),
    };
    run(transaction, &committing(&update, together)).await?;
    for query in one_by_one.into_iter().flatten() {
        *claims = query.claims;
        run(transaction, &query).await?;
    }
    for effect in &update.effects {
        if let Err(error) = effect.check(run(transaction, &effect.query()).await?) {
            *refused = Some(error);
            return Ok(None);
        }
    }
    Ok(Some(update.into()))
}

/// Runs one query and returns how many rows it touched.
async fn run(transaction: &Transaction<'_>, query: &Query) -> Result<u64, tokio_postgres::Error> {
    let prepared = transaction.prepare_cached(query.statement.postgres).await?;
    transaction.execute(&prepared, &references(&query.parameters)).await
}

/// Returns the one statement that writes an update without its effects; `claim` lists the unique keys that it claims.
fn committing(update: &Update, claim: &[UniqueKey]) -> Query {
    let mut bound = record::account_values(&update.account);
    for unique_keys in [update.release.as_slice(), claim] {
        bound.push(Parameter::Texts(unique_keys.iter().map(|unique_key| unique_key.kind.name().to_owned()).collect()));
        bound.push(Parameter::BytesList(unique_keys.iter().map(|unique_key| unique_key.key.to_vec()).collect()));
    }
    bound.extend(record::entry_values(&update.entry));
    match &update.nonce {
        None => (COMMIT, bound).into(),
        Some(nonce) => {
            bound.extend(secure_channel::nonce_values(nonce));
            (COMMIT_ONCE, bound).into()
        }
    }
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

fn pool_error(cause: PoolError) -> Error {
    match cause {
        PoolError::Timeout(TimeoutType::Wait) => Error::Unavailable(Cause::new("every database connection is in use")),
        cause => Error::Unavailable(Cause::new(cause)),
    }
}

/// Maps a PostgreSQL error: an expected unique violation to [`Error::Taken`], a transient error to [`Error::Unavailable`],
/// any other to [`Error::Internal`].
fn error(cause: tokio_postgres::Error) -> Error {
    error_of(cause, None)
}

/// Like [`error`], for a statement that claims a unique key.
fn error_of(cause: tokio_postgres::Error, claims: Option<Unique>) -> Error {
    let Some(answer) = cause.as_db_error() else {
        // Without a response from the server the connection broke, unless a bound value did not fit its type.
        let broken =
            cause.is_closed() || std::error::Error::source(&cause).is_some_and(|source| source.is::<io::Error>());
        let make = if broken { Error::Unavailable } else { Error::Internal };
        return make(Cause::new(cause));
    };
    if *answer.code() == SqlState::UNIQUE_VIOLATION
        && let (Some(table), Some(constraint)) = (answer.table(), answer.constraint())
        && let Some(unique) = unique::taken_in_postgres(table, constraint, claims)
    {
        return Error::Taken(unique);
    }
    // Transient: connection failures, lack of resources, operator intervention, system errors, conflicts between
    // transactions, a read-only server (a standby before its promotion), and a server that refuses log-ins.
    match &answer.code().code()[..2] {
        "08" | "53" | "57" | "58" | "40" | "25" | "28" | "3D" => Error::Unavailable(Cause::new(cause)),
        _ => Error::Internal(Cause::new(cause)),
    }
}

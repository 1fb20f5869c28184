//! PostgreSQL, or what speaks its protocol: prepared statements, one round trip a commit.

mod bulk;
mod connect;

pub(super) use connect::place_of;

use std::io;
use std::time::Duration;

use deadpool_postgres::{Object, Pool, PoolError, TimeoutType, Transaction};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::statement::{Part, Statement, parts, select, statement};
use super::tables::{ACCOUNT, CHANNEL_NONCE, HISTORY};
use super::value::{Parameter, computed};
use super::{Commit, MakeUpdate, OpenError, Query, Read, UniqueKey, Update, accounts, record, secure_channel, unique};
use crate::account::{Account, Cause, CredentialFault, Error, Unique};
use crate::config::{self, Secret};
use crate::telemetry::{self, Stopwatch};

/// Where the parameters begin: first those of [`record::account_values`], …
const RELEASED: usize = ACCOUNT.table().width() + 1;
/// … kinds and keys of what is released, …
const CLAIMED: usize = RELEASED + 2;
/// … those of what is claimed, …
const ENTRY: usize = CLAIMED + 2;
/// … those of [`record::entry_values`], and those of the nonce of an encrypted body.
const NONCE: usize = ENTRY + HISTORY.table().width();

/// The part that both statements below share: the account, its unique keys, its history.
const CHANGE: Part = Part::All(parts![
    "WITH changed AS (",
    { accounts::CHANGE },
    " RETURNING id, tenant_id), released AS (DELETE FROM unique_key h USING changed, unnest(",
    { Part::Place(RELEASED) },
    "::text[], ",
    { Part::Place(RELEASED + 1) },
    "::bytea[]) AS r(kind, key) WHERE h.tenant_id = changed.tenant_id AND h.kind = r.kind AND h.key = r.key \
     AND h.account_id = changed.id), claimed AS (INSERT INTO unique_key (tenant_id, kind, key, account_id) \
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
/// Account, history and what the account holds in one statement: one round trip, one transaction. Says how many accounts
/// were changed: none when the account is no longer at the version that the update was made from, and then nothing is.
const COMMIT: Statement = statement!({ CHANGE }, " SELECT count(*) FROM changed");
/// The same for a change that an encrypted body makes: the body's nonce is used up, and counted, in the same round trip.
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
/// Makes everybody else who wants to change the account wait.
const LOCK: Statement = select!(ACCOUNT, "WHERE account.id = ?1 FOR UPDATE");

/// A pool of connections to one server.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    /// Longer than the server's own statement time-out: it only strikes when the server does not answer at all.
    patience: Duration,
}

impl Postgres {
    /// Connects, checks that the server keeps what it acknowledges, and brings the tables up to date.
    pub(super) async fn open(url: &Secret, settings: &config::Database) -> Result<Postgres, OpenError> {
        let server = connect::server(url, settings)?;
        let pool = connect::pool(&server, settings)?;
        connect::migrate(&pool, &server, settings).await?;
        Ok(Postgres { pool, patience: settings.statement_timeout + Duration::from_secs(1) })
    }

    /// Whether `dev` may work in a database, which is not changed.
    pub(super) async fn admits_dev(url: &Secret, settings: &config::Database) -> Result<bool, OpenError> {
        let server = connect::server(url, settings)?;
        connect::admits_dev(&connect::pool(&server, settings)?, &server).await
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
        self.prepare(COMMIT).await?;
        self.prepare(COMMIT_ONCE).await?;
        self.prepare(LOCK).await
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
                // A violated constraint does not name the claim, so each claim takes a statement of its own.
                _ => return this.commit_locked(first.account, make_update).await,
            };
            if !first.effects.is_empty() {
                // What else happens takes statements of its own, and so a transaction of several: rare enough.
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

    /// Locks the row, reads it again, attempts again: somebody else was faster, or more than the account is written.
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

    /// Turns what came of a piece of work into a result; `claims` is the one thing that the last statement claimed. A
    /// connection that did not answer in time is thrown away: its answer may still arrive and would be taken for another's.
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

/// Attempts a change of the account as it is now. `refused` is set when the attempt itself, or something that was to happen
/// with the change, refuses it; `claims` to what the statement at which it ended claims.
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

/// The one statement that writes an update without its effects; `claim` are those of its claims that it includes.
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

/// Lets work that writes go on when its caller goes away: a commit once begun is never cancelled.
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

/// Says what an error of PostgreSQL means: which are the world's and pass, and which are ours.
fn error(cause: tokio_postgres::Error) -> Error {
    error_of(cause, None)
}

/// The same of a statement that claims something unique.
fn error_of(cause: tokio_postgres::Error, claims: Option<Unique>) -> Error {
    let Some(answer) = cause.as_db_error() else {
        // Without an answer from the server the connection broke, unless it was our own value that did not fit.
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
    // Connection failures, resources, operator intervention and system errors pass; so do conflicts between transactions,
    // a server that only reads (a standby before its promotion), and one that is refusing log-ins.
    match &answer.code().code()[..2] {
        "08" | "53" | "57" | "58" | "40" | "25" | "28" | "3D" => Error::Unavailable(Cause::new(cause)),
        _ => Error::Internal(Cause::new(cause)),
    }
}

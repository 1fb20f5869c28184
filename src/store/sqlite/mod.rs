//! The embedded database: several readers, and one writer that commits all waiting work at once.

mod bulk;
mod lock;
mod writer;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::opened_to_read::{self, APPLIED, OpenedToRead, TABLES_OF_PHONE_KEYS};
use super::statement::Statement;
use super::value::{Parameter, Row};
use super::{
    Commit, MakeUpdate, OpenError, Query, Read, Store, Update, accounts, history, made_by, record, secure_channel,
    unique,
};
use crate::account::{Cause, CredentialFault, Error, Unique};
use crate::config;
pub use lock::{Exclusion, ServerLock};
use writer::Writer;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// How long a connection waits while another process writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements cached by each connection; the program has fewer.
const STATEMENTS: usize = 128;

/// The embedded database.
#[derive(Clone)]
pub struct Sqlite {
    path: Arc<Path>,
    readers: Arc<Readers>,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file and migrates its tables; creates the file, accessible only to its owner, if it is missing.
    pub(super) fn open(path: &Path, settings: &config::Database) -> Result<Sqlite, OpenError> {
        let place = path.display().to_string();
        create(path).map_err(|error| OpenError::Unusable(place.clone(), error.into()))?;
        let mut connection = connect(path).map_err(|error| open_error(&place, error))?;
        migrate(&mut connection, path, &place)?;
        let readers = Readers::new(settings.readers, || connect(path)).map_err(|error| open_error(&place, error))?;
        let writer = Writer::start(connection, settings.queue, settings.group);
        Ok(Sqlite { path: path.into(), readers: Arc::new(readers), writer })
    }

    /// Opens a file for reading only; `None` if there is none.
    pub(super) fn open_to_read(path: &Path, settings: &config::Database) -> Result<Option<OpenedToRead>, OpenError> {
        if !path.exists() {
            return Ok(None);
        }
        let place = path.display().to_string();
        let failed = |error| open_error(&place, error);
        let mut connection = connect_to_read(path).map_err(failed)?;
        let has_tables = |tables: &[&str]| {
            let exist = tables.iter().map(|table| connection.table_exists(None::<&str>, *table));
            exist.collect::<rusqlite::Result<Vec<bool>>>().map(|exist| exist.into_iter().all(|exists| exists))
        };
        let has_unique_keys = has_tables(&TABLES_OF_PHONE_KEYS).map_err(failed)?;
        let has_migrations = has_tables(&[APPLIED]).map_err(failed)?;
        let runner = embedded::migrations::runner();
        let applied = if has_migrations { runner.get_applied_migrations(&mut connection) } else { Ok(Vec::new()) };
        let applied = applied.map_err(|error| super::migration_error(&place, error, can_pass))?;
        let pending = opened_to_read::pending(runner.get_migrations(), &applied, &place)?;
        let readers = Readers::new(settings.readers, || connect_to_read(path)).map_err(failed)?;
        let writer = Writer::start(connection, settings.queue, settings.group);
        let store = Store::Sqlite(Sqlite { path: path.into(), readers: Arc::new(readers), writer });
        Ok(Some(OpenedToRead { store, pending, has_unique_keys }))
    }

    /// Takes the lock of the process that migrates the file; waits in a thread of its own.
    pub(super) async fn lock_for_migrating(&self) -> Result<File, OpenError> {
        let path = self.path.clone();
        let locked = tokio::task::spawn_blocking(move || lock_for_migrating(&path)).await;
        locked.unwrap_or_else(|panicked| Err(OpenError::Unusable(self.path.display().to_string(), panicked.into())))
    }

    /// Checks whether `dev` may work in a file, which is neither created nor changed.
    pub(super) fn admits_dev(path: &Path) -> Result<bool, OpenError> {
        if !path.exists() {
            return Ok(true);
        }
        let asked = || {
            let connection = connect_to_read(path)?;
            for table in made_by::TABLES_OF_ADMITS_DEV {
                if !connection.table_exists(None::<&str>, table)? {
                    return Ok(true);
                }
            }
            connection.query_row(made_by::ADMITS_DEV.sqlite, [], |row| row.get(0))
        };
        asked().map_err(|error: rusqlite::Error| open_error(&path.display().to_string(), error))
    }

    pub(super) fn prepare(&self, statement: Statement) -> Result<(), Error> {
        self.readers.take().prepare_cached(statement.sqlite).map(drop).map_err(error)
    }

    /// Reads in the caller's own thread, which takes a few microseconds: less than a hop to another thread.
    pub(super) fn query<T>(&self, statement: Statement, bound: &[Parameter], read: Read<T>) -> Result<Vec<T>, Error> {
        query(&self.readers.take(), statement, bound, read)
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        statement: Statement,
        bound: Vec<Parameter>,
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        self.writer.run(move |connection| query(connection, statement, &bound, read)).await
    }

    pub(super) async fn execute(
        &self,
        queries: Vec<Query>,
        accept: impl FnOnce(&[u64]) -> Result<(), Error> + Send + 'static,
    ) -> Result<Vec<u64>, Error> {
        let run = move |connection: &Connection| {
            let touched =
                queries.iter().map(|query| execute(connection, query)).collect::<Result<Vec<u64>, Error>>()?;
            accept(&touched)?;
            Ok(touched)
        };
        self.writer.run(run).await
    }

    pub(super) async fn commit(&self, first: Update, make_update: MakeUpdate) -> Result<Commit, Error> {
        self.writer.run(move |connection| commit(connection, first, &make_update)).await
    }
}

/// Inside the writer's transaction no other writer can change the account, so a second attempt always finds the version it
/// was made from.
fn commit(connection: &Connection, first: Update, make_update: &MakeUpdate) -> Result<Commit, Error> {
    if apply(connection, &first)? {
        return Ok(first.into());
    }
    let read = query(connection, accounts::BY_ID, &[first.account.id.into()], record::account)?;
    let Some(current) = read.into_iter().next() else {
        return Err(CredentialFault::Invalid.into());
    };
    match make_update(&current)? {
        None => Ok(Commit::unchanged(current)),
        Some(second) if apply(connection, &second)? => Ok(second.into()),
        Some(_) => Err(Error::Internal(Cause::new("an account changed under the writer's own lock"))),
    }
}

/// Writes an update; returns false when the account is no longer at the version that the update was made from.
fn apply(connection: &Connection, update: &Update) -> Result<bool, Error> {
    if execute(connection, &(accounts::SET, record::account_values(&update.account)).into())? == 0 {
        return Ok(false);
    }
    for query in accounts::releases(update).chain(accounts::claims(update)) {
        execute(connection, &query)?;
    }
    for query in update.nonce.iter().flat_map(secure_channel::using) {
        execute(connection, &query)?;
    }
    for effect in &update.effects {
        effect.check(execute(connection, &effect.query())?)?;
    }
    execute(connection, &(history::ADD, record::entry_values(&update.entry)).into())?;
    Ok(true)
}

fn execute(connection: &Connection, query: &Query) -> Result<u64, Error> {
    let mut prepared = connection.prepare_cached(query.statement.sqlite).map_err(error)?;
    let executed = prepared.execute(params_from_iter(&query.parameters));
    executed.map(|rows| rows as u64).map_err(|cause| error_of(cause, query.claims))
}

fn query<T>(
    connection: &Connection,
    statement: Statement,
    bound: &[Parameter],
    read: Read<T>,
) -> Result<Vec<T>, Error> {
    query_text(connection, statement.sqlite, bound, read)
}

fn query_text<T>(
    connection: &Connection,
    statement: &str,
    bound: &[Parameter],
    read: impl Fn(&dyn Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut prepared = connection.prepare_cached(statement).map_err(error)?;
    let mut rows = prepared.query(params_from_iter(bound)).map_err(error)?;
    let mut values = Vec::new();
    while let Some(row) = rows.next().map_err(error)? {
        values.push(read(row)?);
    }
    Ok(values)
}

/// Connections that are only read from, handed out in turn.
struct Readers {
    connections: Vec<Mutex<Connection>>,
    next: AtomicUsize,
}

impl Readers {
    fn new(count: usize, connect: impl Fn() -> rusqlite::Result<Connection>) -> rusqlite::Result<Readers> {
        let connections = (0..count).map(|_| connect().map(Mutex::new)).collect::<rusqlite::Result<_>>()?;
        Ok(Readers { connections, next: AtomicUsize::new(0) })
    }

    fn take(&self) -> MutexGuard<'_, Connection> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn =
            (0..self.connections.len()).map(|step| &self.connections[(first + step) % self.connections.len()]);
        // A poisoned lock means that a reader panicked; its connection has no open transaction and can be used again.
        in_turn.clone().find_map(|connection| connection.try_lock().ok()).unwrap_or_else(|| {
            self.connections[first % self.connections.len()].lock().unwrap_or_else(PoisonError::into_inner)
        })
    }
}

/// Creates the file, accessible only to its owner, if it is missing.
fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit is on disk before it is acknowledged. NORMAL would lose the last commits in a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Without this, SQLite built with STAT4 recompiles a cached statement at every use, to plan for the values that are
    // bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Opens a file, of any version, in which nothing can be written.
fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    // Not read-only: a read-only connection leaves the files of the write-ahead log behind when it closes.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Waits until no other process migrates the file. The system releases the lock when the returned file is closed, also after
/// a crash.
fn lock_for_migrating(path: &Path) -> Result<File, OpenError> {
    let unusable = |error: std::io::Error| OpenError::Unusable(path.display().to_string(), error.into());
    let lock = File::create(path.with_extension("migrating")).map_err(unusable)?;
    lock.lock().map_err(unusable)?;
    Ok(lock)
}

fn migrate(connection: &mut Connection, path: &Path, place: &str) -> Result<(), OpenError> {
    let _lock = lock_for_migrating(path)?;
    let done = embedded::migrations::runner().set_abort_missing(true).run(connection);
    done.map(drop).map_err(|error| super::migration_error(place, error, can_pass))
}

/// Returns the error for a file that cannot be opened.
fn open_error(place: &str, cause: rusqlite::Error) -> OpenError {
    let make = if can_pass(&cause) { OpenError::Unreachable } else { OpenError::Unusable };
    make(place.to_owned(), cause.into())
}

/// Checks for a lock of another process, the only obstacle that passes by itself: a disk that is full or read-only stays so.
fn can_pass(cause: &(dyn std::error::Error + 'static)) -> bool {
    let code = cause.downcast_ref().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Maps an SQLite error: an expected unique violation to [`Error::Taken`], a transient error to [`Error::Unavailable`], any
/// other to [`Error::Internal`].
pub(super) fn error(cause: rusqlite::Error) -> Error {
    error_of(cause, None)
}

/// Like [`error`], for a statement that claims a unique key.
fn error_of(cause: rusqlite::Error, claims: Option<Unique>) -> Error {
    let Some(code) = cause.sqlite_error_code() else {
        return Error::Internal(Cause::new(cause));
    };
    match code {
        ErrorCode::ConstraintViolation => match unique::taken_in_sqlite(&cause.to_string(), claims) {
            Some(unique) => Error::Taken(unique),
            None => Error::Internal(Cause::new(cause)),
        },
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory => Error::Unavailable(Cause::new(cause)),
        _ => Error::Internal(Cause::new(cause)),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_connection_syncs_every_commit_and_distrusts_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.sqlite3");
        create(&path).unwrap();
        let connection = connect(&path).unwrap();
        let ask = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        // 2 stands for FULL.
        assert_eq!((ask("synchronous"), ask("trusted_schema")), (2, 0));
    }

    #[test]
    fn a_cached_statement_is_not_recompiled_for_other_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.sqlite3");
        File::create(&path).unwrap();
        let mut connection = connect(&path).unwrap();
        migrate(&mut connection, &path, "test").unwrap();
        let mut compiled_again = Vec::new();
        for statement in accounts::ALL {
            for value in 1..=3_u8 {
                let mut prepared = connection.prepare_cached(statement.sqlite).unwrap();
                let bound = vec![[value; 16]; prepared.parameter_count()];
                let _ = prepared.query(params_from_iter(bound)).unwrap().next();
            }
            let prepared = connection.prepare_cached(statement.sqlite).unwrap();
            if prepared.get_status(StatementStatus::RePrepare) > 0 {
                compiled_again.push(statement.sqlite);
            }
        }
        assert_eq!(compiled_again, Vec::<&str>::new());
    }
}

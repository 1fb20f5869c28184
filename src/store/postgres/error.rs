//! What the errors of the server and of the driver mean.

use std::io;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use crate::account::{Cause, Error, Unique};
use crate::store::unique;

pub(super) fn pool_error(cause: PoolError) -> Error {
    match cause {
        PoolError::Timeout(TimeoutType::Wait) => Error::Unavailable(Cause::new("every database connection is in use")),
        cause => Error::Unavailable(Cause::new(cause)),
    }
}

/// Maps a PostgreSQL error: an expected unique violation to [`Error::Taken`], a transient error to [`Error::Unavailable`],
/// any other to [`Error::Internal`].
pub(super) fn error(cause: tokio_postgres::Error) -> Error {
    error_of(cause, None)
}

/// Like [`error`], for a statement that claims a unique key.
pub(super) fn error_of(cause: tokio_postgres::Error, claims: Option<Unique>) -> Error {
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
    // transactions, a row that stays locked, a read-only server (a standby before its promotion), and a server that refuses
    // log-ins.
    let is_transient = ["08", "53", "57", "58", "40", "25", "28", "3D"].contains(&&answer.code().code()[..2]);
    let make = if is_transient || is_locked(&cause) { Error::Unavailable } else { Error::Internal };
    make(Cause::new(cause))
}

/// Checks for an error that undid a statement of many changes because of one of them: a violated constraint, a conflict
/// between transactions, a row that stays locked.
pub(super) fn concerns_one_change(cause: &tokio_postgres::Error) -> bool {
    is_locked(cause) || cause.code().is_some_and(|code| ["22", "23", "40"].contains(&&code.code()[..2]))
}

/// Checks for a row that stayed locked for longer than the statement waits.
pub(super) fn is_locked(cause: &tokio_postgres::Error) -> bool {
    cause.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// Checks for the error of a statement that divides by the number of rows that it changed: it changed none.
pub(super) fn changed_nothing(cause: &tokio_postgres::Error) -> bool {
    cause.code() == Some(&SqlState::DIVISION_BY_ZERO)
}

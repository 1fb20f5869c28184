use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::sqlite;
use crate::account::Error;

/// Remembers the place where each name was first seen, for any number of names. Beyond 16 MiB they go to disk, in a file
/// that the system removes when this is dropped.
pub struct Seen(Connection);

/// Memory for names, in KiB.
const MEMORY: i64 = 16 * 1024;

impl Seen {
    /// Creates an empty set.
    pub fn new() -> Result<Seen, Error> {
        // The empty name makes a temporary file (SQLite, "Temporary Databases").
        let connection = Connection::open("").map_err(sqlite::error)?;
        connection.pragma_update(None, "cache_size", -MEMORY).map_err(sqlite::error)?;
        let begin = "CREATE TABLE seen (name BLOB NOT NULL PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID; \
                     BEGIN";
        connection.execute_batch(begin).map_err(sqlite::error)?;
        Ok(Seen(connection))
    }

    /// Records the place of a new name; returns the earlier place if the name was recorded before.
    pub fn note(&self, name: &[u8], place: u64) -> Result<Option<u64>, Error> {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let mut add = self.0.prepare_cached("INSERT INTO seen (name, place) VALUES (?1, ?2)").map_err(sqlite::error)?;
        match add.execute(params![name, place]) {
            Ok(_) => Ok(None),
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => self.place(name),
            Err(cause) => Err(sqlite::error(cause)),
        }
    }

    /// Returns the place where a name was first seen.
    pub fn place(&self, name: &[u8]) -> Result<Option<u64>, Error> {
        let mut find = self.0.prepare_cached("SELECT place FROM seen WHERE name = ?1").map_err(sqlite::error)?;
        let place: Option<i64> = find.query_row([name], |row| row.get(0)).optional().map_err(sqlite::error)?;
        Ok(place.map(i64::unsigned_abs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_the_place_where_it_was_first_seen() {
        let seen = Seen::new().unwrap();
        assert_eq!(seen.note(b"a", 1).unwrap(), None);
        assert_eq!(seen.note(b"b", 2).unwrap(), None);
        assert_eq!(seen.note(b"a", 3).unwrap(), Some(1));
        assert_eq!((seen.place(b"a").unwrap(), seen.place(b"c").unwrap()), (Some(1), None));
    }
}

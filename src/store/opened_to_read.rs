//! Databases that are opened without changing anything in them, not even the version of their tables.

use refinery::Migration;

use super::{OpenError, Postgres, Sqlite, Store};
use crate::config::{self, DatabaseUrl};

/// A database in which nothing can be written.
pub struct OpenedToRead {
    /// The database.
    pub store: Store,
    /// The migrations of this version that were not applied to it, in order.
    pub pending: Vec<String>,
    /// Whether it has the tables that [`Store::phone_keys`], [`Store::phone_records`],
    /// [`Store::phone_records_of`], [`Store::owners`] and [`Store::history`] read.
    pub has_unique_keys: bool,
}

/// The tables that are read by the functions that [`OpenedToRead::has_unique_keys`] names. A migration renamed the last one.
pub(super) const TABLES_OF_PHONE_KEYS: [&str; 4] = ["installation", "account", "history", "unique_key"];
/// The table with the applied migrations, which the library names.
pub(super) const APPLIED: &str = "refinery_schema_history";

impl Store {
    /// Opens a database without migrating its tables or changing anything else. `None` if it is an SQLite file that does not
    /// exist. Fails with [`OpenError::Newer`] and [`OpenError::Divergent`] as [`Store::open`] does.
    pub async fn open_to_read(
        url: &DatabaseUrl,
        settings: &config::Database,
    ) -> Result<Option<OpenedToRead>, OpenError> {
        match url {
            DatabaseUrl::Sqlite(path) => Sqlite::open_to_read(path, settings),
            DatabaseUrl::Postgres(url) => Postgres::open_to_read(url, settings).await.map(Some),
        }
    }
}

/// Returns the known migrations that were not applied. Fails if a migration that was applied is unknown, or differs.
pub(super) fn pending(known: &[Migration], applied: &[Migration], place: &str) -> Result<Vec<String>, OpenError> {
    for old in applied {
        match known.iter().find(|migration| migration.version() == old.version()) {
            None => return Err(super::newer(place, old)),
            Some(migration) if migration != old => return Err(super::divergent(place, old, migration)),
            Some(_) => {}
        }
    }
    let is_applied = |migration: &Migration| applied.iter().any(|old| old.version() == migration.version());
    let mut pending: Vec<&Migration> = known.iter().filter(|migration| !is_applied(migration)).collect();
    pending.sort();
    Ok(pending.into_iter().map(ToString::to_string).collect())
}

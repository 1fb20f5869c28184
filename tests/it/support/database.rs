//! A fresh, empty database that is removed at the end of the test.

use tempfile::TempDir;

use super::postgres;

/// A fresh, empty database, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    url: String,
    _removed_at_the_end: Storage,
}

#[derive(Debug)]
#[expect(dead_code, reason = "held only to be dropped")]
enum Storage {
    Sqlite(TempDir),
    Postgres(postgres::SharedDatabase),
    /// Removed with its cluster.
    Cluster,
}

impl Database {
    /// A SQLite file that does not exist yet, in a directory of its own.
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("selfsame.sqlite3");
        let url = format!("sqlite:{}", file.to_str().expect("temporary directories have UTF-8 names"));
        Self { url, _removed_at_the_end: Storage::Sqlite(directory) }
    }

    /// A database of its own in the PostgreSQL cluster that all tests of this process share.
    ///
    /// The cluster runs with `fsync` off: a test about durability takes [`postgres::Cluster::durable`] instead.
    pub(crate) fn postgres() -> Self {
        let database = postgres::SharedDatabase::new();
        Self { url: database.url().to_owned(), _removed_at_the_end: Storage::Postgres(database) }
    }

    /// An empty database in the test's own cluster, which must outlive it.
    pub(crate) fn in_cluster(cluster: &postgres::Cluster) -> Self {
        Self { url: cluster.new_database(), _removed_at_the_end: Storage::Cluster }
    }

    /// The URL for the configuration: `sqlite:PATH` or `postgres://…`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

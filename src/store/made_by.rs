//! Which command made a database. `selfsame dev` works only in databases that it made: the credentials it adds open
//! accounts.

use super::statement::{Part, Statement, statement};
use super::value::{always, computed, parameters};
use super::{OpenError, Postgres, Sqlite, Store, postgres};
use crate::account::Error;
use crate::config::{self, DatabaseUrl};

/// Condition for a database that `dev` may take over: it has no tenants and no accounts, without which nothing in it can be
/// used; or an earlier version of `dev` made it without stating the fact, and it has no tenant except the demo's.
const UNCLAIMED: Part = Part::Text(
    "NOT EXISTS (SELECT 1 FROM installation WHERE name = 'made_by') \
     AND (NOT EXISTS (SELECT 1 FROM tenant) AND NOT EXISTS (SELECT 1 FROM account) \
     OR EXISTS (SELECT 1 FROM installation WHERE name = 'dev.account') \
     AND NOT EXISTS (SELECT 1 FROM tenant WHERE name <> 'demo'))",
);

/// Checks whether `dev` may work in a database; every table that this reads is from the first migration.
pub(super) const ADMITS_DEV: Statement =
    statement!("SELECT EXISTS (SELECT 1 FROM installation WHERE name = 'made_by' AND value = 'dev') OR ", {
        UNCLAIMED
    });
/// The tables that [`ADMITS_DEV`] reads.
pub(super) const TABLES_OF_ADMITS_DEV: [&str; 3] = ["installation", "tenant", "account"];
const CLAIM: Statement = statement!(
    "INSERT INTO installation (name, value) SELECT 'made_by', 'dev' WHERE ",
    { UNCLAIMED },
    " ON CONFLICT DO NOTHING"
);
const HAS_DEV_CREDENTIALS: Statement = statement!(
    "SELECT EXISTS (SELECT 1 FROM installation WHERE name = 'made_by' AND value = 'dev' OR name = 'dev.account')"
);

impl Store {
    /// Checks whether `dev` may work in a database. Only reads it: its tables are not migrated, and a missing database is
    /// not created.
    pub async fn admits_dev(url: &DatabaseUrl, settings: &config::Database) -> Result<bool, OpenError> {
        match url {
            DatabaseUrl::Sqlite(path) => Sqlite::admits_dev(path),
            DatabaseUrl::Postgres(url) => Postgres::admits_dev(url, settings).await,
        }
    }

    /// Marks the database as made by `dev`, in one statement with the conditions of [`Store::admits_dev`]; returns false
    /// when they are not met.
    pub async fn claim_for_dev(&self) -> Result<bool, Error> {
        self.execute(vec![(CLAIM, parameters![])]).await?;
        Ok(self.find_fact("made_by").await?.as_deref() == Some("dev"))
    }

    /// Checks whether `dev` made the database or has added its demo account to it.
    pub async fn has_dev_credentials(&self) -> Result<bool, Error> {
        self.find(HAS_DEV_CREDENTIALS, parameters![], |row| computed(row, 0)).await.and_then(always)
    }
}

/// Returns the location of a database, without the secrets in its URL.
pub fn place(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite(path) => path.display().to_string(),
        DatabaseUrl::Postgres(url) => postgres::place_of(url),
    }
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[ADMITS_DEV, CLAIM, HAS_DEV_CREDENTIALS];

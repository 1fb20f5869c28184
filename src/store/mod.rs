//! Storage: the only module that contains SQL.
//!
//! [`Store`] names each operation after its purpose. Code shared by both databases is written once ([`statement`](self));
//! code specific to an engine, such as how a change commits, is in its own folder.

mod accounts;
mod api_keys;
mod applications;
mod codes;
mod copy;
mod dev_credentials;
mod effects;
mod history;
mod identities;
mod import;
mod installation;
mod made_by;
mod notices;
mod numbers;
#[cfg(test)]
mod one_account;
mod opened_to_read;
mod owners;
mod phone_keys;
mod pictures;
mod postgres;
mod record;
mod schemas;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
pub(crate) mod scratch;
mod secure_channel;
mod seen;
mod sign_ins;
mod sqlite;
mod statement;
mod stored;
mod table;
mod tables;
mod tenants;
mod tokens;
mod unique;
mod used_codes;
mod value;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use refinery::Migration;

use crate::account::history::Entry;
use crate::account::{Account, Error, Tenant, Unique};
use crate::config::{self, DatabaseUrl};
use crate::keys::KeyedHash;
use crate::telemetry::{self, Stopwatch};
use statement::Statement;
use value::{Parameter, Row};

pub use accounts::CallerQuery;
pub use api_keys::{ApiKey, Presented};
pub use codes::{CodeId, NewCode, SendingLimit, StoredCode};
pub use copy::{Copied, CopyError, Progress};
pub use dev_credentials::DevCredentials;
pub use effects::Effect;
pub use import::{Conflict, ImportedAccount, id_name};
pub use made_by::place;
pub use notices::{ClaimedNotice, SealedNotice};
pub use opened_to_read::OpenedToRead;
pub use phone_keys::{OwnedKey, PhoneKeyBatch, PhoneKeys, PhoneRecord};
pub use pictures::PictureState;
pub use postgres::Postgres;
pub use secure_channel::{
    ChannelKeyRecord, ChannelOwner, ChannelSession, NewChannelSession, Nonce, NonceState, UnusedSessions,
};
pub use seen::Seen;
pub use sign_ins::{RefreshToken, Refreshed, SignIn};
pub use sqlite::{Exclusion, ServerLock, Sqlite};
pub use table::{Table, unreadable};
pub use tables::TABLES;
pub use unique::{CONSTRAINTS, Constraint};
pub use used_codes::UsedCode;

/// The database, of one of two kinds.
#[derive(Clone)]
pub enum Store {
    /// Embedded SQLite.
    Sqlite(Sqlite),
    /// A PostgreSQL server, which several instances can share.
    Postgres(Postgres),
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It does not answer, or not now; a later attempt may succeed.
    #[error("database {0}: {1}")]
    Unreachable(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// It cannot be used until an operator changes something.
    #[error("database {0}: {1}")]
    Unusable(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another process serves the SQLite file.
    #[error(
        "database {0}: it is served by another process ({1}); stop that one first, or use PostgreSQL, which several servers can share"
    )]
    Served(String, String),
    /// The URL of a PostgreSQL database cannot be parsed.
    #[error(
        "database.url = (hidden): the driver does not accept it; check the names and values of its options, and write @ in the password as %40, ? as %3F and % as %25"
    )]
    Url,
    /// A newer version of the program has migrated it.
    #[error(
        "database {0}: made by a newer version of selfsame ({1} is unknown to this one); start that version, or restore a backup made before the upgrade"
    )]
    Newer(String, String),
    /// An applied migration differs from this program's migration with the same number.
    #[error("database {0}: {1}; this is not a database of this program, or it was changed by hand")]
    Divergent(String, String),
    /// The server may lose acknowledged changes.
    #[error(
        "database {0}: the server runs with fsync = off and may lose what it acknowledged; turn it on, or set database.allow_unsafe_durability = true for throw-away data"
    )]
    Unsafe(String),
    /// `dev` was to work in it, but it is in use and was not made by `dev`.
    #[error(
        "database {0}: it was not made by `selfsame dev`, which would add demo accounts and their credentials to it; use `selfsame serve`, or choose another database for `dev` with --data or --database"
    )]
    NotMadeByDev(String),
}

/// An account with everything that decides a request, read in one query.
#[derive(Clone, Debug)]
pub struct CallerRecord {
    /// The account that the token names.
    pub account: Account,
    /// The account's tenant.
    pub tenant: Tenant,
    /// Tokens of the account issued before this are revoked.
    pub tokens_not_before: Option<Timestamp>,
    /// Whether the presented token is revoked.
    pub revoked: bool,
    /// The keyed hash of the client hash that the session is bound to, if it is bound and its binding was read.
    pub client_hash: Option<KeyedHash>,
    /// When that binding may be deleted.
    pub bound_until: Option<Timestamp>,
}

/// A key that signs this installation's tokens, as it is stored.
#[derive(Clone, Debug)]
pub struct SigningKeyRecord {
    /// The `kid` in token headers.
    pub key_id: String,
    /// The `alg` in token headers.
    pub algorithm: String,
    /// The public half as a JWK.
    pub public_key: String,
    /// The private half in PKCS #8, sealed under the master key.
    pub sealed: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a newer key replaced it.
    pub retired_at: Option<Timestamp>,
}

impl SigningKeyRecord {
    /// Returns the error for a column whose value is not one that the program stores.
    pub fn unreadable(&self, column: &str, why: impl fmt::Display) -> Error {
        unreadable("signing_key", &self.key_id, column, why)
    }
}

/// An identity at another provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The issuer, as the provider's tokens name it.
    pub issuer: String,
    /// The subject: the person, as that provider names them.
    pub subject: String,
}

/// A link from an identity at another provider to an account.
#[derive(Clone, Debug)]
pub struct Link {
    /// The identity.
    pub identity: Identity,
    /// The keyed hash of the subject.
    pub key: KeyedHash,
}

/// A value that only one account may own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueKey {
    /// Its kind.
    pub kind: Unique,
    /// The keyed hash of the folded value.
    pub key: KeyedHash,
}

/// The right to migrate a database, until it is dropped.
pub struct MigrationLock {
    _file_or_connection: Box<dyn Send>,
}

/// A change to one account, ready to be written, all or nothing.
#[derive(Clone)]
pub struct Update {
    /// The account after the change.
    pub account: Account,
    /// The history entry of the change, chained to the previous one.
    pub entry: Entry,
    /// Unique keys that the account gives up.
    pub release: Vec<UniqueKey>,
    /// Unique keys that the account claims.
    pub claim: Vec<UniqueKey>,
    /// The nonce of the encrypted body that asks for the change; it is used up with the change, or nothing is changed.
    pub nonce: Option<Nonce>,
    /// Further effects of the change.
    pub effects: Vec<Effect>,
}

/// The result of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The account after the commit; if nothing changed, as `make_update` last saw it.
    pub account: Account,
    /// Whether it was changed; if not, nothing was written.
    pub changed: bool,
    /// Whether a notice was queued for delivery.
    pub notifies: bool,
}

impl From<Update> for Commit {
    fn from(update: Update) -> Commit {
        let notifies = update.effects.iter().any(|effect| matches!(effect, Effect::Notify { .. }));
        Commit { account: update.account, changed: true, notifies }
    }
}

impl Commit {
    /// Returns the result of a commit that changed nothing.
    fn unchanged(account: Account) -> Commit {
        Commit { account, changed: false, notifies: false }
    }
}

/// Makes an update from an account, or `None` if nothing would change. Called again with the current account if it was changed
/// in between.
pub type MakeUpdate = Arc<dyn Fn(&Account) -> Result<Option<Update>, Error> + Send + Sync>;

/// Reads a value from a row.
type Read<T> = fn(&dyn Row) -> Result<T, Error>;

/// A statement and its parameters.
#[derive(Clone)]
struct Query {
    statement: Statement,
    parameters: Vec<Parameter>,
    /// The kind of the one unique key that it claims; the constraint covers keys of several kinds.
    claims: Option<Unique>,
}

impl From<(Statement, Vec<Parameter>)> for Query {
    fn from((statement, parameters): (Statement, Vec<Parameter>)) -> Query {
        Query { statement, parameters, claims: None }
    }
}

/// The statements that both databases have, by module.
const STATEMENTS: [&[Statement]; 20] = [
    accounts::ALL,
    api_keys::ALL,
    applications::ALL,
    import::ALL,
    secure_channel::ALL,
    codes::ALL,
    dev_credentials::ALL,
    history::ALL,
    identities::ALL,
    installation::ALL,
    made_by::ALL,
    notices::ALL,
    owners::ALL,
    phone_keys::ALL,
    pictures::ALL,
    schemas::ALL,
    sign_ins::ALL,
    tenants::ALL,
    tokens::ALL,
    used_codes::ALL,
];

impl Store {
    /// Opens the database and migrates its tables; of several instances, one migrates while the others wait.
    pub async fn open(url: &DatabaseUrl, settings: &config::Database) -> Result<Store, OpenError> {
        match url {
            DatabaseUrl::Sqlite(path) => Sqlite::open(path, settings).map(Store::Sqlite),
            DatabaseUrl::Postgres(url) => Postgres::open(url, settings).await.map(Store::Postgres),
        }
    }

    /// Waits until no other process migrates the database, and returns a lock that makes others wait. It ends when it is
    /// dropped, and with the process.
    pub async fn lock_for_migrating(&self) -> Result<MigrationLock, OpenError> {
        match self {
            Store::Sqlite(sqlite) => {
                Ok(MigrationLock { _file_or_connection: Box::new(sqlite.lock_for_migrating().await?) })
            }
            Store::Postgres(postgres) => {
                Ok(MigrationLock { _file_or_connection: Box::new(postgres.lock_for_migrating().await?) })
            }
        }
    }

    /// Checks that the database responds.
    pub async fn ping(&self) -> Result<(), Error> {
        self.query(installation::PING, vec![], |row| value::computed::<i64>(row, 0)).await.map(drop)
    }

    /// Prepares every statement, which checks that the tables are those that this program was written for.
    pub async fn check(&self) -> Result<(), Error> {
        for statement in STATEMENTS.into_iter().flatten() {
            match self {
                Store::Sqlite(sqlite) => sqlite.prepare(*statement)?,
                Store::Postgres(postgres) => postgres.prepare(*statement).await?,
            }
        }
        match self {
            Store::Sqlite(_) => Ok(()),
            Store::Postgres(postgres) => postgres.prepare_own().await,
        }
    }

    /// Commits, durably, the change that `make_update` makes to `account`.
    ///
    /// `make_update` is called first without a query; if it returns `None`, nothing is written. If the account was changed in
    /// between, it is read again, on PostgreSQL under a row lock and on SQLite in its only writer, and `make_update` is called
    /// again: no request starves and no update is lost. Once begun, a commit is finished even if the caller goes away.
    pub async fn commit(&self, account: Account, make_update: MakeUpdate) -> Result<Commit, Error> {
        let Some(first) = make_update(&account)? else {
            return Ok(Commit::unchanged(account));
        };
        let took = Stopwatch::start();
        let committed = match self {
            Store::Sqlite(sqlite) => sqlite.commit(first, make_update).await,
            Store::Postgres(postgres) => postgres.commit(first, make_update).await,
        };
        telemetry::store("commit", took, &committed);
        committed.map_err(secure_channel::replayed)
    }

    async fn query<T: Send + 'static>(
        &self,
        statement: Statement,
        bound: Vec<Parameter>,
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        let took = Stopwatch::start();
        let found = match self {
            Store::Sqlite(sqlite) => sqlite.query(statement, &bound, read),
            Store::Postgres(postgres) => postgres.query(statement, &bound, read).await,
        };
        telemetry::store("read", took, &found);
        found
    }

    async fn find<T: Send + 'static>(
        &self,
        statement: Statement,
        bound: Vec<Parameter>,
        read: Read<T>,
    ) -> Result<Option<T>, Error> {
        Ok(self.query(statement, bound, read).await?.into_iter().next())
    }

    /// Runs statements in one transaction and returns how many rows each touched.
    async fn execute(&self, queries: Vec<impl Into<Query>>) -> Result<Vec<u64>, Error> {
        self.execute_if(queries, |_| Ok(())).await
    }

    /// Like [`Store::execute`], but rolls back when `accept` refuses the numbers of touched rows.
    async fn execute_if(
        &self,
        queries: Vec<impl Into<Query>>,
        accept: impl FnOnce(&[u64]) -> Result<(), Error> + Send + 'static,
    ) -> Result<Vec<u64>, Error> {
        let queries = queries.into_iter().map(Into::into).collect();
        let took = Stopwatch::start();
        let executed = match self {
            Store::Sqlite(sqlite) => sqlite.execute(queries, accept).await,
            Store::Postgres(postgres) => postgres.execute(queries, accept).await,
        };
        telemetry::store("write", took, &executed);
        executed
    }

    /// Runs one statement that writes and returns rows.
    async fn write<T: Send + 'static>(
        &self,
        statement: Statement,
        bound: Vec<Parameter>,
        read: Read<T>,
    ) -> Result<Vec<T>, Error> {
        let took = Stopwatch::start();
        let written = match self {
            Store::Sqlite(sqlite) => sqlite.write(statement, bound, read).await,
            Store::Postgres(postgres) => postgres.write(statement, &bound, read).await,
        };
        telemetry::store("write", took, &written);
        written
    }
}

/// Returns the error of a migration; `can_pass` decides whether the database's own error may pass by itself.
fn migration_error(
    place: &str,
    error: refinery::Error,
    can_pass: fn(&(dyn std::error::Error + 'static)) -> bool,
) -> OpenError {
    use refinery::error::Kind;
    match error.kind() {
        Kind::MissingVersion(migration) => newer(place, migration),
        Kind::DivergentVersion(applied, known) => divergent(place, applied, known),
        Kind::Connection(_, cause) if can_pass(cause.as_ref()) => {
            OpenError::Unreachable(place.to_owned(), error.into())
        }
        _ => OpenError::Unusable(place.to_owned(), error.into()),
    }
}

/// Returns the error for a migration that was applied and is unknown.
fn newer(place: &str, applied: &Migration) -> OpenError {
    OpenError::Newer(place.to_owned(), applied.to_string())
}

/// Returns the error for a migration that was applied with another content.
fn divergent(place: &str, applied: &Migration, known: &Migration) -> OpenError {
    OpenError::Divergent(place.to_owned(), format!("it contains {applied} where this version has {known}"))
}

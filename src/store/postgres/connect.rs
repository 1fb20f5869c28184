//! Connections to the server: the pool, TLS, durability checks and migrations.

use std::io::ErrorKind;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::account::{Cause, Error};
use crate::config::{self, Secret};
use crate::store::opened_to_read::{self, APPLIED, TABLES_OF_PHONE_KEYS};
use crate::store::{OpenError, made_by};

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// The advisory lock that an instance takes while it migrates the tables: "selfsame" in ASCII.
const MIGRATION_LOCK: i64 = 0x7365_6c66_7361_6d65;

/// Parses the server's URL.
pub(super) fn server(url: &Secret, settings: &config::Database) -> Result<Config, OpenError> {
    // The driver's error may quote an option, which may be a part of the password.
    let mut server = Config::from_str(url.expose()).map_err(|_| OpenError::Url)?;
    server.connect_timeout(settings.wait_timeout).application_name("selfsame").keepalives(true);
    Ok(server)
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Any statement.
    Any,
    /// Statements that only read; the server refuses others.
    Reading,
    /// Statements that only read, find rows by their keys and return at once, of many requests.
    Shared,
    /// Statements that commit the changes of many accounts.
    Batches,
}

/// How long a batch waits for the lock of one account's row: all other changes of the batch wait with it.
const BATCH_LOCK_TIMEOUT: Duration = Duration::from_millis(250);

/// Returns the statements that a new connection begins with.
fn session(settings: &config::Database, purpose: Purpose) -> String {
    let timeout = settings.statement_timeout;
    let lock_timeout = if purpose == Purpose::Batches { timeout.min(BATCH_LOCK_TIMEOUT) } else { timeout };
    let only_reads = matches!(purpose, Purpose::Reading | Purpose::Shared);
    let read_only = if only_reads { "; SET default_transaction_read_only = on" } else { "" };
    // The plan of a statement outlives its first use. A table that is small then may be large later.
    let finds_by_keys = matches!(purpose, Purpose::Shared | Purpose::Batches);
    let plans = match finds_by_keys {
        true => "; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off",
        false => "",
    };
    // Every statement is prepared, and finds its rows by a key: the values that are bound do not change the best plan.
    format!(
        "SET synchronous_commit = on; SET plan_cache_mode = force_generic_plan; SET jit = off; SET statement_timeout = {timeout}; \
         SET lock_timeout = {lock_timeout}; SET idle_in_transaction_session_timeout = {timeout}{read_only}{plans}",
        timeout = timeout.as_millis(),
        lock_timeout = lock_timeout.as_millis(),
    )
}

/// Builds a pool of at most `size` connections; no connection is opened yet.
pub(super) fn pool(
    server: &Config,
    settings: &config::Database,
    purpose: Purpose,
    size: usize,
) -> Result<Pool, OpenError> {
    let tls = MakeRustlsConnect::new(tls(server, settings)?);
    let manager = Manager::from_config(server.clone(), tls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let (patience, session) = (settings.wait_timeout, session(settings, purpose));
    let wait = Some(patience);
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts { wait, create: wait, recycle: wait })
        .post_create(Hook::async_fn(move |connection, _| {
            let session = session.clone();
            Box::pin(async move {
                // The pool's `create` time-out does not cover this hook.
                match tokio::time::timeout(patience, connection.batch_execute(&session)).await {
                    Ok(set) => set.map_err(HookError::Backend),
                    Err(_) => Err(HookError::message("the server does not answer")),
                }
            })
        }))
        .build()
        .map_err(|cause| open_error(server, cause))
}

/// Opens connections outside the pool, all for one purpose.
pub(super) struct Connector {
    server: Config,
    tls: MakeRustlsConnect,
    session: String,
    patience: Duration,
}

impl Connector {
    pub(super) fn new(server: &Config, settings: &config::Database, purpose: Purpose) -> Result<Connector, OpenError> {
        let tls = MakeRustlsConnect::new(tls(server, settings)?);
        Ok(Connector {
            server: server.clone(),
            tls,
            session: session(settings, purpose),
            patience: settings.wait_timeout,
        })
    }

    /// Opens a connection, within `database.wait_timeout`.
    pub(super) async fn connect(&self) -> Result<ClientWrapper, Error> {
        let connect = async {
            let (client, driver) = self.server.connect(self.tls.clone()).await?;
            // The statements in flight report why a connection broke.
            let connection = ClientWrapper::new(client, tokio::spawn(async move { drop(driver.await) }));
            connection.batch_execute(&self.session).await?;
            Ok(connection)
        };
        let connected = tokio::time::timeout(self.patience, connect).await;
        let connected = connected.map_err(|_| Error::Unavailable(Cause::new("the server does not answer")))?;
        connected.map_err(|cause: tokio_postgres::Error| Error::Unavailable(Cause::new(cause)))
    }
}

/// Returns the TLS settings for a URL that asks for TLS: the server's certificate is verified against the system's roots, or
/// those in the file that the configuration names.
fn tls(server: &Config, settings: &config::Database) -> Result<ClientConfig, OpenError> {
    let Some(path) = &settings.root_certificates else {
        return ClientConfig::with_platform_verifier().map_err(|cause| open_error(server, cause));
    };
    let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
        OpenError::Unusable(format!("root certificates {}", path.display()), cause)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| failed(cause.into()))? {
        let certificate = certificate.map_err(|cause| failed(cause.into()))?;
        roots.add(certificate).map_err(|cause| failed(cause.into()))?;
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| failed(cause.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Checks that the server keeps what it acknowledges, and migrates the tables.
pub(super) async fn migrate(pool: &Pool, server: &Config, settings: &config::Database) -> Result<(), OpenError> {
    let connection = first_connection(pool, server).await?;
    let failed = |cause: tokio_postgres::Error| open_error(server, cause);
    let durable: String = connection.query_one("SHOW fsync", &[]).await.map_err(failed)?.get(0);
    if durable != "on" && !settings.allow_unsafe_durability {
        return Err(OpenError::Unsafe(place(server)));
    }
    let mut connection = lock_for_migrating(connection, server).await?;
    let runner = embedded::migrations::runner().set_abort_missing(true);
    let migrated = runner.run_async(&mut *connection).await;
    migrated.map(drop).map_err(|cause| crate::store::migration_error(&place(server), cause, can_pass))
}

/// Waits until no other instance migrates, and takes a connection with the lock of the one that does out of the pool. The lock
/// and the session's settings end with the connection.
pub(super) async fn lock_for_migrating(connection: Object, server: &Config) -> Result<ClientWrapper, OpenError> {
    let connection = Object::take(connection);
    let failed = |cause: tokio_postgres::Error| open_error(server, cause);
    // Waiting for another instance, and a migration itself, may take longer than any statement of a request.
    connection.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0").await.map_err(failed)?;
    connection.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await.map_err(failed)?;
    Ok(connection)
}

/// Returns the migrations that were not applied, and whether the tables of the unique keys exist, without changing anything.
pub(super) async fn inspect(pool: &Pool, server: &Config) -> Result<(Vec<String>, bool), OpenError> {
    let mut connection = first_connection(pool, server).await?;
    let failed = |cause: tokio_postgres::Error| open_error(server, cause);
    let has_unique_keys = has_tables(&connection, &TABLES_OF_PHONE_KEYS).await.map_err(failed)?;
    let has_migrations = has_tables(&connection, &[APPLIED]).await.map_err(failed)?;
    let runner = embedded::migrations::runner();
    let applied = match has_migrations {
        true => runner.get_applied_migrations_async(&mut **connection.as_mut()).await,
        false => Ok(Vec::new()),
    };
    let applied = applied.map_err(|cause| crate::store::migration_error(&place(server), cause, can_pass))?;
    let pending = opened_to_read::pending(runner.get_migrations(), &applied, &place(server))?;
    Ok((pending, has_unique_keys))
}

async fn has_tables(connection: &Object, tables: &[&str]) -> Result<bool, tokio_postgres::Error> {
    for table in tables {
        let exists = connection.query_one("SELECT to_regclass($1) IS NOT NULL", &[table]).await?;
        if !exists.try_get::<_, bool>(0)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Checks whether `dev` may work in the database, without changing it.
pub(super) async fn admits_dev(pool: &Pool, server: &Config) -> Result<bool, OpenError> {
    let connection = first_connection(pool, server).await?;
    let ask = async {
        if !has_tables(&connection, &made_by::TABLES_OF_ADMITS_DEV).await? {
            return Ok(true);
        }
        connection.query_one(made_by::ADMITS_DEV.postgres, &[]).await?.try_get(0)
    };
    ask.await.map_err(|cause: tokio_postgres::Error| open_error(server, cause))
}

/// Takes the first connection from the pool.
pub(super) async fn first_connection(pool: &Pool, server: &Config) -> Result<Object, OpenError> {
    pool.get().await.map_err(|cause| match cause {
        PoolError::Backend(cause) | PoolError::PostCreateHook(HookError::Backend(cause)) => open_error(server, cause),
        cause => OpenError::Unreachable(place(server), Cause::new(cause).to_string().into()),
    })
}

/// Returns the location of a database, without the secrets in its URL.
pub(in crate::store) fn place_of(url: &Secret) -> String {
    place(&Config::from_str(url.expose()).unwrap_or_default())
}

/// Returns the location of the server, without the secrets in its URL.
fn place(server: &Config) -> String {
    let hosts = server.get_hosts().iter().map(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => name.clone(),
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    });
    let hosts: Vec<String> = hosts.collect();
    let ports: Vec<String> = server.get_ports().iter().map(|port| format!(":{port}")).collect();
    format!("postgres://{}{}/{}", hosts.join(","), ports.join(","), server.get_dbname().unwrap_or_default())
}

fn open_error(server: &Config, cause: impl std::error::Error + Send + Sync + 'static) -> OpenError {
    let make = if can_pass(&cause) { OpenError::Unreachable } else { OpenError::Unusable };
    // The driver's own message is only "error connecting to server"; the reason is further down the chain of causes.
    make(place(server), Cause::new(cause).to_string().into())
}

/// Checks whether an error may pass by itself: the server starts, is busy or cannot be reached yet. A refused certificate, role
/// or database stays refused until an operator changes something.
fn can_pass(cause: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(cause), |cause| cause.source()).any(|cause| {
        if let Some(error) = cause.downcast_ref::<tokio_postgres::Error>() {
            return match error.code() {
                Some(code) => ["08", "25", "40", "53", "55", "57", "58"].contains(&&code.code()[..2]),
                None => error.is_closed(),
            };
        }
        // A TLS handshake that failed is invalid data.
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|error| !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput))
    })
}

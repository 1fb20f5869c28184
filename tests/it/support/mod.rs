//! Test support: runs one test body on both databases, each run with a fresh database.

mod api_keys;
pub(crate) mod applications;
mod browser;
pub(crate) mod canaries;
mod certificate;
mod database;
mod demo;
pub(crate) mod forge;
pub(crate) mod gateway;
mod http2;
mod log;
pub(crate) mod mail;
mod obstacle;
pub(crate) mod peer;
mod person;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod provider;
mod request;
pub(crate) mod s3;
pub(crate) mod secure_channel;
mod server;
mod shell;
pub(crate) mod signing;
mod sql;
mod transcript;
mod until;
mod wire;

use std::time::Duration;

pub(crate) use api_keys::BackEnd;
pub(crate) use browser::run_page;
pub(crate) use certificate::Certificate;
pub(crate) use database::Database;
pub(crate) use demo::Demo;
pub(crate) use http2::Http2;
pub(crate) use log::Log;
pub(crate) use obstacle::Obstacle;
pub(crate) use person::{Person, Side};
pub(crate) use process::Process;
pub(crate) use program::Installation;
pub(crate) use request::{Answer, Request};
pub(crate) use server::{HOUR, Server, THROW_AWAY, config, patch};
pub(crate) use shell::Shell;
pub(crate) use transcript::Transcript;
pub(crate) use until::until;
pub(crate) use wire::Wire;

/// Longest duration of one test: a test that hangs fails under its name instead of blocking the whole run.
const LIMIT: Duration = Duration::from_secs(60);

/// Defines two tests with one body, `NAME::on_sqlite` and `NAME::on_postgres`.
///
/// ```ignore
/// on_both_databases!(
///     async fn a_code_cannot_be_used_twice(database: Database) { … }
/// );
/// ```
///
/// The argument may be of any type that implements [`OnDatabase`]. An inline snapshot in the body applies to both runs.
/// Invoked with parentheses, not braces, because rustfmt formats their content.
macro_rules! on_both_databases {
    ($(#[$attribute:meta])* async fn $name:ident($argument:ident: $Argument:ty) $body:block) => {
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn body($argument: $Argument) $body

            #[test]
            fn on_sqlite() {
                $crate::support::run($crate::support::Database::sqlite, body);
            }

            #[test]
            fn on_postgres() {
                $crate::support::run($crate::support::Database::postgres, body);
            }
        }
    };
}

/// An argument of a test of [`on_both_databases!`], which starts on a fresh, empty database.
pub(crate) trait OnDatabase {
    /// Starts on `database`, which exists as long as the returned value keeps it.
    async fn start(database: Database) -> Self;
}

impl OnDatabase for Database {
    async fn start(database: Database) -> Self {
        database
    }
}

/// Runs one test to its end on its own database, or fails it after [`LIMIT`].
pub(crate) fn run<Argument: OnDatabase>(database: fn() -> Database, body: impl AsyncFnOnce(Argument)) {
    // Two threads: a test that blocks, for example while it kills a database, must not block the server under test.
    let log = Log::default();
    log.collect_from_this_thread();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().on_thread_start(move || log.collect_from_this_thread());
    let runtime = runtime.build().unwrap();
    let database = database();
    // Without this, insta rejects an inline snapshot that is asserted twice in one process, once on each database.
    insta::allow_duplicates! {
        runtime.block_on(async {
            let test = async { body(Argument::start(database).await).await };
            let in_time = tokio::time::timeout(LIMIT, test).await;
            assert!(in_time.is_ok(), "the test did not end within {LIMIT:?}: it waits for something that does not come");
        });
    }
    runtime.shutdown_timeout(Duration::from_secs(5));
}

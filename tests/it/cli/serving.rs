//! What a server waits for when it starts, and what stops it at once.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use super::with_tenant;
use crate::support::Installation;
use crate::support::postgres::{Cluster, SharedDatabase};
use crate::support::program::listening;

/// Longer than a refused start takes, and shorter than the server waits for a database.
const AT_ONCE: Duration = Duration::from_secs(8);

/// Runs a start that must fail without waiting, and returns its one line.
fn refused_at_once(installation: &Installation, arguments: &[&str]) -> String {
    let began = Instant::now();
    let line = installation.refusal(arguments);
    assert!(began.elapsed() < AT_ONCE, "the server waited: {line}");
    line
}

#[test]
fn a_second_server_on_one_sqlite_file_is_refused_and_names_the_first() {
    let installation = Installation::new();
    let (first, _) = installation.serve();
    let line = refused_at_once(&installation, &["serve"]);
    let begin =
        format!("selfsame: database DATA/selfsame.sqlite3: it is served by another process ({} on ", first.id());
    let end = "); stop that one first, or use PostgreSQL, which several servers can share";
    assert!(line.starts_with(&begin) && line.ends_with(end), "{line}");
    let link = installation.data().join("other.db");
    symlink(installation.sqlite_file(), &link).unwrap();
    let url = format!("sqlite:{}", link.display());
    let line = refused_at_once(&installation, &["serve", "--database", &url]);
    assert!(line.contains(&format!("another process ({}", first.id())), "{line}");
    with_tenant(&installation);
    first.terminate();
    assert_eq!(first.end().code, Some(0));
    let (next, _) = installation.serve();
    next.terminate();
    assert_eq!(next.end().code, Some(0));
}

#[test]
fn dev_and_serve_do_not_serve_one_sqlite_file_at_the_same_time() {
    let installation = Installation::new();
    let mut dev = installation.spawn(&["dev", "--json"]);
    dev.output.wait_for(|line| line.contains("base_url"));
    let line = refused_at_once(&installation, &["serve"]);
    assert!(line.contains(&format!("another process ({}", dev.id())), "{line}");
    drop(dev);
    let (serve, _) = installation.serve();
    let line = refused_at_once(&installation, &["dev"]);
    assert!(line.contains(&format!("another process ({}", serve.id())), "{line}");
}

#[test]
fn a_server_that_was_killed_leaves_nothing_that_refuses_the_next() {
    let installation = Installation::new();
    let (killed, _) = installation.serve();
    drop(killed);
    let (next, _) = installation.serve();
    drop(next);
}

#[test]
fn a_database_file_that_cannot_be_used_is_not_waited_for() {
    let installation = Installation::new();
    let file = installation.data().join("file");
    fs::write(&file, "x".repeat(4096)).unwrap();
    let file = file.to_str().unwrap();
    let below = format!("sqlite:{file}/selfsame.sqlite3");
    let line = refused_at_once(&installation, &["serve", "--database", &below]);
    assert_eq!(line, "selfsame: database DATA/file/selfsame.sqlite3: Not a directory (os error 20)");
    let line = refused_at_once(&installation, &["serve", "--database", &format!("sqlite:{file}")]);
    assert_eq!(line, "selfsame: database DATA/file: file is not a database");
    let line = refused_at_once(&installation, &["serve", "--database", "sqlite:/proc/selfsame.sqlite3"]);
    assert!(line.starts_with("selfsame: database /proc/selfsame.sqlite3: "), "{line}");
}

#[test]
fn a_postgresql_that_refuses_the_database_or_the_role_is_not_waited_for() {
    let installation = Installation::new();
    let database = SharedDatabase::new();
    let url = database.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let line = refused_at_once(&installation, &["serve", "--database", &format!("{server}/{name}_none")]);
    assert!(line.contains("does not exist"), "{line}");
    let stranger = url.replace("postgres@", "stranger@");
    let line = refused_at_once(&installation, &["serve", "--database", &stranger]);
    assert!(line.contains("does not exist"), "{line}");
}

#[test]
fn a_database_that_does_not_answer_yet_is_waited_for_with_few_lines() {
    let installation = Installation::new();
    // Nothing listens on this port any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://operator:hunter2@127.0.0.1:{port}/accounts");
    let began = Instant::now();
    let mut waiting = installation.spawn(&["serve", "--database", &url]);
    for seconds in [0, 1, 5] {
        waiting.errors.wait_for(|line| line.contains(r#""message":"waiting for database""#));
        let elapsed = began.elapsed();
        assert!(elapsed >= Duration::from_secs(seconds), "after {elapsed:?}");
    }
    drop(waiting);
}

#[test]
fn a_server_that_waited_for_its_database_serves() {
    let cluster = Cluster::durable();
    let url = cluster.new_database();
    let installation = Installation::new();
    cluster.stop();
    let mut running = installation.spawn(&["serve", "--database", &url]);
    running.errors.wait_for(|line| line.contains(r#""message":"waiting for database""#));
    cluster.start();
    listening(&mut running.errors);
}

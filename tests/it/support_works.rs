//! The test support works as the tests assume.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tokio_postgres::{Client, NoTls};

use crate::support::postgres::{Cluster, SharedDatabase};
use crate::support::{Database, until};

on_both_databases!(
    async fn a_fresh_database_is_reachable_and_empty(database: Database) {
        insta::assert_snapshot!(count_tables(&database).await, @"0");
    }
);

on_both_databases!(
    async fn a_second_database_does_not_see_the_first_ones_tables(first: Database) {
        let second = match first.url().starts_with("sqlite:") {
            true => Database::sqlite(),
            false => Database::postgres(),
        };
        execute(&first, "CREATE TABLE in_the_first (id integer)").await;
        insta::assert_snapshot!(count_tables(&first).await, @"1");
        insta::assert_snapshot!(count_tables(&second).await, @"0");
    }
);

#[tokio::test]
async fn a_dropped_database_is_gone() {
    let database = Database::postgres();
    let url = database.url().to_owned();
    drop(database);
    let error = tokio_postgres::connect(&url, NoTls).await.err().unwrap();
    assert_eq!(error.code(), Some(&tokio_postgres::error::SqlState::INVALID_CATALOG_NAME));
}

#[tokio::test]
async fn a_copy_of_a_database_has_its_tables_and_changes_independently() {
    let template = SharedDatabase::new();
    let (client, connection) = tokio_postgres::connect(template.url(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("CREATE TABLE copied AS SELECT 42 AS answer").await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let (first, second) = (template.copy(), template.copy());
    connect(first.url()).await.batch_execute("DROP TABLE copied").await.unwrap();
    connect(second.url()).await.batch_execute("SELECT answer FROM copied").await.unwrap();
}

#[tokio::test]
async fn a_killed_cluster_keeps_what_was_committed() {
    let cluster = Cluster::durable();
    let url = cluster.new_database();
    let client = connect(&url).await;
    // Sent separately: statements sent together are one transaction.
    client.batch_execute("CREATE TABLE kept AS SELECT 42 AS answer").await.unwrap();
    client.batch_execute("BEGIN; DELETE FROM kept").await.unwrap();
    cluster.kill9();
    assert!(client.batch_execute("COMMIT").await.is_err(), "the killed server still answers");
    cluster.start();
    let answer: i32 = connect(&url).await.query_one("SELECT answer FROM kept", &[]).await.unwrap().get(0);
    assert_eq!(answer, 42);
}

#[tokio::test]
async fn a_stopped_cluster_starts_again() {
    let cluster = Cluster::durable();
    let url = cluster.new_database();
    cluster.stop();
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err(), "the stopped server still answers");
    cluster.start();
    connect(&url).await.batch_execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_durable_cluster_waits_for_the_disk() {
    let cluster = Cluster::durable();
    let client = connect(&cluster.new_database()).await;
    let settings = "SELECT name || '=' || setting FROM pg_settings
        WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name";
    let rows = client.query(settings, &[]).await.unwrap();
    let settings: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(settings, ["fsync=on", "full_page_writes=on", "synchronous_commit=on"]);
}

#[tokio::test]
async fn a_frozen_cluster_answers_only_when_thawed() {
    let cluster = Cluster::durable();
    let client = connect(&cluster.new_database()).await;
    cluster.freeze();
    // A process that is stopped answers nothing.
    let states = || processes(&cluster).into_iter().map(|id| state(&id)).collect::<Vec<_>>();
    until(async || states().iter().all(|state| *state == 'T')).await;
    assert!(states().len() > 2, "only the postmaster was found");
    let query = client.batch_execute("SELECT 1");
    cluster.thaw();
    query.await.unwrap();
    until(async || states().iter().all(|state| *state != 'T')).await;
}

#[test]
fn a_dropped_cluster_leaves_no_process_and_no_directory() {
    let cluster = Cluster::durable();
    let (directory, id) = (cluster.directory().to_owned(), postmaster_id(&cluster));
    assert!(runs(&id));
    drop(cluster);
    assert!(!runs(&id));
    assert!(!directory.exists());
}

#[test]
fn a_frozen_cluster_can_be_dropped() {
    let cluster = Cluster::durable();
    let directory = cluster.directory().to_owned();
    cluster.freeze();
    drop(cluster);
    assert!(!directory.exists());
}

#[test]
fn a_killed_cluster_can_be_dropped() {
    let cluster = Cluster::durable();
    let directory = cluster.directory().to_owned();
    cluster.kill9();
    drop(cluster);
    assert!(!directory.exists());
}

/// Starts this test again in another process, where a variable makes it keep a cluster running until it is killed.
#[test]
fn a_killed_test_process_leaves_no_process_and_no_directory() {
    const HOLD: &str = "SELFSAME_TEST_HOLDS_A_CLUSTER";
    const FOUND: &str = "cluster: ";
    if std::env::var_os(HOLD).is_some() {
        let cluster = Cluster::durable();
        println!("\n{FOUND}{} {}", postmaster_id(&cluster), cluster.directory().display());
        // Ends with the parent process, should the parent fail to kill this one.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }

    let name = "support_works::a_killed_test_process_leaves_no_process_and_no_directory";
    let mut other = Command::new(std::env::current_exe().unwrap());
    other.args([name, "--exact", "--nocapture"]).env(HOLD, "1");
    let mut other = other.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.filter_map(|line| Some(line.strip_prefix(FOUND)?.to_owned())).next().unwrap();
    let (id, directory) = line.split_once(' ').unwrap();
    assert!(runs(id));
    other.kill().unwrap();

    // The supervisor keeps the killed process's standard error open until it has cleaned up.
    let (sender, cleaned_up) = mpsc::channel();
    let mut error = other.stderr.take().unwrap();
    std::thread::spawn(move || sender.send(error.read_to_end(&mut Vec::new())));
    cleaned_up.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    assert!(!runs(id));
    assert!(!std::path::Path::new(directory).exists());
    other.wait().unwrap();
}

async fn count_tables(database: &Database) -> i64 {
    match database.url().strip_prefix("sqlite:") {
        Some(file) => {
            let count = "SELECT count(*) FROM sqlite_schema";
            rusqlite::Connection::open(file).unwrap().query_row(count, [], |row| row.get(0)).unwrap()
        }
        None => {
            let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
            connect(database.url()).await.query_one(count, &[]).await.unwrap().get(0)
        }
    }
}

async fn execute(database: &Database, statement: &str) {
    match database.url().strip_prefix("sqlite:") {
        Some(file) => rusqlite::Connection::open(file).unwrap().execute_batch(statement).unwrap(),
        None => connect(database.url()).await.batch_execute(statement).await.unwrap(),
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn postmaster_id(cluster: &Cluster) -> String {
    std::fs::read_to_string(cluster.directory().join("pid")).unwrap().trim().to_owned()
}

/// The identifiers of the postmaster and its children.
fn processes(cluster: &Cluster) -> Vec<String> {
    let postmaster = postmaster_id(cluster);
    let children = Command::new("pgrep").args(["-P", &postmaster]).output().unwrap().stdout;
    let children = String::from_utf8(children).unwrap();
    std::iter::once(postmaster).chain(children.lines().map(str::to_owned)).collect()
}

/// The state of a process, as /proc shows it behind its name: `T` when it is stopped, `X` when it has ended.
fn state(id: &str) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, state)| state.chars().next()).unwrap_or('X')
}

fn runs(id: &str) -> bool {
    Command::new("kill").args(["-0", id]).stderr(Stdio::null()).status().unwrap().success()
}

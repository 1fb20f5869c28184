//! A database that does not respond, and clients that do not wait for it.

use selfsame::account::{Account, Contract, Field};
use tokio::io::AsyncWriteExt as _;
use tokio_postgres::NoTls;

use crate::support::postgres::Cluster;
use crate::support::process::DurableInstallation;
use crate::support::{Database, Process, Server, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_to_a_frozen_postgresql_are_refused_and_served_again_when_it_resumes() {
    let cluster = Cluster::durable();
    // No time limit but those of the database ends a request before the client gives up and the test fails.
    let times = [
        ("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "1s"),
        ("SELFSAME__DATABASE__WAIT_TIMEOUT", "1s"),
        ("SELFSAME__SERVER__REQUEST_TIMEOUT", "10m"),
    ];
    let installation = DurableInstallation::new(&cluster.new_database(), &times);
    installation.run(&["tenant", "create", "demo"]);
    let (id, token) = installation.person(&["display_name=Before"]);
    let server = installation.serve();
    assert_eq!(update(&server, &token, "Warm").await.status, 200);

    cluster.freeze();
    // More requests than connections: some wait for a response, the others for a connection.
    let updates: Vec<_> =
        (0..40).map(|number| tokio::spawn(update(&server, &token, &format!("Frozen {number}")))).collect();
    let mut refused = Vec::new();
    for update in updates {
        refused.push(update.await.unwrap().to_string());
    }
    refused.dedup();
    insta::assert_snapshot!(refused.join("\n\n"), @r#"
    503 Service Unavailable
    content-language: en
    content-type: application/json
    retry-after: 1
    vary: Accept-Language

    {"success":false,"code":"5030","message":"Service temporarily unavailable"}
    "#);
    assert_eq!(server.request("GET", "/healthz").send().await.status, 200);
    insta::assert_snapshot!(server.request("GET", "/readyz").send().await, @r#"
    503 Service Unavailable
    content-type: application/problem+json
    retry-after: 1

    {"status":503,"title":"Service Unavailable","type":"about:blank"}
    "#);

    cluster.thaw();
    until(async || update(&server, &token, "After").await.status == 200).await;
    let account: serde_json::Value =
        serde_json::from_str(&installation.run(&["account", "show", &id, "--json"])).unwrap();
    assert_eq!(account["display_name"], "After");
    assert!(installation.run(&["audit", "verify"]).ends_with("broken histories: 0\n"));
}

fn update(server: &Process, token: &str, name: &str) -> impl Future<Output = crate::support::Answer> + use<> {
    let request = server.request("POST", "/web/v1/system/profile/update");
    request.bearer(token).header("X-Client-Hash", "d1").json(format!(r#"{{"accountName":"{name}"}}"#)).send()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_waits_too_long_for_a_lock_is_refused_and_writes_nothing() {
    let server = Server::with(Database::postgres(), &[("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "300ms")]).await;
    let account = server.person(&[(Field::DisplayName, "Before")]).await;
    let token = server.token(&account, Contract::System).await;
    let lock = Lock::take(&server, &account).await;
    assert_eq!(rename(&server, &token).send().await.status, 503);
    lock.release().await;
    assert_eq!(server.account(&account).await, account);
    assert_eq!(rename(&server, &token).send().await.status, 200);
}

/// A request time-out that is shorter than that of a commit.
const SHORT: (&str, &str) = ("SELFSAME__SERVER__REQUEST_TIMEOUT", "1s");

async fn a_commit_that_outlasts_its_request_is_finished(database: Database) {
    let server = Server::with(database, &[SHORT]).await;
    let account = server.person(&[(Field::DisplayName, "Before")]).await;
    let token = server.token(&account, Contract::System).await;
    assert_eq!(
        server
            .request("GET", "/web/v1/system/profile")
            .bearer(&token)
            .header("X-Client-Hash", "d1")
            .send()
            .await
            .status,
        200
    );

    let lock = Lock::take(&server, &account).await;
    let answer = rename(&server, &token).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    assert_eq!(server.account(&account).await, account);
    lock.release().await;
    until(async || server.account(&account).await.text(Field::DisplayName) == Some("After")).await;
    assert_eq!(server.app.store().history(account.id, 0, 10).await.unwrap().len(), 2);
}

#[test]
fn a_commit_that_outlasts_its_request_is_finished_on_sqlite() {
    crate::support::run(Database::sqlite, a_commit_that_outlasts_its_request_is_finished);
}

#[test]
fn a_commit_that_outlasts_its_request_is_finished_on_postgres() {
    crate::support::run(Database::postgres, a_commit_that_outlasts_its_request_is_finished);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_client_hangs_up_is_finished() {
    let server = Server::with(Database::postgres(), &[]).await;
    let account = server.person(&[(Field::DisplayName, "Before")]).await;
    let token = server.token(&account, Contract::System).await;
    assert_eq!(rename(&server, &token).send().await.status, 200);
    let lock = Lock::take(&server, &account).await;

    let everybody = server.app.requests().available_permits();
    let mut client = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let body = r#"{"accountName":"Kept"}"#;
    let request = format!(
        "POST /web/v1/system/profile/update HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nX-Client-Hash: d1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    until(async || lock.has_waiters().await).await;
    drop(client);
    // The server has noticed the disconnect: the request is no longer in flight, but its commit still is.
    until(async || server.app.requests().available_permits() == everybody).await;
    assert!(lock.has_waiters().await);
    lock.release().await;
    until(async || server.account(&account).await.text(Field::DisplayName) == Some("Kept")).await;
}

#[tokio::test]
async fn the_picture_of_a_refused_change_is_deleted_although_its_client_went_away() {
    let server = Server::with(Database::postgres(), &[]).await;
    let account = server.person(&[]).await;
    let token = server.token(&account, Contract::RiverGen).await;
    let everybody = server.app.requests().available_permits();
    let lock = Lock::take(&server, &account).await;
    let mut client = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let body = serde_json::json!({ "profile_image_url": crate::rivergen::PIXEL }).to_string();
    let request = format!(
        "PUT /api/v1/auth/me/profile HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    until(async || lock.has_waiters().await).await;
    let files = || std::fs::read_dir(server.data().join("pictures")).unwrap().count();
    assert_eq!(files(), 1);
    drop(client);
    // The server has noticed the disconnect.
    until(async || server.app.requests().available_permits() == everybody).await;
    let Lock::Postgres(lock) = lock else { panic!("the database is PostgreSQL") };
    lock.batch_execute("UPDATE account SET status = 10010205, version = version + 1; COMMIT").await.unwrap();
    until(async || files() == 0).await;
}

fn rename(server: &Server, token: &str) -> crate::support::Request {
    let request = server.request("POST", "/web/v1/system/profile/update").bearer(token);
    request.header("X-Client-Hash", "d1").json(r#"{"accountName":"After"}"#)
}

/// A lock that blocks all changes of an account.
pub(super) enum Lock {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Lock {
    pub(super) async fn take(server: &Server, account: &Account) -> Lock {
        let url = server.database().url();
        match url.strip_prefix("sqlite:") {
            Some(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Lock::Sqlite(connection)
            }
            None => {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute("BEGIN").await.unwrap();
                client.query("SELECT 1 FROM account WHERE id = $1 FOR UPDATE", &[&account.id.0]).await.unwrap();
                Lock::Postgres(client)
            }
        }
    }

    pub(super) async fn release(self) {
        match self {
            Lock::Sqlite(connection) => connection.execute_batch("ROLLBACK").unwrap(),
            Lock::Postgres(client) => client.batch_execute("ROLLBACK").await.unwrap(),
        }
    }

    /// Checks whether a statement of the server waits for the lock.
    async fn has_waiters(&self) -> bool {
        let Lock::Postgres(client) = self else { panic!("SQLite does not tell who waits") };
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND application_name = 'selfsame' AND wait_event_type = 'Lock'";
        client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0
    }
}

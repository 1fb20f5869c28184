//! The server is killed after a picture is stored and before its change is committed.

use std::time::Duration;

use crate::rivergen::PIXEL;
use crate::support::process::DurableInstallation;
use crate::support::s3::S3;
use crate::support::{Database, Obstacle, until};

const PROFILE: &str = "/api/v1/auth/me/profile";
/// Time-outs so long that none expires before the kill, even on a busy machine, and the permission to use a PostgreSQL server
/// that may lose acknowledged writes.
const PATIENT: [(&str, &str); 3] = [
    ("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true"),
    ("SELFSAME__DATABASE__STATEMENT_TIMEOUT", "60s"),
    ("SELFSAME__SERVER__REQUEST_TIMEOUT", "60s"),
];

on_both_databases!(
    async fn a_picture_without_a_committed_change_is_deleted_from_the_folder(database: Database) {
        let folder = tempfile::tempdir().unwrap();
        let installation = DurableInstallation::within(folder.path(), database.url(), &PATIENT);
        let kept = async |name: &str| folder.path().join("pictures").join(name).exists();
        killed_in_between(&database, &installation, kept).await;
        let left = std::fs::read_dir(folder.path().join("pictures")).unwrap().count();
        assert_eq!(left, 0, "files are left in the folder");
    }
);

on_both_databases!(
    async fn a_picture_without_a_committed_change_is_deleted_from_the_bucket(database: Database) {
        let s3 = S3::start().await;
        let folder = tempfile::tempdir().unwrap();
        let settings = [&PATIENT[..], &s3.settings()].concat();
        let installation = DurableInstallation::within(folder.path(), database.url(), &settings);
        let kept = async |name: &str| s3.get(&format!("kept/here/{name}")).await.status() == 200;
        killed_in_between(&database, &installation, kept).await;
    }
);

async fn killed_in_between(database: &Database, installation: &DurableInstallation, kept: impl AsyncFn(&str) -> bool) {
    installation.run(&["tenant", "create", "demo"]);
    let (id, _) = installation.person(&["display_name=Jane"]);
    let token = installation.run(&["token", "issue", "--account", &id, "--contract", "rivergen"]);
    let server = installation.serve();
    let obstacle = Obstacle::put(database, None).await;
    let body = format!(r#"{{"display_name":"Jo","profile_image_url":"{PIXEL}"}}"#);
    let request = reqwest::Client::new().put(server.url(PROFILE)).bearer_auth(token.trim());
    let request = request.header("Content-Type", "application/json").body(body).timeout(Duration::from_secs(60));
    let answer = tokio::spawn(request.send());
    let pending = || async { database.rows("SELECT name FROM stored_picture").await };
    until(async || match pending().await.first() {
        Some(name) => kept(name).await,
        None => false,
    })
    .await;
    let name = pending().await.remove(0);
    tokio::task::block_in_place(|| server.kill9());
    assert!(answer.await.unwrap().is_err(), "the change was answered before the kill");
    obstacle.take_away(database).await;

    // Another instance might still be making the change, so a recent picture is kept.
    let server = installation.serve();
    until(async || server.request("GET", "/readyz").send().await.status == 200).await;
    assert!(kept(&name).await);
    tokio::task::block_in_place(|| server.kill9());
    database.execute("UPDATE stored_picture SET changed_at = changed_at - 7200000000").await;
    let server = installation.serve();
    until(async || pending().await.is_empty()).await;
    assert!(!kept(&name).await);
    let me = server.request("GET", "/api/v1/auth/me").bearer(token.trim()).send().await.json();
    assert_eq!(me["data"]["user"]["display_name"], "Jane");
    assert_eq!(me["data"]["user"]["profile_image_url"], serde_json::Value::Null);
}

//! Failures specific to a database file: a lock held by another process, and a full disk.

use std::path::Path;
use std::process::Command;

use selfsame::account::{Contract, Field};

use super::away::Lock;
use crate::support::process::DurableInstallation;
use crate::support::{Database, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_refused_and_reads_succeed_while_another_process_has_the_lock() {
    let server = Server::with(Database::sqlite(), &[]).await;
    let account = server.person(&[(Field::DisplayName, "Before")]).await;
    let token = server.token(&account, Contract::System).await;
    let signed = |method, path| server.request(method, path).bearer(&token).header("X-Client-Hash", "d1");
    let update = |name: &str| {
        signed("POST", "/web/v1/system/profile/update").json(format!(r#"{{"accountName":"{name}"}}"#)).send()
    };
    assert_eq!(update("First").await.status, 200);

    let lock = Lock::take(&server, &account).await;
    // Requests that arrive while the first one waits are refused with it; they do not wait one after another.
    let refused = (0..20).map(|number| tokio::spawn(update(&format!("Locked {number}"))));
    for refused in refused.collect::<Vec<_>>() {
        let refused = refused.await.unwrap();
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
        assert_eq!(refused.json()["code"], "5030");
        let read = signed("GET", "/web/v1/system/profile").send().await;
        assert_eq!(read.json()["data"]["accountName"], "First");
    }
    lock.release().await;
    assert_eq!(update("Last").await.status, 200);
    let sequences: Vec<i64> = server
        .app
        .store()
        .history(account.id, 0, 10)
        .await
        .unwrap()
        .iter()
        .map(|entry| entry.metadata.sequence)
        .collect();
    assert_eq!(sequences, [1, 2, 3]);
}

/// A limit on the file size stands in for the full disk: both refuse a write in the middle of a transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_on_a_full_disk_are_refused_and_accepted_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let installation = DurableInstallation::new(&format!("sqlite:{}", folder.path().join("db").display()), &[]);
    installation.run(&["tenant", "create", "demo"]);
    let (_, token) = installation.person(&["display_name=0"]);
    let server = installation.serve();
    let signed = |method, path| server.request(method, path).bearer(&token).header("X-Client-Hash", "d1");
    let update = |number: usize| {
        signed("POST", "/web/v1/system/profile/update").json(format!(r#"{{"accountName":"{number}"}}"#)).send()
    };
    limit_files(server.id(), &(largest(folder.path()) + 300_000).to_string());
    let mut acknowledged = 0;
    let refused = loop {
        let answer = update(acknowledged + 1).await;
        match answer.status.as_u16() {
            200 => acknowledged += 1,
            _ => break answer,
        }
        assert!(acknowledged < 10_000, "the disk is never full");
    };
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"), "{refused}");
    assert!(acknowledged > 0);
    // Many at once: every request gets its response, even if the batch is refused.
    let refused = (0..20).map(|number| tokio::spawn(update(20_000 + number)));
    for refused in refused.collect::<Vec<_>>() {
        let refused = refused.await.unwrap();
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"), "{refused}");
    }
    let read = signed("GET", "/web/v1/system/profile").send().await;
    assert_eq!(read.json()["data"]["accountName"], acknowledged.to_string());

    limit_files(server.id(), "unlimited");
    assert_eq!(update(30_000).await.status, 200);
    drop(server);
    assert!(installation.run(&["audit", "verify"]).contains(&format!("entries: {},", acknowledged + 2)));
}

/// The size of the largest file in a folder, in bytes.
fn largest(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap_or_default()
}

fn limit_files(process: &str, bytes: &str) {
    // Only the soft limit: raising a hard limit again needs privileges.
    let limited = Command::new("prlimit").args(["--pid", process, &format!("--fsize={bytes}:")]).status();
    assert!(limited.expect("prlimit, of util-linux, is installed").success());
}

//! The server, or its database, is killed fifty times in a row while clients write.

use std::io::Write as _;
use std::time::Duration;

use super::load::{Dice, Figures, Load, Writer};
use crate::support::postgres::Cluster;
use crate::support::process::DurableInstallation;
use crate::support::{Process, until};

const ROUNDS: usize = 50;
const WRITERS: usize = 8;
/// The most requests that are sent in a round before the kill.
const REQUESTS: u32 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_kills_of_the_server_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let installation = DurableInstallation::new(&format!("sqlite:{}", folder.path().join("db").display()), &[]);
    let (mut dice, mut figures) = (Dice::new(), Figures::default());
    let mut writers = Writer::several(WRITERS, &installation);
    let mut server = installation.serve();
    for _ in 0..ROUNDS {
        (server, writers) = kill_server(server, writers, &installation, &mut dice).await;
        compare(&writers, &server, &mut figures).await;
    }
    conclude("sqlite", &installation, &writers, figures);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_kills_of_the_server_and_of_postgresql() {
    let cluster = Cluster::durable();
    let installation = DurableInstallation::new(&cluster.new_database(), &[]);
    let (mut dice, mut figures) = (Dice::new(), Figures::default());
    let mut writers = Writer::several(WRITERS, &installation);
    let mut server = installation.serve();
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            (server, writers) = kill_server(server, writers, &installation, &mut dice).await;
        } else {
            writers = kill_postgresql(&cluster, &server, writers, &mut dice).await;
        }
        compare(&writers, &server, &mut figures).await;
    }
    conclude("postgresql", &installation, &writers, figures);
}

/// Kills the server while clients write, and starts it again.
async fn kill_server(
    server: Process,
    writers: Vec<Writer>,
    installation: &DurableInstallation,
    dice: &mut Dice,
) -> (Process, Vec<Writer>) {
    let load = Load::begin(writers, &server);
    load.pass(1 + dice.below(REQUESTS)).await;
    server.kill9();
    let writers = load.end().await;
    (installation.serve(), writers)
}

/// Kills PostgreSQL while clients write, and checks that the server refuses requests until PostgreSQL is back and then
/// serves them without a restart.
async fn kill_postgresql(cluster: &Cluster, server: &Process, writers: Vec<Writer>, dice: &mut Dice) -> Vec<Writer> {
    let load = Load::begin(writers, server);
    load.pass(1 + dice.below(REQUESTS)).await;
    tokio::task::block_in_place(|| cluster.kill9());
    let refused = tokio::time::timeout(Duration::from_secs(5), server.request("GET", "/readyz").send()).await;
    assert_eq!(refused.expect("the refusal waited for the database").status, 503);
    // All writers are refused meanwhile.
    load.pass(2 * WRITERS as u32).await;
    tokio::task::block_in_place(|| cluster.start());
    until(async || server.request("GET", "/readyz").send().await.status == 200).await;
    load.pass(2 * WRITERS as u32).await;
    load.end().await
}

async fn compare(writers: &[Writer], server: &Process, figures: &mut Figures) {
    for writer in writers {
        writer.compare(server, figures).await;
    }
}

/// Verifies every history and prints the figures. Once for all rounds is enough, because a torn chain stays torn.
fn conclude(database: &str, installation: &DurableInstallation, writers: &[Writer], mut figures: Figures) {
    for writer in writers {
        writer.audit(installation, &mut figures);
    }
    let verdict = installation.run(&["audit", "verify"]);
    figures.torn = verdict.rsplit(": ").next().unwrap().trim().parse().unwrap();
    let Figures { acknowledged, refused, broken_off, lost, invented, torn } = figures;
    // Not `println!`: the figures are useful even if the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "{database}: {ROUNDS} rounds, {acknowledged} acknowledged, {refused} refused, {broken_off} broken off, {lost} \
         lost, {invented} invented, {torn} torn"
    );
    assert!(verdict.starts_with(&format!("accounts: {WRITERS}, ")), "{verdict}");
    assert_eq!((lost, invented, torn), (0, 0, 0));
    assert!(acknowledged > ROUNDS && broken_off > 0, "no kill interrupted a change");
}

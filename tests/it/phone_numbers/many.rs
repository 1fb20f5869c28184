//! A pass over many accounts that is killed several times.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;

use super::{Old, id, number};
use crate::support::process::DurableInstallation;
use crate::support::{Database, OnDatabase, until};

/// Accounts in the old form, and as many in the new one.
const EACH: u64 = 50_000;
/// How many accounts of the two halves share a number.
const SHARED: u64 = 25_000;
/// How often the pass is killed.
const KILLS: usize = 5;

/// The largest memory of a process, in MiB; none after its end.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

async fn a_pass_over_many_accounts_survives_kills(database: Database) {
    let kind = database.url().split(':').next().unwrap().to_owned();
    let old = Old::start(database).await;
    // Its commands may take as long as they need.
    let unsafe_durability = [("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true")];
    let patient = DurableInstallation::within(old.installation.data(), old.database().url(), &unsafe_durability);
    patient.run(&["account", "import", &old.lines((1..=EACH).map(|line| (id(line), number(line))))]);
    let mut statements = "BEGIN;".to_owned();
    for line in 1..=EACH {
        let [new, typed] =
            [format!("+86{}", number(line)), number(line)].map(|text| HEXLOWER.encode(&old.index(&text)));
        writeln!(
            statements,
            "UPDATE unique_key SET key = <{typed}> WHERE tenant_id = [{}] AND kind = 'phone' AND key = <{new}>;",
            old.tenant.id.0.simple()
        )
        .unwrap();
    }
    old.execute(&(statements + "COMMIT")).await;
    let others = (EACH + 1..=2 * EACH).map(|line| (id(line), format!("+86 {}", number(line - SHARED))));
    patient.run(&["account", "import", &old.lines(others)]);
    old.end().await;

    let (began, mut memory) = (Instant::now(), 0);
    for _ in 0..KILLS {
        let before = old.progress().await;
        let pass = old.installation.spawn(&["migrate"]);
        // At least one more batch.
        until(async || {
            memory = memory.max(peak(pass.id()).unwrap_or(0));
            old.progress().await != before
        })
        .await;
        drop(pass);
    }
    assert_ne!(old.progress().await.as_deref(), Some("done"), "no kill interrupted the pass");
    let pass = old.installation.spawn(&["migrate"]);
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    while let Some(now) = peak(pass.id()) {
        memory = memory.max(now);
        ticks.tick().await;
    }
    let ended = pass.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    let seconds = began.elapsed().as_secs_f32();
    // Not `println!`: the figures are useful even if the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "{kind}: {} accounts, {SHARED} lost marks, {KILLS} kills, {seconds:.1} s, {memory} MiB",
        2 * EACH
    );
    let count = async |rows: &str| old.database().rows(&format!("SELECT count(*) FROM {rows}")).await.remove(0);
    let numbers = (2 * EACH - SHARED).to_string();
    assert_eq!(count("account WHERE phone_verified").await, numbers);
    assert_eq!(count("unique_key WHERE kind = 'phone'").await, numbers);
    assert_eq!(count("history WHERE actor = 'system' AND contract = 'migration'").await, SHARED.to_string());
    for line in (1..=EACH).step_by(997) {
        assert_eq!(old.owner(&format!("+86{}", number(line))).await, Some(id(line)));
    }
    assert!(patient.run(&["audit", "verify"]).ends_with("broken histories: 0\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; ./test --long runs it"]
async fn a_pass_over_many_accounts_survives_kills_on_sqlite() {
    a_pass_over_many_accounts_survives_kills(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; ./test --long runs it"]
async fn a_pass_over_many_accounts_survives_kills_on_postgres() {
    a_pass_over_many_accounts_survives_kills(Database::postgres()).await;
}

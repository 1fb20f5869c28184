//! A pass that was killed goes on where it ended, and of two servers that start at once one does it.

use selfsame::account::AccountId;

use super::{Old, id, number};
use crate::support::program::listening;
use crate::support::{Database, Obstacle, run, until};

/// More accounts than two batches.
const ACCOUNTS: u64 = 2500;

/// Fills a database: of every hundred accounts one has its number in the old form, and of every thousand numbers one is also
/// that of an account that verified it later.
async fn fill(old: &Old) -> Vec<AccountId> {
    old.import((1..=ACCOUNTS).map(|line| (id(line), format!("+86{}", number(line)))));
    let mut later = Vec::new();
    for line in (1..=ACCOUNTS).filter(|line| line % 1000 == 500) {
        later.push(old.with(&number(line)).await);
    }
    for line in (1..=ACCOUNTS).filter(|line| line % 100 == 0 && line % 1000 != 500) {
        let key = format!("DELETE FROM unique_key WHERE kind = 'phone' AND account_id = [{}];", id(line).0.simple());
        old.execute(&(key + &old.old_mark(id(line), &number(line)))).await;
    }
    old.end().await;
    later
}

/// Checks the state after a pass.
async fn is_complete(old: &Old, later: &[AccountId]) {
    assert_eq!(old.progress().await.as_deref(), Some("done"));
    for line in (1..=ACCOUNTS).filter(|line| line % 100 == 0) {
        assert_eq!(old.owner(&format!("+86{}", number(line))).await, Some(id(line)), "{line}");
        assert_eq!(old.owner(&number(line)).await, None, "{line}");
    }
    for account in later {
        assert!(!old.is_verified(*account).await);
        assert_eq!(old.actors(*account).await, ["operator", "operator", "system"]);
    }
    let verified = old.database().rows("SELECT count(*) FROM account WHERE phone_verified").await;
    let keys = old.database().rows("SELECT count(*) FROM unique_key WHERE kind = 'phone'").await;
    assert_eq!((verified, keys), (vec![ACCOUNTS.to_string()], vec![ACCOUNTS.to_string()]));
    assert_eq!(old.broken_histories(), "0");
}

on_both_databases!(
    async fn a_pass_that_is_killed_goes_on_after_its_last_batch(old: Old) {
        let later = fill(&old).await;
        let obstacle = Obstacle::put(old.database(), Some(id(1200))).await;
        let killed = old.installation.spawn(&["migrate"]);
        let first_batch = id(1000).to_string();
        until(async || old.progress().await.as_deref() == Some(&first_batch)).await;
        drop(killed);
        assert_eq!(old.owner(&format!("+86{}", number(1000))).await, Some(id(1000)));
        assert_eq!(old.owner(&number(1200)).await, Some(id(1200)));
        obstacle.take_away(old.database()).await;
        assert_eq!(old.progress().await, Some(first_batch));
        let (server, _) = old.installation.serve();
        is_complete(&old, &later).await;
        server.terminate();
        assert_eq!(server.end().code, Some(0));
    }
);

#[test]
fn of_two_servers_that_start_at_once_one_rebuilds_the_keys() {
    run(Database::postgres, async |old: Old| {
        let later = fill(&old).await;
        let mut servers: Vec<_> = (0..2).map(|_| old.installation.spawn(&["serve"])).collect();
        for server in &mut servers {
            listening(&mut server.errors);
        }
        is_complete(&old, &later).await;
        drop(servers);
    });
}

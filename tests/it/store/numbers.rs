//! Account numbers that the instances of a distributed installation draw in blocks. Only PostgreSQL is distributed.

use selfsame::account::Unique;
use selfsame::store::{ImportedAccount, Store};

use super::{Opened, first, taken};
use crate::support::{Database, OnDatabase, run};

/// Runs a test on PostgreSQL with `database.distributed`.
fn distributed(body: impl AsyncFnOnce(Opened)) {
    run(Database::postgres, async |database: Database| {
        let mut opened = Opened::start(database).await;
        opened.config.database.distributed = true;
        opened.store = opened.second().await;
        body(opened).await;
    });
}

async fn draw(store: &Store) -> i64 {
    store.next_account_number().await.unwrap()
}

#[test]
fn an_instance_draws_a_hundred_numbers_at_once() {
    distributed(async |opened| {
        let other = opened.second().await;
        assert_eq!([draw(&opened.store).await, draw(&other).await, draw(&opened.store).await], [1, 101, 2]);
        // Clones of a store are one instance.
        assert_eq!(draw(&other.clone()).await, 102);
        let last = opened.database.rows("SELECT last FROM counter WHERE name = 'account'").await;
        assert_eq!(last, ["200"]);
        assert_eq!(opened.store.next_tenant_number().await.unwrap(), 1);
        assert_eq!(opened.store.draw_account_numbers(5).await.unwrap(), 205);
    });
}

#[test]
fn no_number_is_drawn_twice_by_instances_that_draw_blocks() {
    distributed(async |opened| {
        let other = opened.second().await;
        let draws: Vec<_> = (0..500)
            .map(|draw| {
                let store = if draw % 2 == 0 { opened.store.clone() } else { other.clone() };
                tokio::spawn(async move { store.next_account_number().await.unwrap() })
            })
            .collect();
        let mut drawn = Vec::new();
        for draw in draws {
            drawn.push(draw.await.unwrap());
        }
        drawn.sort_unstable();
        // 250 each need three blocks each, and concurrent draws of one instance share a block.
        let last = opened.database.rows("SELECT last FROM counter WHERE name = 'account'").await;
        assert_eq!(last, ["600"]);
        drawn.dedup();
        assert_eq!(drawn.len(), 500);
    });
}

#[test]
fn an_imported_number_of_a_block_ends_the_block() {
    distributed(async |opened| {
        let tenant = opened.tenant(1).await;
        assert_eq!(draw(&opened.store).await, 1);
        let imported = ImportedAccount { update: first(&tenant, 2), links: Vec::new() };
        assert!(opened.store.add_accounts(&[&imported]).await.unwrap());
        let mut same = first(&tenant, 3);
        same.account.number = draw(&opened.store).await;
        assert_eq!(same.account.number, 2);
        assert_eq!(taken(opened.store.add_account(&same, None).await), Unique::Number);
        assert_eq!(draw(&opened.store).await, 101);
    });
}

//! The batches that rebuild unique keys, and databases that are opened only to be read.

use std::collections::HashMap;

use selfsame::account::{AccountId, Error, Field, Text, Unique};
use selfsame::store::{OwnedKey, PhoneKeyBatch, PhoneKeys, Store, Update};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Opened, change, first, taken, unique_key};
use crate::support::until;

const BEGIN: PhoneKeys = PhoneKeys::Until(AccountId(Uuid::nil()));

fn batch(from: PhoneKeys, to: PhoneKeys) -> PhoneKeyBatch {
    PhoneKeyBatch { from, to, decided_by: Vec::new(), release: Vec::new(), updates: Vec::new(), claim: Vec::new() }
}

/// Writes a batch that must be refused because something changed meanwhile.
async fn is_outdated(store: &Store, batch: &PhoneKeyBatch) {
    let refused = store.rebuild_phone_keys(batch).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
}

on_both_databases!(
    async fn a_batch_is_written_once(opened: Opened) {
        let store = &opened.store;
        let account = opened.account(&opened.tenant(1).await, 1).await;
        assert_eq!(store.phone_keys().await.unwrap(), BEGIN);
        let middle = PhoneKeys::Until(account.id);
        for from in [BEGIN, middle] {
            let to = if from == BEGIN { middle } else { PhoneKeys::Done };
            store.rebuild_phone_keys(&batch(from, to)).await.unwrap();
            assert_eq!(opened.second().await.phone_keys().await.unwrap(), to);
            is_outdated(store, &batch(from, to)).await;
        }
        is_outdated(store, &batch(BEGIN, middle)).await;
        assert_eq!(store.phone_keys().await.unwrap(), PhoneKeys::Done);
        store.set_fact("phone_keys_2", "x").await.unwrap();
        let unreadable = store.phone_keys().await.unwrap_err().to_string();
        assert!(unreadable.starts_with("internal error: installation phone_keys_2: value: "), "{unreadable}");
    }
);

on_both_databases!(
    async fn a_batch_releases_before_it_claims_and_changes_accounts(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let (loser, winner) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let owned = |owner, value| OwnedKey { tenant: tenant.id, unique_key: unique_key(Unique::Phone, value), owner };
        let begin = PhoneKeyBatch { claim: vec![owned(loser.id, 1), owned(winner.id, 2)], ..batch(BEGIN, BEGIN) };
        store.rebuild_phone_keys(&PhoneKeyBatch { to: PhoneKeys::Until(loser.id), ..begin }).await.unwrap();
        let from = PhoneKeys::Until(loser.id);

        let lost = Update { release: vec![unique_key(Unique::Phone, 1)], ..change(&loser, |_| {}) };
        let next = PhoneKeyBatch {
            decided_by: vec![(winner.id, winner.version)],
            // Another account's key stays with it.
            release: vec![owned(winner.id, 2), owned(winner.id, 1)],
            updates: vec![lost],
            claim: vec![owned(winner.id, 1)],
            ..batch(from, PhoneKeys::Done)
        };
        let changed = PhoneKeyBatch { decided_by: vec![(winner.id, winner.version + 1)], ..next.clone() };
        is_outdated(store, &changed).await;
        let not_released = PhoneKeyBatch { updates: Vec::new(), ..next.clone() };
        assert_eq!(taken(store.rebuild_phone_keys(&not_released).await), Unique::Phone);
        let keys: Vec<_> = [1, 2, 3].map(|value| (tenant.id, unique_key(Unique::Phone, value))).to_vec();
        let owners = |pairs: &[(u8, AccountId)]| -> HashMap<_, _> {
            pairs.iter().map(|(value, owner)| ((tenant.id, [*value; 32]), *owner)).collect()
        };
        assert_eq!(store.owners(&keys).await.unwrap(), owners(&[(1, loser.id), (2, winner.id)]));

        store.rebuild_phone_keys(&next).await.unwrap();
        assert_eq!(store.owners(&keys).await.unwrap(), owners(&[(1, winner.id)]));
        assert_eq!(store.owners(&[]).await.unwrap(), owners(&[]));
        assert_eq!((opened.stored(&loser).await.version, opened.entries(&loser).await.len()), (2, 2));
        assert_eq!(opened.stored(&winner).await, winner);
    }
);

on_both_databases!(
    async fn phone_numbers_are_read_in_the_order_of_identifiers_and_only_while_verified(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        for number in 1..=3 {
            let mut added = first(&tenant, number);
            added.account.set_text(Field::Phone, Some(Text::new(format!("+155500{number}")).unwrap()));
            added.account.phone_verified = number != 2;
            store.add_account(&added, None).await.unwrap();
        }
        let records = store.phone_records(AccountId(Uuid::nil()), 10).await.unwrap();
        let shown: Vec<_> = records.iter().map(|record| record.phone.as_ref().map(Text::as_str)).collect();
        assert_eq!(shown, [Some("+1555001"), None, Some("+1555003")]);
        assert_eq!((records[0].tenant, records[0].version, records[1].verified), (tenant.id, 1, false));
        let rest = store.phone_records(records[0].account, 1).await.unwrap();
        assert_eq!((rest.len(), rest[0].account), (1, records[1].account));
        let unknown = AccountId(Uuid::nil());
        let named = store.phone_records_of(&[records[2].account, unknown]).await.unwrap();
        let shown: Vec<_> = named.iter().map(|record| (record.account, record.e164())).collect();
        assert_eq!(shown, [(records[2].account, Some("+1555003".to_owned()))]);
    }
);

on_both_databases!(
    async fn one_process_at_a_time_migrates(opened: Opened) {
        let store = &opened.store;
        // Opening takes the lock as well.
        let second = opened.second().await;
        let lock = store.lock_for_migrating().await.unwrap();
        let (taken, mut waits) = oneshot::channel();
        let waiting = tokio::spawn(async move {
            let lock = second.lock_for_migrating().await.unwrap();
            taken.send(()).unwrap();
            drop(lock);
        });
        // The lock is still there after a while in which the other one could have taken it.
        store.ping().await.unwrap();
        assert!(waits.try_recv().is_err());
        drop(lock);
        waiting.await.unwrap();
        until(async || waits.try_recv().is_ok()).await;
    }
);

on_both_databases!(
    async fn nothing_can_be_written_in_a_database_that_is_opened_to_read(opened: Opened) {
        opened.store.set_fact("a", "b").await.unwrap();
        let read = Store::open_to_read(&opened.config.database(), &opened.config.database).await.unwrap().unwrap();
        assert_eq!((read.pending, read.has_unique_keys), (Vec::new(), true));
        assert_eq!(read.store.find_fact("a").await.unwrap().as_deref(), Some("b"));
        assert!(read.store.set_fact("a", "c").await.is_err());
        assert_eq!(opened.store.find_fact("a").await.unwrap().as_deref(), Some("b"));
    }
);

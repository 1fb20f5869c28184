//! Notices: written with a change, claimed by one instance at a time.

use std::sync::Arc;

use selfsame::account::{Account, Medium};
use selfsame::store::{ClaimedNotice, Effect, SealedNotice, Store, Update};
use uuid::Uuid;

use super::{Opened, at, change};

pub(super) fn notice(number: u8, medium: Medium) -> SealedNotice {
    SealedNotice { id: Uuid::from_u128(number.into()), medium, key: 1, sealed: vec![number] }
}

/// An effect that leaves a notice, due from `due_at` until 100.
pub(super) fn notify(notice: SealedNotice, due_at: i64) -> Effect {
    Effect::Notify { notice, due_at: at(due_at), expires_at: at(100) }
}

/// Changes an account and leaves a notice.
async fn leave(opened: &Opened, account: Account, notice: SealedNotice, due_at: i64) -> Account {
    let effects = vec![notify(notice, due_at)];
    let update = Update { effects, ..change(&account, |_| {}) };
    let commit = opened.store.commit(account, Arc::new(move |_| Ok(Some(update.clone())))).await.unwrap();
    assert!(commit.changed && commit.notifies);
    commit.account
}

async fn claim(store: &Store, second: i64) -> Option<ClaimedNotice> {
    store.claim_notice(Medium::Email, at(second), at(second + 10)).await.unwrap()
}

on_both_databases!(
    async fn due_notices_are_claimed_in_order_and_for_a_limited_time(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        let account = leave(&opened, account, notice(1, Medium::Email), 20).await;
        let account = leave(&opened, account, notice(2, Medium::Email), 10).await;
        leave(&opened, account, notice(3, Medium::Sms), 5).await;
        assert!(claim(&opened.store, 9).await.is_none());
        let claimed = claim(&opened.store, 21).await.unwrap();
        assert_eq!((claimed.notice, claimed.attempt), (notice(2, Medium::Email), 1));
        assert_eq!(claim(&opened.store, 22).await.unwrap().notice, notice(1, Medium::Email));
        assert!(claim(&opened.store, 30).await.is_none());
        // The instance that claimed it first may have died.
        let claimed = claim(&opened.store, 31).await.unwrap();
        assert_eq!((claimed.notice, claimed.attempt), (notice(2, Medium::Email), 2));
    }
);

on_both_databases!(
    async fn a_failed_notice_is_due_later_unless_it_was_claimed_again(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        leave(&opened, account, notice(1, Medium::Email), 10).await;
        let first = claim(&opened.store, 10).await.unwrap();
        opened.store.postpone_notice(&first, at(50)).await.unwrap();
        assert!(claim(&opened.store, 49).await.is_none());
        claim(&opened.store, 50).await.unwrap();
        opened.store.postpone_notice(&first, at(51)).await.unwrap();
        assert!(claim(&opened.store, 59).await.is_none());
    }
);

on_both_databases!(
    async fn a_delivered_or_expired_notice_is_not_claimed(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        let account = leave(&opened, account, notice(1, Medium::Email), 10).await;
        leave(&opened, account, notice(2, Medium::Email), 20).await;
        let claimed = claim(&opened.store, 10).await.unwrap();
        opened.store.forget_notice(claimed.notice.id).await.unwrap();
        assert!(claim(&opened.store, 100).await.is_none(), "an expired notice was claimed");
        assert_eq!(opened.store.forget_expired_notices(at(99)).await.unwrap(), 0);
        assert_eq!(opened.store.forget_expired_notices(at(100)).await.unwrap(), 1);
        assert!(claim(&opened.store, 50).await.is_none());
    }
);

on_both_databases!(
    async fn each_notice_is_claimed_by_one_of_many_instances(opened: Opened) {
        const NOTICES: u8 = 12;
        let mut account = opened.account(&opened.tenant(1).await, 1).await;
        for number in 0..NOTICES {
            account = leave(&opened, account, notice(number, Medium::Email), 10).await;
        }
        let mut instances = Vec::new();
        for _ in 0..4 {
            let store = opened.second().await;
            instances.push(tokio::spawn(async move {
                let mut claimed = Vec::new();
                // A miss does not mean that none is left: another instance may just have claimed the notice that was due.
                let mut misses = 0;
                while misses < 20 {
                    match claim(&store, 20).await {
                        Some(notice) => claimed.push(notice.notice.id),
                        None => misses += 1,
                    }
                }
                claimed
            }));
        }
        let mut claimed = Vec::new();
        for instance in instances {
            claimed.extend(instance.await.unwrap());
        }
        claimed.sort();
        let all: Vec<Uuid> = (0..NOTICES).map(|number| Uuid::from_u128(number.into())).collect();
        assert_eq!(claimed, all);
    }
);

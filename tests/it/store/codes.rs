//! One-time codes: how tries are counted, codes are used up, and sending is limited.

use selfsame::account::{CodeFault, Error};
use selfsame::store::{CodeId, Effect, NewCode, SendingLimit, Update};
use uuid::Uuid;

use super::{Opened, at, change, first};

/// A code with a number, in a slot; the code expires at 100, its token at 200.
fn sent(slot: u8, number: u8) -> NewCode {
    NewCode {
        code_id: CodeId { slot: [slot; 32], id: Uuid::from_u128(number.into()) },
        token: [number; 32],
        binding: [slot; 32],
        code: [100 + number; 32],
        code_expires_at: at(100),
        expires_at: at(200),
        contact: vec![number; 40],
    }
}

/// Counts a try, of five in all, and returns the hash to compare the code with, if it may be compared.
async fn attempt(opened: &Opened, sent: &NewCode, second: i64) -> Option<[u8; 32]> {
    let tried = opened.store.count_try(sent.code_id.slot, sent.token, sent.binding, at(second), 5).await.unwrap();
    tried.map(|tried| {
        assert_eq!((tried.id, tried.code_expires_at), (sent.code_id.id, sent.code_expires_at));
        assert_eq!(tried.contact, sent.contact);
        tried.code
    })
}

on_both_databases!(
    async fn five_tries_are_counted_and_no_sixth(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        for _ in 0..5 {
            assert_eq!(attempt(&opened, &code, 10).await, Some([101; 32]));
        }
        assert_eq!(attempt(&opened, &code, 10).await, None);
    }
);

on_both_databases!(
    async fn a_try_is_committed_before_the_code_is_compared(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        attempt(&opened, &code, 10).await.unwrap();
        // Another instance sees the try, so it is committed: an instance that dies now has spent it.
        let other = opened.second().await;
        for _ in 0..4 {
            let tried = other.count_try([1; 32], [1; 32], [1; 32], at(10), 5).await.unwrap();
            assert!(tried.is_some());
        }
        assert!(other.count_try([1; 32], [1; 32], [1; 32], at(10), 5).await.unwrap().is_none());
    }
);

on_both_databases!(
    async fn a_slot_token_or_binding_of_another_code_is_not_a_try(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        for _ in 0..6 {
            for (slot, token, binding) in [(2, 1, 1), (1, 2, 1), (1, 1, 2)] {
                let tried = opened.store.count_try([slot; 32], [token; 32], [binding; 32], at(10), 5).await.unwrap();
                assert!(tried.is_none());
            }
        }
        assert!(attempt(&opened, &code, 199).await.is_some());
        assert!(attempt(&opened, &code, 200).await.is_none());
    }
);

on_both_databases!(
    async fn a_new_code_replaces_the_older_code_in_its_slot(opened: Opened) {
        let (older, newer, elsewhere) = (sent(1, 1), sent(1, 2), sent(2, 3));
        for code in [&older, &elsewhere] {
            opened.store.put_code(code).await.unwrap();
        }
        for _ in 0..5 {
            attempt(&opened, &older, 10).await.unwrap();
        }
        opened.store.put_code(&newer).await.unwrap();
        assert!(attempt(&opened, &older, 10).await.is_none());
        assert!(matches!(opened.store.use_code(older.code_id).await, Err(Error::Code(CodeFault::Used))));
        assert_eq!(attempt(&opened, &newer, 10).await, Some([102; 32]));
        assert_eq!(attempt(&opened, &elsewhere, 10).await, Some([103; 32]));
    }
);

on_both_databases!(
    async fn a_code_is_used_up_once(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        opened.store.use_code(code.code_id).await.unwrap();
        assert!(matches!(opened.store.use_code(code.code_id).await, Err(Error::Code(CodeFault::Used))));
        assert!(attempt(&opened, &code, 10).await.is_none());
    }
);

on_both_databases!(
    async fn a_change_that_needs_a_used_code_does_not_happen_at_all(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        opened.store.add_pending_picture(account.id, "a", at(1)).await.unwrap();
        let adopt = Effect::AdoptPicture { name: "a".to_owned(), account: account.id, at: at(2) };
        let update = |effects| Update { effects, ..change(&account, |account| account.email_verified = true) };
        let commit = async |update: Update| {
            opened.store.commit(account.clone(), std::sync::Arc::new(move |_| Ok(Some(update.clone())))).await
        };
        opened.store.use_code(code.code_id).await.unwrap();
        let refused = commit(update(vec![adopt.clone(), Effect::UseCode(code.code_id)])).await;
        assert!(matches!(refused, Err(Error::Code(CodeFault::Used))), "{refused:?}");
        assert_eq!(opened.stored(&account).await, account);
        assert_eq!(opened.entries(&account).await.len(), 1);
        assert!(opened.store.is_pending_picture("a").await.unwrap());

        opened.store.put_code(&code).await.unwrap();
        let changed = commit(update(vec![adopt, Effect::UseCode(code.code_id)])).await.unwrap().account;
        assert_eq!(opened.stored(&account).await, changed);
        assert!(!opened.store.is_pending_picture("a").await.unwrap());
        assert!(attempt(&opened, &code, 10).await.is_none());
    }
);

on_both_databases!(
    async fn an_account_that_needs_a_used_code_is_not_created(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let code = sent(1, 1);
        let update = |number| Update { effects: vec![Effect::UseCode(code.code_id)], ..first(&tenant, number) };
        assert!(matches!(opened.store.add_account(&update(1), None).await, Err(Error::Code(CodeFault::Used))));
        assert!(opened.store.account(update(1).account.id).await.unwrap().is_none());
        opened.store.put_code(&code).await.unwrap();
        opened.store.add_account(&update(1), None).await.unwrap();
        assert!(matches!(opened.store.add_account(&update(2), None).await, Err(Error::Code(CodeFault::Used))));
        assert!(opened.store.account(update(2).account.id).await.unwrap().is_none());
    }
);

const DAY: i64 = 24 * 60 * 60;

/// Counts a sending and returns whether it is allowed: one in 30 seconds, three in a day.
async fn passes(opened: &Opened, recipient: u8, second: i64) -> bool {
    let limit = SendingLimit { last_until: at(second - 30), day_until: at(second - DAY), a_day: 3 };
    opened.store.count_sending([recipient; 32], at(second), limit).await.unwrap()
}

on_both_databases!(
    async fn sendings_are_limited_by_an_interval_and_a_number_a_day(opened: Opened) {
        let began = 2 * DAY;
        assert!(passes(&opened, 1, began).await);
        assert!(!passes(&opened, 1, began + 29).await);
        assert!(passes(&opened, 2, began + 29).await, "a sending was counted for another recipient");
        assert!(passes(&opened, 1, began + 30).await);
        assert!(passes(&opened, 1, began + 60).await);
        assert!(!passes(&opened, 1, began + 3600).await);
        assert!(!passes(&opened, 1, began + DAY - 1).await);
        assert!(passes(&opened, 1, began + DAY).await);
        assert!(!passes(&opened, 1, began + DAY + 29).await);
    }
);

on_both_databases!(
    async fn a_sending_that_failed_leaves_no_interval_but_counts_for_the_day(opened: Opened) {
        let began = 2 * DAY;
        for failure in 0..3 {
            assert!(passes(&opened, 1, began + failure).await);
            opened.store.end_sending_interval([1; 32], at(began + failure)).await.unwrap();
        }
        assert!(!passes(&opened, 1, began + 3).await);
    }
);

on_both_databases!(
    async fn expired_codes_and_sendings_are_deleted(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        assert!(passes(&opened, 1, 2 * DAY).await);
        opened.store.forget_codes(at(199), at(2 * DAY - 1)).await.unwrap();
        assert!(attempt(&opened, &code, 10).await.is_some());
        assert!(!passes(&opened, 1, 2 * DAY).await);
        opened.store.forget_codes(at(200), at(2 * DAY)).await.unwrap();
        assert!(attempt(&opened, &code, 10).await.is_none());
        assert!(passes(&opened, 1, 2 * DAY).await);
    }
);

//! One-time codes: how tries are counted, codes are used up, and sending is limited.

use selfsame::account::{CodeFault, Error, Medium};
use selfsame::store::{CodeId, Effect, NewCode, SendingLimit, Update, UsedCode};
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
    assert!(tried.len() <= 1, "{tried:?}");
    tried.into_iter().next().map(|tried| {
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
    async fn whether_a_code_can_be_tried_is_known_without_a_try(opened: Opened) {
        let (older, newer) = (sent(1, 1), NewCode { code_expires_at: at(130), expires_at: at(230), ..sent(1, 2) });
        let can_try = async |code: &NewCode, second: i64| {
            let (slot, token, binding) = (code.code_id.slot, code.token, code.binding);
            opened.store.can_try(slot, token, binding, at(second), 5).await.unwrap()
        };
        assert!(!can_try(&older, 10).await);
        opened.store.put_code(&older).await.unwrap();
        for _ in 0..6 {
            assert!(can_try(&older, 10).await && can_try(&older, 199).await && !can_try(&older, 200).await);
        }
        opened.store.put_code(&newer).await.unwrap();
        assert!(can_try(&older, 99).await && !can_try(&older, 100).await && can_try(&newer, 229).await);
        for other in [NewCode { token: [9; 32], ..newer.clone() }, NewCode { binding: [9; 32], ..newer.clone() }] {
            assert!(!can_try(&other, 10).await);
        }
        for _ in 0..5 {
            assert!(can_try(&newer, 10).await);
            attempt(&opened, &newer, 10).await.unwrap();
        }
        assert!(!can_try(&newer, 10).await && !can_try(&older, 10).await);
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
            assert_eq!(tried.len(), 1);
        }
        assert_eq!(other.count_try([1; 32], [1; 32], [1; 32], at(10), 5).await.unwrap(), []);
    }
);

on_both_databases!(
    async fn a_slot_token_or_binding_of_another_code_is_not_a_try(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        for _ in 0..6 {
            for (slot, token, binding) in [(2, 1, 1), (1, 2, 1), (1, 1, 2)] {
                let tried = opened.store.count_try([slot; 32], [token; 32], [binding; 32], at(10), 5).await.unwrap();
                assert_eq!(tried, []);
            }
        }
        assert!(attempt(&opened, &code, 199).await.is_some());
        assert!(attempt(&opened, &code, 200).await.is_none());
    }
);

on_both_databases!(
    async fn the_newest_two_codes_of_a_slot_can_be_tried(opened: Opened) {
        let (oldest, older, newer, elsewhere) = (sent(1, 1), sent(1, 2), sent(1, 3), sent(2, 4));
        for code in [&elsewhere, &oldest, &older] {
            opened.store.put_code(code).await.unwrap();
        }
        assert_eq!(attempt(&opened, &oldest, 10).await, Some([101; 32]));
        assert_eq!(attempt(&opened, &older, 10).await, Some([102; 32]));
        opened.store.put_code(&newer).await.unwrap();
        assert_eq!(attempt(&opened, &oldest, 10).await, None);
        assert!(!opened.store.is_code_outstanding(oldest.token, at(10), 5).await.unwrap());
        assert!(matches!(opened.store.use_code(oldest.code_id).await, Err(Error::Code(CodeFault::Used))));
        for (code, hash) in [(&older, 102), (&newer, 103), (&elsewhere, 104)] {
            assert_eq!(attempt(&opened, code, 10).await, Some([hash; 32]));
            assert!(opened.store.is_code_outstanding(code.token, at(10), 5).await.unwrap());
        }
    }
);

on_both_databases!(
    async fn a_try_with_the_parameters_of_both_codes_is_compared_with_both(opened: Opened) {
        let older = NewCode { token: [9; 32], ..sent(1, 1) };
        let newer = NewCode { token: [9; 32], ..sent(1, 2) };
        for code in [&older, &newer] {
            opened.store.put_code(code).await.unwrap();
        }
        let tried = opened.store.count_try([1; 32], [9; 32], [1; 32], at(10), 5).await.unwrap();
        let codes: Vec<_> = tried.iter().map(|code| (code.id.as_u128(), code.code, code.contact[0])).collect();
        assert_eq!(codes, [(2, [102; 32], 2), (1, [101; 32], 1)]);
    }
);

on_both_databases!(
    async fn a_try_counts_for_both_codes_and_no_sending_restores_one(opened: Opened) {
        let (oldest, older, newer, newest) = (sent(1, 1), sent(1, 2), sent(1, 3), sent(1, 4));
        opened.store.put_code(&oldest).await.unwrap();
        for _ in 0..2 {
            attempt(&opened, &oldest, 10).await.unwrap();
        }
        opened.store.put_code(&older).await.unwrap();
        for code in [&older, &oldest, &older] {
            attempt(&opened, code, 10).await.unwrap();
        }
        // Five for the first code, three of them for the second.
        assert_eq!(attempt(&opened, &oldest, 10).await, None);
        assert!(!opened.store.is_code_outstanding(oldest.token, at(10), 5).await.unwrap());
        opened.store.put_code(&newer).await.unwrap();
        for code in [&older, &newer] {
            attempt(&opened, code, 10).await.unwrap();
        }
        assert_eq!(attempt(&opened, &older, 10).await, None);
        for _ in 0..3 {
            attempt(&opened, &newer, 10).await.unwrap();
        }
        assert_eq!(attempt(&opened, &newer, 10).await, None);
        opened.store.put_code(&newest).await.unwrap();
        assert_eq!(attempt(&opened, &newer, 10).await, None);
        // Five tries since the newest was sent, as after every sending.
        for _ in 0..5 {
            attempt(&opened, &newest, 10).await.unwrap();
        }
        assert_eq!(attempt(&opened, &newest, 10).await, None);
    }
);

on_both_databases!(
    async fn the_code_before_the_newest_can_be_tried_until_it_expires(opened: Opened) {
        let older = sent(1, 1);
        let newer = NewCode { code_expires_at: at(130), expires_at: at(230), ..sent(1, 2) };
        for code in [&older, &newer] {
            opened.store.put_code(code).await.unwrap();
        }
        for _ in 0..6 {
            assert_eq!(attempt(&opened, &older, 100).await, None);
        }
        assert!(!opened.store.is_code_outstanding(older.token, at(100), 5).await.unwrap());
        // None of these counted for the newest code.
        for _ in 0..4 {
            attempt(&opened, &newer, 100).await.unwrap();
        }
        assert_eq!(attempt(&opened, &older, 99).await, Some([101; 32]));
    }
);

on_both_databases!(
    async fn using_one_of_two_codes_uses_up_both(opened: Opened) {
        let (older, newer) = (sent(1, 1), sent(1, 2));
        for (used, other) in [(&older, &newer), (&newer, &older)] {
            for code in [&older, &newer] {
                opened.store.put_code(code).await.unwrap();
            }
            opened.store.use_code(used.code_id).await.unwrap();
            for code in [used, other] {
                assert!(matches!(opened.store.use_code(code.code_id).await, Err(Error::Code(CodeFault::Used))));
                assert_eq!(attempt(&opened, code, 10).await, None);
            }
        }
    }
);

on_both_databases!(
    async fn one_of_many_uses_of_two_codes_succeeds(opened: Opened) {
        let (older, newer) = (sent(1, 1), sent(1, 2));
        for code in [&older, &newer] {
            opened.store.put_code(code).await.unwrap();
        }
        let stores = [opened.store.clone(), opened.second().await];
        let uses: Vec<_> = (0..20_usize)
            .map(|number| {
                let (store, code) = (stores[number / 2 % 2].clone(), [&older, &newer][number % 2].code_id);
                tokio::spawn(async move { store.use_code(code).await.is_ok() })
            })
            .collect();
        let mut used = 0;
        for code in uses {
            used += usize::from(code.await.unwrap());
        }
        assert_eq!(used, 1);
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

/// The limit of one code in 30 seconds and three in a day.
fn limit(second: i64) -> SendingLimit {
    SendingLimit { last_until: at(second - 30), day_until: at(second - DAY), a_day: 3 }
}

/// Counts a sending for some recipients and returns whether it is allowed.
async fn passes_all(opened: &Opened, recipients: &[u8], second: i64) -> bool {
    let counted: Vec<_> = recipients.iter().map(|recipient| ([*recipient; 32], limit(second))).collect();
    match opened.store.count_sending(Medium::Email, at(second), &counted).await {
        Ok(()) => true,
        Err(Error::Code(CodeFault::TooOften { medium: Medium::Email, .. })) => false,
        Err(error) => panic!("{error:?}"),
    }
}

/// Counts a sending for one recipient and returns whether it is allowed.
async fn passes(opened: &Opened, recipient: u8, second: i64) -> bool {
    passes_all(opened, &[recipient], second).await
}

on_both_databases!(
    async fn a_sending_is_counted_for_every_recipient_or_for_none(opened: Opened) {
        let began = 2 * DAY;
        assert!(passes(&opened, 3, began).await);
        for refused in [[1, 2, 3], [3, 1, 2], [1, 3, 2]] {
            assert!(!passes_all(&opened, &refused, began).await);
        }
        assert!(passes_all(&opened, &[1, 2], began).await, "a refused sending was counted");
        assert!(!passes(&opened, 1, began).await && !passes(&opened, 2, began).await);
        assert!(passes_all(&opened, &[1, 2, 3], began + 30).await);
    }
);

on_both_databases!(
    async fn one_of_many_sendings_at_once_is_counted(opened: Opened) {
        let began = 2 * DAY;
        let stores = [opened.store.clone(), opened.second().await];
        let sendings: Vec<_> = (0..20_u8)
            .map(|number| {
                let store = stores[usize::from(number) % 2].clone();
                // Each has a recipient of its own between two that all share.
                let counted = [[1; 32], [100 + number; 32], [2; 32]].map(|recipient| (recipient, limit(began)));
                tokio::spawn(async move { store.count_sending(Medium::Email, at(began), &counted).await.is_ok() })
            })
            .collect();
        let mut counted = 0;
        for sending in sendings {
            counted += usize::from(sending.await.unwrap());
        }
        assert_eq!(counted, 1);
        let mut uncounted = 0;
        for number in 0..20 {
            uncounted += usize::from(passes(&opened, 100 + number, began).await);
        }
        assert_eq!(uncounted, 19);
    }
);

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
    async fn a_refused_sending_states_the_time_until_every_limit_allows_it(opened: Opened) {
        let began = 2 * DAY;
        let wait = async |recipients: &[u8], second: i64| {
            let counted: Vec<_> = recipients.iter().map(|recipient| ([*recipient; 32], limit(second))).collect();
            match opened.store.count_sending(Medium::Email, at(second), &counted).await {
                Err(Error::Code(CodeFault::TooOften { wait, .. })) => wait.as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert!(passes(&opened, 1, began).await);
        assert_eq!((wait(&[1], began).await, wait(&[1], began + 29).await), (30, 1));
        assert!(passes(&opened, 2, began + 10).await);
        assert_eq!((wait(&[1, 2], began + 15).await, wait(&[2, 1, 3], began + 15).await), (25, 25));
        assert!(passes(&opened, 1, began + 30).await && passes(&opened, 1, began + 60).await);
        let rest = u64::try_from(DAY).unwrap() - 70;
        assert_eq!((wait(&[1], began + 70).await, wait(&[2, 1], began + 70).await), (rest, rest));
    }
);

on_both_databases!(
    async fn a_used_code_is_kept_until_its_time_is_over(opened: Opened) {
        let code = sent(1, 1);
        opened.store.put_code(&code).await.unwrap();
        let used = UsedCode {
            code_id: code.code_id,
            binding: code.binding,
            code: code.code,
            expires_at: code.code_expires_at,
            contact: code.contact.clone(),
            previous: None,
        };
        let effects = || vec![Effect::UseCode(code.code_id), Effect::KeepUsedCode(used.clone())];
        let repeated = async |slot: u8, binding: u8, second: i64| {
            opened.store.count_repetition([slot; 32], [binding; 32], at(second), 3).await.unwrap()
        };
        assert_eq!(repeated(1, 1, 10).await, None);
        opened.store.bring_about(effects()).await.unwrap();
        // It is used up, so that it is not used and kept again.
        assert!(matches!(opened.store.bring_about(effects()).await, Err(Error::Code(CodeFault::Used))));
        assert_eq!((repeated(2, 1, 10).await, repeated(1, 2, 10).await, repeated(1, 1, 100).await), (None, None, None));
        opened.store.forget_codes(at(99), at(0)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(repeated(1, 1, 99).await.as_ref(), Some(&used));
        }
        assert_eq!(repeated(1, 1, 99).await, None, "the attempts are not counted");
        // The next code of the slot that is used takes its place.
        opened
            .store
            .bring_about(vec![Effect::KeepUsedCode(UsedCode { previous: Some(vec![9]), ..used.clone() })])
            .await
            .unwrap();
        assert_eq!(repeated(1, 1, 99).await.unwrap().previous, Some(vec![9]));
        opened.store.forget_codes(at(100), at(0)).await.unwrap();
        assert_eq!(opened.database.rows("SELECT count(*) FROM used_code").await, ["0"]);
    }
);

on_both_databases!(
    async fn a_sending_that_failed_leaves_no_interval_but_counts_for_the_day(opened: Opened) {
        let began = 2 * DAY;
        for failure in 0..3 {
            assert!(passes(&opened, 1, began + failure).await);
            opened.store.end_sending_interval([1; 32], at(began + failure)).await.unwrap();
            // The server deletes old counts twice a minute.
            opened.store.forget_codes(at(began + failure), at(began + failure - DAY)).await.unwrap();
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

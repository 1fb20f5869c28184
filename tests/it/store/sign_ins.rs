//! Sign-ins: each generation of refresh tokens replaces the one before, and all of them end together.

use jiff::Timestamp;
use selfsame::account::Account;
use selfsame::store::{RefreshToken, SignIn};
use uuid::Uuid;

use super::{Opened, at};

/// A grace period that began after everything that was spent.
const NO_GRACE: Timestamp = Timestamp::MAX;

pub(super) fn token(number: u8) -> RefreshToken {
    RefreshToken {
        hash: [number; 32],
        issued_at: at(1),
        expires_at: at(100),
        access_token: [100 + number; 32],
        access_ends_at: at(50),
    }
}

pub(super) fn sign_in(account: &Account) -> SignIn {
    SignIn {
        id: Uuid::from_u128(7),
        account_id: account.id,
        application_id: "shop".to_owned(),
        started_at: at(1),
        ended_at: None,
    }
}

async fn begun(opened: &Opened) -> (Account, SignIn) {
    let account = opened.account(&opened.tenant(1).await, 1).await;
    let sign_in = sign_in(&account);
    opened.store.begin_sign_in(&sign_in, &token(1)).await.unwrap();
    (account, sign_in)
}

on_both_databases!(
    async fn a_token_leads_to_its_sign_in(opened: Opened) {
        let (_, sign_in) = begun(&opened).await;
        let found = opened.store.refresh_token([1; 32]).await.unwrap().unwrap();
        assert_eq!((found.sign_in, found.issued_at, found.expires_at, found.spent), (sign_in, at(1), at(100), false));
        assert_eq!(opened.store.refresh_token([2; 32]).await.unwrap(), None);
    }
);

on_both_databases!(
    async fn a_token_is_spent_once(opened: Opened) {
        let (_, sign_in) = begun(&opened).await;
        assert!(opened.store.refresh(sign_in.id, [1; 32], &token(2), at(2), NO_GRACE).await.unwrap());
        assert!(!opened.store.refresh(sign_in.id, [1; 32], &token(3), at(2), NO_GRACE).await.unwrap());
        assert!(opened.store.refresh_token([1; 32]).await.unwrap().unwrap().spent);
        assert!(!opened.store.refresh_token([2; 32]).await.unwrap().unwrap().spent);
        assert_eq!(opened.store.refresh_token([3; 32]).await.unwrap(), None);
    }
);

on_both_databases!(
    async fn a_spent_token_brings_further_tokens_which_are_spent_together(opened: Opened) {
        let (account, sign_in) = begun(&opened).await;
        let refresh = async |presented: u8, next: u8, now, grace_began| {
            opened.store.refresh(sign_in.id, [presented; 32], &token(next), now, grace_began).await.unwrap()
        };
        let spent_at = async |number: u8| opened.store.refresh_token([number; 32]).await.unwrap().unwrap().spent_at;
        assert!(refresh(1, 2, at(2), NO_GRACE).await);
        assert!(refresh(1, 3, at(4), at(1)).await);
        assert!(!refresh(1, 9, at(4), at(2)).await, "spent exactly when the grace period began");
        assert_eq!([spent_at(1).await, spent_at(2).await, spent_at(3).await], [Some(at(2)), None, None]);
        // Another sign-in of the same person is not touched.
        let other = SignIn { id: Uuid::from_u128(8), ..sign_in.clone() };
        opened.store.begin_sign_in(&other, &token(20)).await.unwrap();
        assert!(refresh(3, 4, at(5), NO_GRACE).await);
        assert_eq!([spent_at(2).await, spent_at(3).await, spent_at(4).await], [Some(at(5)), Some(at(5)), None]);
        assert_eq!(spent_at(20).await, None);
        assert!(!refresh(20, 9, at(5), NO_GRACE).await, "a token of another sign-in");
        // A token of the generation before the last one brings a token of the present one, too.
        assert!(refresh(1, 5, at(5), at(1)).await);
        assert!(refresh(5, 6, at(6), NO_GRACE).await);
        assert_eq!([spent_at(4).await, spent_at(5).await, spent_at(6).await], [Some(at(6)), Some(at(6)), None]);
        assert_eq!(opened.store.sign_ins(account.id, at(6)).await.unwrap(), 2);
        opened.store.end_sign_in(&sign_in, at(6)).await.unwrap();
        assert!(!refresh(5, 9, at(6), at(1)).await, "the sign-in has ended");
        assert_eq!(opened.store.refresh_token([9; 32]).await.unwrap(), None);
        for number in 2..=6 {
            assert!(opened.store.is_revoked(Some(account.id), [100 + number; 32]).await.unwrap(), "{number}");
            assert!(!opened.store.is_revoked(None, [100 + number; 32]).await.unwrap(), "{number}");
        }
    }
);

on_both_databases!(
    async fn an_expired_token_brings_no_further_token(opened: Opened) {
        let (_, sign_in) = begun(&opened).await;
        assert!(opened.store.refresh(sign_in.id, [1; 32], &token(2), at(99), NO_GRACE).await.unwrap());
        assert!(opened.store.refresh(sign_in.id, [1; 32], &token(3), at(99), at(98)).await.unwrap());
        assert!(!opened.store.refresh(sign_in.id, [1; 32], &token(4), at(100), at(98)).await.unwrap());
    }
);

on_both_databases!(
    async fn one_of_several_instances_that_spend_one_token_wins(opened: Opened) {
        let (_, sign_in) = begun(&opened).await;
        let second = opened.second().await;
        let spend = |store: &selfsame::store::Store, number: u8| {
            let store = store.clone();
            let id = sign_in.id;
            tokio::spawn(async move { store.refresh(id, [1; 32], &token(number), at(2), NO_GRACE).await.unwrap() })
        };
        let spending: Vec<_> =
            (10..26).map(|number| spend(if number % 2 == 0 { &opened.store } else { &second }, number)).collect();
        let mut won = 0;
        for spent in spending {
            won += usize::from(spent.await.unwrap());
        }
        assert_eq!(won, 1);
    }
);

on_both_databases!(
    async fn an_expired_token_or_one_of_an_ended_sign_in_is_not_spent(opened: Opened) {
        let (_, sign_in) = begun(&opened).await;
        assert!(!opened.store.refresh(sign_in.id, [1; 32], &token(2), at(100), NO_GRACE).await.unwrap());
        opened.store.end_sign_in(&sign_in, at(3)).await.unwrap();
        assert!(!opened.store.refresh(sign_in.id, [1; 32], &token(2), at(3), NO_GRACE).await.unwrap());
        let ended = opened.store.refresh_token([1; 32]).await.unwrap().unwrap();
        assert_eq!(ended.sign_in.ended_at, Some(at(3)));
    }
);

on_both_databases!(
    async fn ending_a_sign_in_revokes_every_access_token_that_may_still_be_valid(opened: Opened) {
        let (account, sign_in) = begun(&opened).await;
        let mut short = token(2);
        short.access_ends_at = at(2);
        assert!(opened.store.refresh(sign_in.id, [1; 32], &short, at(2), NO_GRACE).await.unwrap());
        assert!(opened.store.refresh(sign_in.id, [2; 32], &token(3), at(2), NO_GRACE).await.unwrap());
        assert_eq!(opened.store.sign_ins(account.id, at(3)).await.unwrap(), 1);
        opened.store.end_sign_in(&sign_in, at(3)).await.unwrap();
        opened.store.end_sign_in(&sign_in, at(4)).await.unwrap();
        let mut revoked = Vec::new();
        for number in 1..=3 {
            revoked.push(opened.store.is_revoked(Some(account.id), [100 + number; 32]).await.unwrap());
        }
        assert_eq!(revoked, [true, false, true]);
        assert_eq!(opened.store.sign_ins(account.id, at(4)).await.unwrap(), 0);
    }
);

on_both_databases!(
    async fn only_expired_tokens_and_sign_ins_are_deleted(opened: Opened) {
        let (account, sign_in) = begun(&opened).await;
        let mut later = token(2);
        later.expires_at = at(200);
        assert!(opened.store.refresh(sign_in.id, [1; 32], &later, at(2), NO_GRACE).await.unwrap());
        opened.store.forget_sign_ins(at(150)).await.unwrap();
        assert_eq!(opened.store.refresh_token([1; 32]).await.unwrap(), None);
        assert!(opened.store.refresh_token([2; 32]).await.unwrap().is_some());
        assert_eq!(opened.store.sign_ins(account.id, at(150)).await.unwrap(), 1);
        opened.store.forget_sign_ins(at(201)).await.unwrap();
        assert_eq!(opened.store.refresh_token([2; 32]).await.unwrap(), None);
    }
);

//! Stored pictures: the rows that the sweeper finds.

use std::sync::Arc;

use jiff::Timestamp;
use selfsame::account::{Account, AccountId, Error};
use selfsame::store::PictureState::{self, Deleting, Pending, Replaced, Shown};
use selfsame::store::{Effect, Store, Update};

use super::{Opened, at, change};

/// The names of pictures that have been in a state since before a time.
async fn names(store: &Store, state: PictureState, before: Timestamp) -> Vec<String> {
    let pictures = store.pictures_in_state(state, before).await.unwrap();
    pictures.into_iter().map(|picture| picture.unwrap().1).collect()
}

/// Commits a change with one effect.
async fn commit(store: &Store, account: Account, effect: Effect) -> Result<Account, Error> {
    let update = Update { effects: vec![effect], ..change(&account, |_| {}) };
    store.commit(account, Arc::new(move |_| Ok(Some(update.clone())))).await.map(|commit| commit.account)
}

fn adopt(account: AccountId, second: i64) -> Effect {
    Effect::AdoptPicture { name: "a".to_owned(), account, at: at(second) }
}

fn retire(account: AccountId, second: i64) -> Effect {
    Effect::RetirePicture { name: "a".to_owned(), account, at: at(second) }
}

on_both_databases!(
    async fn an_upload_is_pending_until_its_deletion_begins(opened: Opened) {
        let (store, account) = (&opened.store, AccountId(uuid::Uuid::from_u128(1)));
        for (name, second) in [("b", 20), ("a", 30), ("c", 10)] {
            store.add_pending_picture(account, name, at(second)).await.unwrap();
        }
        assert!(store.is_pending_picture("a").await.unwrap());
        assert!(!store.is_pending_picture("d").await.unwrap());
        assert_eq!(names(store, Pending, at(30)).await, ["c", "b"]);
        // A picture whose deletion has not begun is not forgotten.
        store.forget_picture(account, "c").await.unwrap();
        assert!(!store.begin_picture_deletion(account, "c", Replaced, at(40)).await.unwrap());
        assert!(store.begin_picture_deletion(account, "c", Pending, at(40)).await.unwrap());
        assert!(!store.begin_picture_deletion(account, "c", Pending, at(40)).await.unwrap());
        assert_eq!(names(store, Pending, at(31)).await, ["b", "a"]);
        assert_eq!(names(store, Deleting, at(41)).await, ["c"]);
        store.forget_picture(account, "c").await.unwrap();
        store.forget_picture(account, "c").await.unwrap();
        assert_eq!(names(store, Deleting, at(41)).await, [""; 0]);
    }
);

on_both_databases!(
    async fn an_upload_that_a_change_adopts_is_pending_no_longer(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        opened.store.add_pending_picture(account.id, "a", at(1)).await.unwrap();
        commit(&opened.store, account.clone(), adopt(account.id, 2)).await.unwrap();
        assert!(!opened.store.is_pending_picture("a").await.unwrap());
        assert!(opened.store.is_shown_picture("a").await.unwrap());
        assert_eq!(names(&opened.store, Shown, at(3)).await, ["a"]);
    }
);

on_both_databases!(
    async fn a_picture_counts_as_replaced_since_its_last_replacement(opened: Opened) {
        let store = &opened.store;
        let mut account = opened.account(&opened.tenant(1).await, 1).await;
        for second in [10, 20] {
            account = commit(store, account.clone(), retire(account.id, second)).await.unwrap();
        }
        assert_eq!(names(store, Replaced, at(20)).await, [""; 0]);
        assert_eq!(names(store, Replaced, at(21)).await, ["a"]);
    }
);

on_both_databases!(
    async fn a_picture_that_is_being_deleted_is_not_adopted(opened: Opened) {
        let store = &opened.store;
        let mut account = opened.account(&opened.tenant(1).await, 1).await;
        account = commit(store, account.clone(), retire(account.id, 10)).await.unwrap();
        assert!(store.begin_picture_deletion(account.id, "a", Replaced, at(20)).await.unwrap());
        let refused = commit(store, account.clone(), adopt(account.id, 21)).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert_eq!(opened.stored(&account).await, account);
        assert_eq!(names(store, Deleting, at(30)).await, ["a"]);
    }
);

on_both_databases!(
    async fn a_file_is_needed_while_another_account_has_a_row_of_it(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let (one, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        commit(store, one.clone(), adopt(one.id, 1)).await.unwrap();
        assert!(!store.is_picture_needed(one.id, "a").await.unwrap());
        assert!(store.is_picture_needed(other.id, "a").await.unwrap());
        commit(store, other.clone(), retire(other.id, 2)).await.unwrap();
        assert!(store.is_picture_needed(one.id, "a").await.unwrap());
        store.begin_picture_deletion(other.id, "a", Replaced, at(3)).await.unwrap();
        assert!(!store.is_picture_needed(one.id, "a").await.unwrap());
        assert!(store.is_picture_of_another(one.id, "a").await.unwrap());
        assert!(!store.is_picture_of_another(one.id, "b").await.unwrap());
    }
);

//! Pending and replaced pictures: the rows that the sweeper finds.

use selfsame::store::{Effect, Update};

use super::{Opened, at, change};

on_both_databases!(
    async fn an_upload_is_pending_until_it_is_forgotten(opened: Opened) {
        let store = &opened.store;
        store.add_pending_picture("b", at(20)).await.unwrap();
        store.add_pending_picture("a", at(30)).await.unwrap();
        store.add_pending_picture("c", at(10)).await.unwrap();
        assert!(store.is_pending_picture("a").await.unwrap());
        assert!(!store.is_pending_picture("d").await.unwrap());
        assert_eq!(store.pending_pictures(at(30)).await.unwrap(), ["c", "b"]);
        store.forget_pending_picture("c").await.unwrap();
        store.forget_pending_picture("c").await.unwrap();
        assert_eq!(store.pending_pictures(at(31)).await.unwrap(), ["b", "a"]);
    }
);

on_both_databases!(
    async fn an_upload_that_a_change_adopts_is_pending_no_longer(opened: Opened) {
        let account = opened.account(&opened.tenant(1).await, 1).await;
        opened.store.add_pending_picture("a", at(1)).await.unwrap();
        let effects = vec![Effect::AdoptPicture { name: "a".to_owned() }];
        let update = Update { effects, ..change(&account, |_| {}) };
        opened.store.commit(account, std::sync::Arc::new(move |_| Ok(Some(update.clone())))).await.unwrap();
        assert!(!opened.store.is_pending_picture("a").await.unwrap());
    }
);

on_both_databases!(
    async fn a_picture_counts_as_replaced_since_its_last_replacement(opened: Opened) {
        let store = &opened.store;
        let mut account = opened.account(&opened.tenant(1).await, 1).await;
        for second in [10, 20] {
            let retire = Effect::RetirePicture { name: "a".to_owned(), account: account.id, at: at(second) };
            let update = Update { effects: vec![retire], ..change(&account, |_| {}) };
            account =
                store.commit(account, std::sync::Arc::new(move |_| Ok(Some(update.clone())))).await.unwrap().account;
        }
        assert_eq!(store.replaced_pictures(at(20)).await.unwrap(), []);
        assert_eq!(store.replaced_pictures(at(21)).await.unwrap(), [("a".to_owned(), account.id)]);
        store.forget_replaced_picture("a").await.unwrap();
        assert_eq!(store.replaced_pictures(at(21)).await.unwrap(), []);
    }
);

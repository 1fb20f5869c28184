//! Encrypted bodies: keys, sessions, and replay protection.

use std::sync::Arc;

use selfsame::account::{Account, ChannelFault, Error, Field, Text};
use selfsame::store::{
    ChannelKeyRecord, ChannelOwner, Effect, NewChannelSession, Nonce, NonceState, UnusedSessions, Update,
};

use super::{Opened, at, change};

pub(super) fn key(name: &str, kind: &str, second: i64) -> ChannelKeyRecord {
    ChannelKeyRecord {
        key_id: name.to_owned(),
        kind: kind.to_owned(),
        public_key: "{}".to_owned(),
        sealed: vec![1, 2, 3],
        created_at: at(second),
        retired_at: None,
    }
}

pub(super) fn session(id: u8, source: u8, second: i64) -> NewChannelSession {
    NewChannelSession {
        id: [id; 16],
        sealed: vec![id; 3],
        source: [source; 32],
        created_at: at(second),
        expires_at: at(second + 100),
    }
}

/// Limits that no test reaches unless it is about them.
pub(super) const PLENTY: UnusedSessions = UnusedSessions { of_source: 10, of_installation: 1000 };

pub(super) fn nonce(scope: u8, nonce: u8, account: Option<&Account>, second: i64) -> Nonce {
    Nonce {
        scope: vec![scope; 16],
        nonce: vec![nonce; 12],
        account: account.map(|account| account.id),
        expires_at: at(second),
    }
}

fn is_replay<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Channel(ChannelFault::Payload)))
}

on_both_databases!(
    async fn a_new_key_retires_the_others_of_its_kind(opened: Opened) {
        let store = &opened.store;
        for key in [key("a", "rsa", 1), key("b", "p-256", 2), key("c", "rsa", 3)] {
            store.add_channel_key(key).await.unwrap();
        }
        let retired = ChannelKeyRecord { retired_at: Some(at(3)), ..key("a", "rsa", 1) };
        let all = [retired, key("b", "p-256", 2), key("c", "rsa", 3)];
        assert_eq!(store.channel_keys().await.unwrap(), all);
        store.forget_channel_keys(at(3)).await.unwrap();
        assert_eq!(store.channel_keys().await.unwrap(), all);
        store.forget_channel_keys(at(4)).await.unwrap();
        assert_eq!(store.channel_keys().await.unwrap(), all[1..]);
    }
);

on_both_databases!(
    async fn a_session_is_bound_to_its_first_user(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let (account, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        store.add_channel_session(session(1, 1, 1), PLENTY).await.unwrap();
        let found = store.channel_session([1; 16], &[7; 12]).await.unwrap().unwrap();
        assert_eq!((found.sealed, found.expires_at, found.messages), (vec![1; 3], at(101), 0));
        assert_eq!((found.owner, found.nonce_used), (None, false));
        let owner = |account: &Account, client| ChannelOwner { account: account.id, client: [client; 32] };
        assert!(store.bind_channel_session([1; 16], owner(&account, 1), 10).await.unwrap());
        assert!(store.bind_channel_session([1; 16], owner(&account, 1), 10).await.unwrap());
        assert!(!store.bind_channel_session([1; 16], owner(&account, 2), 10).await.unwrap());
        assert!(!store.bind_channel_session([1; 16], owner(&other, 1), 10).await.unwrap());
        let found = store.channel_session([1; 16], &[7; 12]).await.unwrap().unwrap();
        assert_eq!(found.owner, Some(owner(&account, 1)));
        store.close_channel_session([1; 16]).await.unwrap();
        store.close_channel_session([1; 16]).await.unwrap();
        assert_eq!(store.channel_session([1; 16], &[7; 12]).await.unwrap(), None);
        assert!(!store.bind_channel_session([1; 16], owner(&account, 1), 10).await.unwrap());
    }
);

on_both_databases!(
    async fn a_session_may_be_bound_when_it_begins_and_makes_room_among_those_of_its_account(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let (account, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let owner = |account: &Account| ChannelOwner { account: account.id, client: [1; 32] };
        let there = async |id: u8| store.channel_session([id; 16], &[]).await.unwrap().is_some();
        store.add_bound_channel_session(session(1, 1, 10), owner(&account), 2).await.unwrap();
        let found = store.channel_session([1; 16], &[]).await.unwrap().unwrap();
        assert_eq!((found.owner, found.sealed, found.messages), (Some(owner(&account)), vec![1; 3], 0));
        assert!(!store.bind_channel_session([1; 16], owner(&other), 10).await.unwrap());
        store.add_bound_channel_session(session(2, 1, 5), owner(&other), 2).await.unwrap();
        store.add_channel_session(session(3, 1, 6), UnusedSessions { of_source: 1, of_installation: 1 }).await.unwrap();
        store.add_bound_channel_session(session(4, 1, 11), owner(&account), 2).await.unwrap();
        // The newest stays, even if the clock that it was opened by is behind.
        store.add_bound_channel_session(session(5, 1, 1), owner(&account), 2).await.unwrap();
        let left = [there(1).await, there(2).await, there(3).await, there(4).await, there(5).await];
        assert_eq!(left, [false, true, true, true, true]);
    }
);

on_both_databases!(
    async fn too_many_sessions_delete_the_oldest_of_their_address_or_account(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let account = opened.account(&tenant, 1).await;
        let owner = ChannelOwner { account: account.id, client: [1; 32] };
        let there = async |id: u8| store.channel_session([id; 16], &[]).await.unwrap().is_some();
        let two = UnusedSessions { of_source: 2, ..PLENTY };
        store.add_channel_session(session(1, 1, 1), two).await.unwrap();
        assert!(store.bind_channel_session([1; 16], owner, 2).await.unwrap());
        for id in 2..=4 {
            store.add_channel_session(session(id, 1, id.into()), two).await.unwrap();
        }
        store.add_channel_session(session(5, 2, 5), two).await.unwrap();
        assert_eq!(
            [there(1).await, there(2).await, there(3).await, there(4).await, there(5).await],
            [true, false, true, true, true]
        );
        for id in [3, 4] {
            assert!(store.bind_channel_session([id; 16], owner, 2).await.unwrap());
        }
        assert_eq!([there(1).await, there(3).await, there(4).await, there(5).await], [false, true, true, true]);
    }
);

on_both_databases!(
    async fn unused_sessions_beyond_the_installations_limit_end_the_oldest_of_their_source_first(opened: Opened) {
        let store = &opened.store;
        let left = async || {
            let mut left = Vec::new();
            for id in 1..=9_u8 {
                left.extend(store.channel_session([id; 16], &[]).await.unwrap().map(|_| id));
            }
            left
        };
        let add = async |id: u8, source, second, of_installation| {
            let limit = UnusedSessions { of_installation, ..PLENTY };
            store.add_channel_session(session(id, source, second), limit).await.unwrap();
        };
        for (id, source) in [(1, 1), (2, 2), (3, 1), (4, 2)] {
            add(id, source, id.into(), 4).await;
        }
        add(5, 2, 5, 4).await;
        assert_eq!(left().await, [1, 3, 4, 5]);
        // Another source has none: the oldest of all ends. The new one stays, even if its clock is behind.
        add(6, 3, 0, 4).await;
        assert_eq!(left().await, [3, 4, 5, 6]);
        add(7, 4, 7, 4).await;
        assert_eq!(left().await, [3, 4, 5, 7]);
        // With a lower limit, at most two end at once: its own first.
        add(8, 1, 8, 1).await;
        assert_eq!(left().await, [5, 7, 8]);
        add(9, 1, 9, 1).await;
        assert_eq!(left().await, [7, 9]);
    }
);

on_both_databases!(
    async fn a_nonce_is_used_once_and_counts_the_message_of_its_session(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let account = opened.account(&tenant, 1).await;
        store.add_channel_session(session(1, 1, 1), PLENTY).await.unwrap();
        store.use_nonce(&nonce(1, 1, None, 50)).await.unwrap();
        assert!(is_replay(store.use_nonce(&nonce(1, 1, None, 60)).await));
        store.use_nonce(&nonce(1, 2, None, 50)).await.unwrap();
        store.use_nonce(&nonce(2, 1, None, 50)).await.unwrap();
        let found = store.channel_session([1; 16], &[1; 12]).await.unwrap().unwrap();
        assert_eq!((found.messages, found.nonce_used), (2, true));

        for (number, second) in [(1, 30), (2, 20), (3, 10)] {
            store.use_nonce(&nonce(9, number, Some(&account), second)).await.unwrap();
        }
        let state = async |number: u8, second| {
            store.channel_nonce(&[9; 16], &[number; 12], account.id, at(second)).await.unwrap()
        };
        let first = NonceState { used: true, remembered: 3, oldest_expires_at: Some(at(10)) };
        assert_eq!(state(1, 5).await, first);
        let later = NonceState { used: false, remembered: 2, oldest_expires_at: Some(at(20)) };
        assert_eq!(state(4, 10).await, later);
        assert_eq!(state(4, 30).await, NonceState { used: false, remembered: 0, oldest_expires_at: None });

        store.forget_channels(at(20)).await.unwrap();
        assert_eq!([state(1, 0).await.used, state(2, 0).await.used, state(3, 0).await.used], [true, true, false]);
        assert!(store.channel_session([1; 16], &[1; 12]).await.unwrap().is_some());
        store.forget_channels(at(102)).await.unwrap();
        assert!(store.channel_session([1; 16], &[1; 12]).await.unwrap().is_none());
    }
);

on_both_databases!(
    async fn a_change_with_a_used_nonce_is_not_made(opened: Opened) {
        let (store, tenant) = (&opened.store, opened.tenant(1).await);
        let account = opened.account(&tenant, 1).await;
        store.add_channel_session(session(1, 1, 1), PLENTY).await.unwrap();
        let rename = |name: &'static str, others: Vec<Effect>| {
            Arc::new(move |current: &Account| {
                let named =
                    change(current, |account| account.set_text(Field::DisplayName, Some(Text::new(name).unwrap())));
                Ok(Some(Update { nonce: Some(nonce(1, 1, None, 50)), effects: others.clone(), ..named }))
            })
        };
        store.commit(account.clone(), rename("Jane", vec![])).await.unwrap();
        let now = opened.stored(&account).await;
        assert!(is_replay(store.commit(now.clone(), rename("John", vec![])).await));
        // The same applies if the account has changed meanwhile, or if the update has other effects.
        assert!(is_replay(store.commit(account.clone(), rename("John", vec![])).await));
        let adopt = vec![Effect::AdoptPicture { name: "a".to_owned(), account: account.id, at: at(2) }];
        assert!(is_replay(store.commit(now.clone(), rename("John", adopt)).await));
        assert_eq!(opened.stored(&account).await, now);
        assert_eq!(opened.entries(&account).await.len(), 2);
        let found = store.channel_session([1; 16], &[1; 12]).await.unwrap().unwrap();
        assert_eq!((found.messages, found.nonce_used), (1, true));
    }
);

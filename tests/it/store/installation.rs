//! Facts, sealed keys and signing keys.

use selfsame::keys::Purpose;
use selfsame::store::SigningKeyRecord;

use super::{Opened, at};

on_both_databases!(
    async fn the_first_callers_fact_stays(opened: Opened) {
        assert_eq!(opened.store.fact("id", "first").await.unwrap(), "first");
        assert_eq!(opened.store.fact("id", "second").await.unwrap(), "first");
        assert_eq!(opened.store.fact("other", "").await.unwrap(), "");
    }
);

on_both_databases!(
    async fn instances_that_state_a_fact_at_once_all_see_the_same_value(opened: Opened) {
        let other = opened.second().await;
        for round in 0..20 {
            let name = format!("fact {round}");
            let (ours, theirs) = tokio::join!(
                tokio::spawn({
                    let (store, name) = (opened.store.clone(), name.clone());
                    async move { store.fact(&name, "ours").await.unwrap() }
                }),
                tokio::spawn({
                    let (store, name) = (other.clone(), name.clone());
                    async move { store.fact(&name, "theirs").await.unwrap() }
                }),
            );
            assert_eq!(ours.unwrap(), theirs.unwrap());
        }
    }
);

on_both_databases!(
    async fn a_fact_that_is_set_replaces_the_one_before(opened: Opened) {
        opened.store.set_fact("token", "first").await.unwrap();
        opened.store.set_fact("token", "第二 🦀").await.unwrap();
        assert_eq!(opened.store.fact("token", "fresh").await.unwrap(), "第二 🦀");
    }
);

on_both_databases!(
    async fn a_secret_is_found_by_purpose_and_generation(opened: Opened) {
        assert_eq!(opened.store.secret(Purpose::Index, 1).await.unwrap(), None);
        let kept = opened.store.add_secret(Purpose::Index, 1, vec![0, 1, 255], at(1)).await.unwrap();
        assert_eq!(kept, [0, 1, 255]);
        assert_eq!(opened.store.secret(Purpose::Index, 1).await.unwrap(), Some(vec![0, 1, 255]));
        assert_eq!(opened.store.secret(Purpose::Index, 2).await.unwrap(), None);
        assert_eq!(opened.store.secret(Purpose::Digest, 1).await.unwrap(), None);
    }
);

on_both_databases!(
    async fn one_of_the_instances_that_make_a_secret_at_once_wins_and_all_see_it(opened: Opened) {
        let other = opened.second().await;
        for generation in 1..=20 {
            let add = |store: selfsame::store::Store, byte: u8| {
                tokio::spawn(async move {
                    store.add_secret(Purpose::History, generation, vec![byte; 32], at(1)).await.unwrap()
                })
            };
            let (ours, theirs) = tokio::join!(add(opened.store.clone(), 1), add(other.clone(), 2));
            let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
            assert_eq!(ours, theirs);
            assert!(ours == [1; 32] || ours == [2; 32]);
            assert_eq!(opened.store.secret(Purpose::History, generation).await.unwrap(), Some(ours));
        }
    }
);

pub(super) fn key(id: &str, algorithm: &str, second: i64) -> SigningKeyRecord {
    SigningKeyRecord {
        key_id: id.to_owned(),
        algorithm: algorithm.to_owned(),
        public_key: format!("{{\"kid\":\"{id}\"}}"),
        sealed: vec![0, 254, 255],
        created_at: at(second),
        retired_at: None,
    }
}

on_both_databases!(
    async fn a_new_signing_key_retires_those_of_its_algorithm_at_that_moment(opened: Opened) {
        for key in [key("b", "EdDSA", 1), key("c", "ES256", 2), key("a", "EdDSA", 3), key("d", "EdDSA", 4)] {
            opened.store.add_signing_key(key).await.unwrap();
        }
        let keys = opened.store.signing_keys().await.unwrap();
        let seen: Vec<_> = keys.iter().map(|key| (key.key_id.as_str(), key.created_at, key.retired_at)).collect();
        let expected = [("b", at(1), Some(at(3))), ("c", at(2), None), ("a", at(3), Some(at(4))), ("d", at(4), None)];
        assert_eq!(seen, expected);
        assert_eq!(keys[0].algorithm, "EdDSA");
        assert_eq!(keys[0].public_key, "{\"kid\":\"b\"}");
        assert_eq!(keys[0].sealed, [0, 254, 255]);
    }
);

on_both_databases!(
    async fn only_signing_keys_retired_before_the_moment_are_forgotten(opened: Opened) {
        for key in [key("a", "EdDSA", 1), key("b", "EdDSA", 2), key("c", "EdDSA", 3)] {
            opened.store.add_signing_key(key).await.unwrap();
        }
        let remaining = async || -> Vec<String> {
            opened.store.signing_keys().await.unwrap().into_iter().map(|key| key.key_id).collect()
        };
        opened.store.forget_signing_keys(at(2)).await.unwrap();
        assert_eq!(remaining().await, ["a", "b", "c"]);
        opened.store.forget_signing_keys(at(3)).await.unwrap();
        assert_eq!(remaining().await, ["b", "c"]);
        opened.store.forget_signing_keys(at(9)).await.unwrap();
        assert_eq!(remaining().await, ["c"]);
    }
);

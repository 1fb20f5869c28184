//! Unique constraints: a violation of one that protects a named value returns its name; any other is an internal error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame::account::{Account, ChannelFault, Error, Medium, Tenant, Unique};
use selfsame::store::{CONSTRAINTS, Effect, MakeUpdate, Update};

use super::{Opened, at, change, first, taken, tenant, unique_key};
use super::{api_keys, applications, import, installation, notices, secure_channel, sign_ins};
use crate::support::Database;

/// The unique values of an account, beside its identifier.
const OF_AN_ACCOUNT: [Unique; 5] = [Unique::Email, Unique::Phone, Unique::Username, Unique::BizId, Unique::Number];

/// The cause of an internal error.
fn internal<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Internal(cause)) => cause.to_string(),
        Err(other) => panic!("refused with {other:?} instead of Internal"),
        Ok(_) => panic!("a constraint was violated without an error"),
    }
}

/// An update that claims unique keys and changes nothing else.
fn claiming(kinds: &'static [Unique], value: u8, effects: Vec<Effect>) -> MakeUpdate {
    Arc::new(move |current| {
        let claim = kinds.iter().map(|kind| unique_key(*kind, value)).collect();
        Ok(Some(Update { claim, effects: effects.clone(), ..change(current, |_| {}) }))
    })
}

on_both_databases!(
    async fn a_taken_unique_key_is_named_whichever_way_it_is_written(opened: Opened) {
        let (store, owned) = (&opened.store, opened.tenant(1).await);
        let owner = opened.account(&owned, 1).await;
        store.commit(owner, claiming(&OF_AN_ACCOUNT, 1, vec![])).await.unwrap();
        let stale = opened.account(&owned, 2).await;
        let now = store.commit(stale.clone(), claiming(&[], 0, vec![])).await.unwrap().account;
        let adopt = || vec![Effect::AdoptPicture { name: "a".to_owned(), account: stale.id, at: at(1) }];
        for kind in OF_AN_ACCOUNT {
            let alone: &'static [Unique] = match kind {
                Unique::Email => &[Unique::Email],
                Unique::Phone => &[Unique::Phone],
                Unique::Username => &[Unique::Username],
                Unique::BizId => &[Unique::BizId],
                _ => &[Unique::Number],
            };
            let mut added = first(&owned, 3);
            // The taken key is among others that are free.
            added.claim = OF_AN_ACCOUNT.map(|other| unique_key(other, if other == kind { 1 } else { 9 })).to_vec();
            assert_eq!(taken(store.add_account(&added, None).await), kind);
            for account in [&now, &stale] {
                assert_eq!(taken(store.commit(account.clone(), claiming(alone, 1, vec![])).await), kind);
                assert_eq!(taken(store.commit(account.clone(), claiming(alone, 1, adopt())).await), kind);
                let claim = added.claim.clone();
                let among_others: MakeUpdate =
                    Arc::new(move |current| Ok(Some(Update { claim: claim.clone(), ..change(current, |_| {}) })));
                assert_eq!(taken(store.commit(account.clone(), among_others).await), kind);
            }
        }
        assert_eq!(opened.stored(&stale).await, now);
        assert!(store.account(first(&owned, 3).account.id).await.unwrap().is_none());
    }
);

on_both_databases!(
    async fn every_unique_value_is_named_when_it_is_taken(opened: Opened) {
        let (store, owned) = (&opened.store, opened.tenant(1).await);
        let account = opened.account(&owned, 1).await;
        let mut named = BTreeSet::from(OF_AN_ACCOUNT);

        let again = Account { version: 0, number: 2, ..account.clone() };
        named.insert(taken(store.add_account(&change(&again, |_| {}), None).await));
        store.link(account.id, &import::link("a", 1), at(1)).await.unwrap();
        named.insert(taken(store.link(account.id, &import::link("a", 1), at(2)).await));
        assert_eq!(taken(store.add_account(&first(&owned, 2), Some(&import::link("a", 1))).await), Unique::Identity);

        let mut other = tenant(2);
        other.name.clone_from(&owned.name);
        named.insert(taken(store.add_tenant(&other).await));
        other.name = "other".to_owned();
        other.biz_id.clone_from(&owned.biz_id);
        named.insert(taken(store.add_tenant(&other).await));

        let mut shop = applications::application(&owned, "shop");
        store.add_application(&shop).await.unwrap();
        named.insert(taken(store.add_application(&shop).await));
        shop.origins = vec!["https://a.example".to_owned(); 2];
        named.insert(taken(store.set_application(&shop).await));
        shop.id = "other".to_owned();
        assert_eq!(taken(store.add_application(&shop).await), Unique::ApplicationOrigin);

        let nonce = secure_channel::nonce(1, 1, None, 50);
        store.use_nonce(&nonce).await.unwrap();
        let replayed = store.use_nonce(&nonce).await;
        assert!(matches!(replayed, Err(Error::Channel(ChannelFault::Payload))), "{replayed:?}");
        named.insert(Unique::Nonce);

        assert_eq!(named, BTreeSet::from(Unique::ALL));
    }
);

on_both_databases!(
    async fn a_violation_that_is_not_of_a_unique_key_is_an_internal_error_with_its_cause(opened: Opened) {
        let (store, owned) = (&opened.store, opened.tenant(1).await);
        let mut account = opened.account(&owned, 1).await;
        assert!(internal(store.add_tenant(&Tenant { id: owned.id, ..tenant(2) }).await).contains("tenant"));

        let mut key = api_keys::key(&owned, 1, None);
        store.add_api_key(&key).await.unwrap();
        assert!(internal(store.add_api_key(&key).await).contains("api_key"));
        key.hash = [2; 32];
        assert!(internal(store.add_api_key(&key).await).contains("api_key"));

        let signing_key = installation::key("a", "EdDSA", 1);
        store.add_signing_key(signing_key.clone()).await.unwrap();
        assert!(internal(store.add_signing_key(signing_key).await).contains("signing_key"));
        let channel_key = secure_channel::key("a", "rsa", 1);
        store.add_channel_key(channel_key.clone()).await.unwrap();
        assert!(internal(store.add_channel_key(channel_key).await).contains("channel_key"));
        store.add_channel_session(secure_channel::session(1, 1, 1), secure_channel::PLENTY).await.unwrap();
        assert!(
            internal(store.add_channel_session(secure_channel::session(1, 1, 1), secure_channel::PLENTY).await)
                .contains("channel_session")
        );

        let sign_in = sign_ins::sign_in(&account);
        store.begin_sign_in(&sign_in, &sign_ins::token(1)).await.unwrap();
        assert!(internal(store.begin_sign_in(&sign_in, &sign_ins::token(2)).await).contains("sign_in"));
        store.add_pending_picture(account.id, "a", at(1)).await.unwrap();
        assert!(internal(store.add_pending_picture(account.id, "a", at(1)).await).contains("stored_picture"));

        let notify = vec![notices::notify(notices::notice(1, Medium::Email), 10)];
        account = store.commit(account, claiming(&[], 0, notify.clone())).await.unwrap().account;
        // With a claim in the same update: the violation does not concern the claimed key.
        let told_again = store.commit(account.clone(), claiming(&[Unique::Email], 1, notify)).await;
        assert!(internal(told_again).contains("notice"));
        // The history already contains the entry of this sequence number.
        let ahead: MakeUpdate = Arc::new(|current| {
            let mut update = change(current, |_| {});
            update.claim = vec![unique_key(Unique::Email, 1)];
            update.entry.metadata.sequence = 1;
            Ok(Some(update))
        });
        assert!(internal(store.commit(account.clone(), ahead).await).contains("history"));
        assert_eq!(opened.stored(&account).await, account);
        assert_eq!(store.owner_of(owned.id, &unique_key(Unique::Email, 1)).await.unwrap(), None);
    }
);

/// Constraints whose violation is an error of the program or of the data, by their columns as SQLite reports them. The
/// values that they protect are drawn at random, counted under a lock, or written only if absent.
const INTERNAL: [&str; 21] = [
    "api_key.hash",
    "api_key.id",
    "attribute_schema.tenant_id",
    "channel_key.key_id",
    "channel_session.id",
    "client_binding.account_id, client_binding.session",
    "counter.name",
    "history.account_id, history.sequence",
    "installation.name",
    "notice.id",
    "one_time_code.slot",
    "refresh_token.hash",
    "revoked_token.account_id, revoked_token.token",
    "secret.purpose, secret.generation",
    "sent_code.recipient",
    "sign_in.id",
    "signing_key.key_id",
    "stored_picture.account_id, stored_picture.name",
    "tenant.id",
    "token_horizon.account_id",
    "used_code.slot",
];

on_both_databases!(
    async fn every_unique_constraint_of_the_database_is_known(opened: Opened) {
        let database = &opened.database;
        let mut known: BTreeMap<String, &str> =
            CONSTRAINTS.iter().map(|one| (one.sqlite.to_owned(), one.postgres)).collect();
        for columns in INTERNAL {
            assert_eq!(known.insert(columns.to_owned(), ""), None, "{columns} is listed twice");
        }
        let live = constraints(database).await;
        let columns = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(
            columns(&live),
            known.keys().cloned().collect(),
            "what a unique constraint protects is decided nowhere"
        );
        for constraint in CONSTRAINTS.iter().filter(|_| !database.url().starts_with("sqlite:")) {
            assert_eq!(live[constraint.sqlite], format!("{} {}", constraint.table, constraint.postgres));
        }
    }
);

/// Every unique constraint of a database: maps its columns, as SQLite reports them, to its table and name.
async fn constraints(database: &Database) -> BTreeMap<String, String> {
    let list = match database.url().starts_with("sqlite:") {
        true => {
            "SELECT group_concat(m.name || '.' || i.name, ', ') || '|' || m.name || ' ' || l.name FROM sqlite_schema m \
             JOIN pragma_index_list(m.name) l ON l.\"unique\" JOIN pragma_index_info(l.name) i \
             WHERE m.type = 'table' AND m.name <> 'refinery_schema_history' GROUP BY m.name, l.name"
        }
        false => {
            "SELECT string_agg(c.relname || '.' || a.attname, ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) \
             || '|' || c.relname || ' ' || n.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
             JOIN pg_class n ON n.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) \
             JOIN pg_namespace s ON s.oid = c.relnamespace WHERE i.indisunique AND s.nspname = 'public' \
             AND c.relname <> 'refinery_schema_history' GROUP BY c.relname, n.relname"
        }
    };
    let rows = database.rows(list).await;
    rows.iter()
        .map(|row| row.split_once('|').unwrap())
        .map(|(columns, name)| (columns.to_owned(), name.to_owned()))
        .collect()
}

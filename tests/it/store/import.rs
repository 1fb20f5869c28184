//! Imports of accounts and of whole installations: many rows at once, all or none.

use selfsame::account::Unique;
use selfsame::store::{Conflict, CopyError, DevCredentials, Identity, ImportedAccount, Link};

use super::api_keys::key;
use super::{Opened, at, first, unique_key};
use crate::support::Database;
use crate::support::OnDatabase;

pub(super) fn link(subject: &str, key: u8) -> Link {
    let identity = Identity { issuer: "https://id.example".to_owned(), subject: subject.to_owned() };
    Link { identity, key: [key; 32] }
}

on_both_databases!(
    async fn accounts_are_imported_all_or_none_with_their_unique_keys_and_identities(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let mut one = ImportedAccount { update: first(&tenant, 1), links: vec![link("one", 1)] };
        one.update.claim.push(unique_key(Unique::Email, 1));
        let two = ImportedAccount { update: first(&tenant, 2), links: vec![] };
        assert!(opened.store.add_accounts(&[&one, &two]).await.unwrap());

        let (first_id, second_id) = (one.update.account.id, two.update.account.id);
        let mut found = opened.store.accounts_with(&[first_id, second_id]).await.unwrap();
        found.sort_by_key(|account| account.number);
        assert_eq!(found, [one.update.account.clone(), two.update.account.clone()]);
        let identities = opened.store.identities_of(&[first_id, second_id]).await.unwrap();
        assert_eq!(identities, [(first_id, one.links[0].identity.clone())]);
        assert_eq!(opened.store.owner_of(tenant.id, &unique_key(Unique::Email, 1)).await.unwrap(), Some(first_id));
        assert_eq!(opened.store.history(first_id, 0, 10).await.unwrap().len(), 1);

        let three = ImportedAccount { update: first(&tenant, 3), links: vec![] };
        let mut late = ImportedAccount { update: first(&tenant, 4), links: vec![] };
        late.update.claim.push(unique_key(Unique::Email, 1));
        assert!(!opened.store.add_accounts(&[&three, &late]).await.unwrap());
        assert_eq!(opened.store.accounts_with(&[three.update.account.id]).await.unwrap(), []);
        let conflicts = opened.store.conflicts(&[&three, &late]).await.unwrap();
        assert_eq!(conflicts, [Conflict { position: 1, what: "email", owner: first_id }]);
    }
);

on_both_databases!(
    async fn numbers_are_drawn_in_blocks_above_every_imported_number(opened: Opened) {
        let tenant = opened.tenant(1).await;
        assert_eq!(opened.store.draw_account_numbers(10).await.unwrap(), 10);
        assert_eq!(opened.store.draw_account_numbers(5).await.unwrap(), 15);
        let imported_account = ImportedAccount { update: first(&tenant, 40), links: vec![] };
        assert!(opened.store.add_accounts(&[&imported_account]).await.unwrap());
        assert_eq!(opened.store.next_account_number().await.unwrap(), 41);
    }
);

on_both_databases!(
    async fn an_account_of_another_tenant_is_not_found(opened: Opened) {
        let (tenant, other) = (opened.tenant(1).await, opened.tenant(2).await);
        let account = opened.account(&tenant, 1).await;
        assert_eq!(opened.store.account_of(tenant.id, account.id).await.unwrap(), Some(account.clone()));
        assert_eq!(opened.store.account_of(other.id, account.id).await.unwrap(), None);
    }
);

on_both_databases!(
    async fn a_revoked_token_is_known_without_its_account(opened: Opened) {
        assert!(!opened.store.is_revoked(None, [1; 32]).await.unwrap());
        opened.store.revoke_token(None, [1; 32], at(50)).await.unwrap();
        assert!(opened.store.is_revoked(None, [1; 32]).await.unwrap());
        assert!(!opened.store.is_revoked(None, [2; 32]).await.unwrap());
    }
);

on_both_databases!(
    async fn an_installation_is_copied_whole_and_only_into_an_empty_database(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let account = opened.account(&tenant, 1).await;
        let target = Opened::start(Database::sqlite()).await;
        let copied = opened.store.copy_to(&target.store, &DevCredentials::default(), &mut |_| {}).await.unwrap();
        let rows = |table: &str| copied.iter().find(|copied| copied.table == table).unwrap().rows;
        assert_eq!([rows("tenant"), rows("account"), rows("history"), rows("identity")], [1, 1, 1, 0]);
        assert_eq!(target.stored(&account).await, account);
        assert_eq!(target.entries(&account).await.len(), 1);
        let again = opened.store.copy_to(&target.store, &DevCredentials::default(), &mut |_| {}).await;
        assert!(matches!(again, Err(CopyError::NotEmpty(_))));
    }
);

on_both_databases!(
    async fn credentials_of_dev_are_ended_only_in_the_copy(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (demo, other) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        for (number, account) in [(1, demo.id), (2, other.id)] {
            opened.store.add_api_key(&key(&tenant, number, Some(account))).await.unwrap();
        }
        for (name, value) in [("made_by", "dev"), ("dev.token.system", "id"), ("device", "kept")] {
            opened.store.set_fact(name, value).await.unwrap();
        }
        let dev = DevCredentials {
            account: Some(demo.id),
            application: None,
            tokens: vec![([3; 32], at(90))],
            ended_at: at(10),
        };
        let before = opened.database.all_rows().await;
        let target = Opened::start(Database::sqlite()).await;
        opened.store.copy_to(&target.store, &dev, &mut |_| {}).await.unwrap();
        assert_eq!(opened.database.all_rows().await, before);
        let ends = async |opened: &Opened| -> Vec<Option<jiff::Timestamp>> {
            opened.store.api_keys(tenant.id).await.unwrap().iter().map(|key| key.revoked_at).collect()
        };
        assert_eq!((ends(&opened).await, ends(&target).await), (vec![None, None], vec![Some(at(10)), None]));
        assert!(target.store.is_revoked(Some(demo.id), [3; 32]).await.unwrap());
        // The `iat` of a token may be one second later than the second in which it was issued.
        assert_eq!(target.store.tokens_not_before(demo.id).await.unwrap(), Some(at(12)));
        assert_eq!(target.store.tokens_not_before(other.id).await.unwrap(), None);
        for (name, left) in [("made_by", None), ("dev.token.system", None), ("device", Some("kept".to_owned()))] {
            assert_eq!(target.store.find_fact(name).await.unwrap(), left);
        }
    }
);

//! API keys: found by hash within their tenant, ended, and with their last use recorded.

use selfsame::account::{Account, AccountId, Tenant};
use selfsame::store::ApiKey;
use uuid::Uuid;

use super::{Opened, at};

pub(super) fn key(tenant: &Tenant, number: u8, account_id: Option<AccountId>) -> ApiKey {
    ApiKey {
        hash: [number; 32],
        id: Uuid::from_u128(number.into()),
        tenant_id: tenant.id,
        account_id,
        name: format!("key {number}"),
        created_at: at(1),
        expires_at: Some(at(100)),
        revoked_at: None,
        last_used_at: None,
    }
}

on_both_databases!(
    async fn a_key_is_found_by_its_hash_and_only_in_its_own_tenant(opened: Opened) {
        let (tenant, other) = (opened.tenant(1).await, opened.tenant(2).await);
        let (account, neighbour) = (opened.account(&tenant, 1).await, opened.account(&tenant, 2).await);
        let elsewhere = opened.account(&other, 3).await;
        let (bound, wide) = (key(&tenant, 1, Some(account.id)), key(&tenant, 2, None));
        opened.store.add_api_key(&bound).await.unwrap();
        opened.store.add_api_key(&wide).await.unwrap();

        let presented = async |tenant: &Tenant, hash, account: Option<&Account>| {
            let id = account.map(|account| account.id);
            opened.store.presented(&tenant.name, hash, id).await.unwrap().unwrap()
        };
        let (own, neighbour) = (Some(&account), Some(&neighbour));
        assert_eq!(presented(&tenant, [1; 32], own).await.key, Some((bound.clone(), own.cloned())));
        assert_eq!(presented(&tenant, [1; 32], neighbour).await.key, Some((bound.clone(), None)));
        assert_eq!(presented(&tenant, [1; 32], None).await.key, Some((bound.clone(), None)));
        assert_eq!(presented(&tenant, [2; 32], own).await.key, Some((wide.clone(), own.cloned())));
        assert_eq!(presented(&tenant, [2; 32], neighbour).await.key, Some((wide.clone(), neighbour.cloned())));
        assert_eq!(presented(&tenant, [2; 32], Some(&elsewhere)).await.key, Some((wide.clone(), None)));
        assert_eq!(presented(&tenant, [2; 32], None).await.key, Some((wide.clone(), None)));
        assert_eq!(presented(&tenant, [3; 32], own).await.key, None);
        assert_eq!(presented(&other, [1; 32], own).await.key, None);
        assert_eq!(presented(&other, [1; 32], own).await.tenant, other);
        assert!(opened.store.presented("nobody's", [1; 32], own.map(|own| own.id)).await.unwrap().is_none());
        assert_eq!(opened.store.api_keys(tenant.id).await.unwrap(), [bound, wide]);
        assert_eq!(opened.store.api_keys(other.id).await.unwrap(), []);
    }
);

on_both_databases!(
    async fn a_key_bound_to_an_account_that_is_gone_finds_no_account(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let bound = key(&tenant, 1, Some(AccountId(Uuid::from_u128(404))));
        opened.store.add_api_key(&bound).await.unwrap();
        let presented = opened.store.presented(&tenant.name, [1; 32], bound.account_id).await.unwrap().unwrap();
        assert_eq!(presented.key, Some((bound, None)));
    }
);

on_both_databases!(
    async fn a_key_is_revoked_once(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let key = key(&tenant, 1, None);
        opened.store.add_api_key(&key).await.unwrap();
        assert!(opened.store.revoke_api_key(key.id, at(7)).await.unwrap());
        assert!(!opened.store.revoke_api_key(key.id, at(8)).await.unwrap());
        assert!(!opened.store.revoke_api_key(Uuid::from_u128(404), at(8)).await.unwrap());
        assert_eq!(opened.store.api_keys(tenant.id).await.unwrap()[0].revoked_at, Some(at(7)));
    }
);

on_both_databases!(
    async fn the_last_use_of_a_key_never_goes_back(opened: Opened) {
        let tenant = opened.tenant(1).await;
        opened.store.add_api_key(&key(&tenant, 1, None)).await.unwrap();
        opened.store.add_api_key(&key(&tenant, 2, None)).await.unwrap();
        opened.store.used_api_keys(&[([1; 32], at(9)), ([2; 32], at(5))]).await.unwrap();
        opened.store.used_api_keys(&[([1; 32], at(8)), ([2; 32], at(6))]).await.unwrap();
        let used: Vec<_> = opened.store.api_keys(tenant.id).await.unwrap().iter().map(|key| key.last_used_at).collect();
        assert_eq!(used, [Some(at(9)), Some(at(6))]);
    }
);

use selfsame::account::{Portal, Tenant, TenantId, TenantStatus, Unique};
use uuid::Uuid;

use super::{Opened, at, taken, tenant};

on_both_databases!(
    async fn a_tenant_is_found_by_name_and_by_identifier_as_it_was_added(opened: Opened) {
        let added = Tenant {
            name: "Käse & 起司 🧀".to_owned(),
            status: TenantStatus::Inactive,
            valid_until: Some(at(9)),
            portal: Portal::Consumer,
            ..tenant(1)
        };
        opened.store.add_tenant(&added).await.unwrap();
        assert_eq!(opened.store.tenant(added.id).await.unwrap().as_ref(), Some(&added));
        assert_eq!(opened.store.tenant_by_name(&added.name).await.unwrap().as_ref(), Some(&added));
        assert_eq!(opened.store.tenant_by_name("käse").await.unwrap(), None);
        assert_eq!(opened.store.tenant(TenantId(Uuid::from_u128(2))).await.unwrap(), None);
    }
);

on_both_databases!(
    async fn a_tenants_name_and_business_identifier_are_unique(opened: Opened) {
        let first = opened.tenant(1).await;
        let same_name = Tenant { name: first.name.clone(), ..tenant(2) };
        assert_eq!(taken(opened.store.add_tenant(&same_name).await), Unique::TenantName);
        let same_biz_id = Tenant { biz_id: first.biz_id.clone(), ..tenant(2) };
        assert_eq!(taken(opened.store.add_tenant(&same_biz_id).await), Unique::TenantBizId);
        assert_eq!(opened.store.tenants().await.unwrap(), [first]);
    }
);

on_both_databases!(
    async fn setting_a_tenant_replaces_the_whole_row(opened: Opened) {
        let (first, second) = (opened.tenant(1).await, opened.tenant(2).await);
        let changed = Tenant {
            name: "renamed".to_owned(),
            biz_id: "another".to_owned(),
            status: TenantStatus::Inactive,
            valid_until: Some(at(9)),
            portal: Portal::Partner,
            updated_at: at(8),
            ..first
        };
        opened.store.set_tenant(&changed).await.unwrap();
        assert_eq!(opened.store.tenants().await.unwrap(), [changed.clone(), second.clone()]);

        let to_the_seconds_name = Tenant { name: second.name.clone(), ..changed.clone() };
        assert_eq!(taken(opened.store.set_tenant(&to_the_seconds_name).await), Unique::TenantName);
        let to_the_seconds_biz_id = Tenant { biz_id: second.biz_id.clone(), ..changed.clone() };
        assert_eq!(taken(opened.store.set_tenant(&to_the_seconds_biz_id).await), Unique::TenantBizId);
        assert_eq!(opened.store.tenants().await.unwrap(), [changed, second]);
    }
);

on_both_databases!(
    async fn tenants_are_listed_by_number(opened: Opened) {
        for number in [3, 1, 2] {
            opened.tenant(number).await;
        }
        let numbers: Vec<i64> = opened.store.tenants().await.unwrap().iter().map(|tenant| tenant.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
);

on_both_databases!(
    async fn no_number_is_drawn_twice_by_any_instance(opened: Opened) {
        let other = opened.second().await;
        let draws: Vec<_> = (0..20)
            .map(|draw| {
                let store = if draw % 2 == 0 { opened.store.clone() } else { other.clone() };
                tokio::spawn(async move { store.next_account_number().await.unwrap() })
            })
            .collect();
        let mut drawn = Vec::new();
        for draw in draws {
            drawn.push(draw.await.unwrap());
        }
        drawn.sort();
        assert_eq!(drawn, Vec::from_iter(1..=20));
        assert_eq!(opened.store.next_tenant_number().await.unwrap(), 1);
        assert_eq!(opened.store.next_tenant_number().await.unwrap(), 2);
    }
);

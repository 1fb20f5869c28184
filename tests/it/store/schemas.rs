use super::{Opened, at};

on_both_databases!(
    async fn a_schema_is_its_tenants_and_every_one_has_a_version_of_its_own(opened: Opened) {
        let (tenant, other) = (opened.tenant(1).await, opened.tenant(2).await);
        assert_eq!(opened.store.attribute_schema(tenant.id).await.unwrap(), None);
        assert_eq!(opened.store.tenant(tenant.id).await.unwrap().unwrap().schema, None);
        let set = async |document| opened.store.set_attribute_schema(tenant.id, document, at(3)).await.unwrap();
        assert_eq!(set(Some("{}")).await, 1);
        assert_eq!(set(Some(r#"{"title":"起司"}"#)).await, 2);
        let kept = opened.store.attribute_schema(tenant.id).await.unwrap();
        assert_eq!(kept, Some((2, r#"{"title":"起司"}"#.to_owned())));
        assert_eq!(opened.store.tenant_by_name(&tenant.name).await.unwrap().unwrap().schema, Some(2));
        assert_eq!(opened.store.attribute_schema(other.id).await.unwrap(), None);
    }
);

on_both_databases!(
    async fn a_schema_that_was_taken_away_leaves_its_version_behind(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let set = async |document| opened.store.set_attribute_schema(tenant.id, document, at(3)).await.unwrap();
        set(Some("{}")).await;
        set(None).await;
        assert_eq!(opened.store.attribute_schema(tenant.id).await.unwrap(), None);
        assert_eq!(opened.store.tenant(tenant.id).await.unwrap().unwrap().schema, None);
        assert_eq!(set(Some("{}")).await, 3);
        // What an operator changes of the tenant leaves its schema alone.
        opened.store.set_tenant(&tenant).await.unwrap();
        assert_eq!(opened.store.tenant(tenant.id).await.unwrap().unwrap().schema, Some(3));
    }
);

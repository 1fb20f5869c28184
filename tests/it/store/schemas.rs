use super::{Opened, at};

on_both_databases!(
    async fn a_schema_belongs_to_its_tenant_and_every_schema_has_a_new_version(opened: Opened) {
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
    async fn the_version_of_a_removed_schema_is_not_used_again(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let set = async |document| opened.store.set_attribute_schema(tenant.id, document, at(3)).await.unwrap();
        set(Some("{}")).await;
        set(None).await;
        assert_eq!(opened.store.attribute_schema(tenant.id).await.unwrap(), None);
        assert_eq!(opened.store.tenant(tenant.id).await.unwrap().unwrap().schema, None);
        assert_eq!(set(Some("{}")).await, 3);
        // A change of the tenant by an operator keeps its schema.
        opened.store.set_tenant(&tenant).await.unwrap();
        assert_eq!(opened.store.tenant(tenant.id).await.unwrap().unwrap().schema, Some(3));
    }
);

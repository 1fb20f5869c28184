//! Applications: found by identifier together with their tenant, and deleted together with their sign-ins.

use selfsame::account::{Application, GrantType, Kind, Tenant, Unique};
use selfsame::store::{RefreshToken, SignIn};
use uuid::Uuid;

use super::{Opened, at, taken};

pub(super) fn application(tenant: &Tenant, id: &str) -> Application {
    Application {
        id: id.to_owned(),
        tenant_id: tenant.id,
        name: "Shop".to_owned(),
        kind: Kind::M2m,
        grants: vec![GrantType::Email, GrantType::ClientCredentials],
        claims: vec!["email".to_owned(), "an attribute".to_owned()],
        writes: None,
        origins: Vec::new(),
        auto_signup: true,
        token_lifetime: 600,
        secret_hash: Some([7; 32]),
        created_at: at(1),
        updated_at: at(2),
    }
}

on_both_databases!(
    async fn an_application_comes_back_as_it_was_added_with_its_tenant(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (shop, mut spa) = (application(&tenant, "shop"), application(&tenant, "spa"));
        (spa.kind, spa.secret_hash, spa.claims, spa.created_at) = (Kind::Spa, None, Vec::new(), at(3));
        opened.store.add_application(&shop).await.unwrap();
        opened.store.add_application(&spa).await.unwrap();
        assert_eq!(opened.store.application("shop").await.unwrap(), Some((shop.clone(), tenant.clone())));
        assert_eq!(opened.store.applications(tenant.id).await.unwrap(), [shop.clone(), spa]);
        assert_eq!(opened.store.applications(opened.tenant(2).await.id).await.unwrap(), []);
        assert_eq!(opened.store.application("SHOP").await.unwrap(), None);
        assert_eq!(taken(opened.store.add_application(&shop).await), Unique::ClientId);
    }
);

on_both_databases!(
    async fn origins_are_known_until_they_are_replaced(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let (mut shop, mut other) = (application(&tenant, "shop"), application(&tenant, "other"));
        shop.origins = vec!["https://b.example".to_owned(), "https://a.example".to_owned()];
        other.origins = vec!["https://a.example".to_owned()];
        opened.store.add_application(&shop).await.unwrap();
        opened.store.add_application(&other).await.unwrap();
        let known = async |origin: &str| opened.store.is_application_origin(origin).await.unwrap();
        assert_eq!(opened.store.application_origins("shop").await.unwrap(), ["https://a.example", "https://b.example"]);
        assert!(
            known("https://a.example").await && known("https://b.example").await && !known("https://c.example").await
        );
        (shop.origins, shop.name) = (vec!["https://c.example".to_owned()], "Market".to_owned());
        opened.store.set_application(&shop).await.unwrap();
        assert!(
            known("https://a.example").await && !known("https://b.example").await && known("https://c.example").await
        );
        assert_eq!(opened.store.application("shop").await.unwrap().unwrap().0.name, "Market");
    }
);

on_both_databases!(
    async fn deleting_an_application_deletes_its_sign_ins_and_no_others(opened: Opened) {
        let tenant = opened.tenant(1).await;
        let account = opened.account(&tenant, 1).await;
        for (number, id) in [(1, "shop"), (2, "other")] {
            opened.store.add_application(&application(&tenant, id)).await.unwrap();
            let sign_in = SignIn {
                id: Uuid::from_u128(number),
                account_id: account.id,
                application_id: id.to_owned(),
                started_at: at(1),
                ended_at: None,
            };
            let hash = [number as u8; 32];
            let token =
                RefreshToken { hash, issued_at: at(1), expires_at: at(9), access_token: hash, access_ends_at: at(5) };
            opened.store.begin_sign_in(&sign_in, &token).await.unwrap();
        }
        assert!(opened.store.delete_application("shop").await.unwrap());
        assert!(!opened.store.delete_application("shop").await.unwrap());
        assert_eq!(opened.store.refresh_token([1; 32]).await.unwrap(), None);
        assert!(opened.store.refresh_token([2; 32]).await.unwrap().is_some());
        assert_eq!(opened.store.sign_ins(account.id, at(2)).await.unwrap(), 1);
        assert!(opened.store.is_revoked(Some(account.id), [1; 32]).await.unwrap());
        assert!(!opened.store.is_revoked(Some(account.id), [2; 32]).await.unwrap());
    }
);

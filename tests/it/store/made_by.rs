//! Which command made a database.

use selfsame::store::{Store, place};

use super::Opened;
use crate::support::{Database, config};

impl Opened {
    async fn admits_dev(&self) -> bool {
        Store::admits_dev(&self.config.database(), &self.config.database).await.unwrap()
    }
}

on_both_databases!(
    async fn a_database_without_tables_admits_dev_and_is_not_changed(database: Database) {
        let data = tempfile::tempdir().unwrap();
        let config = config(&database, &data, &[]);
        assert!(Store::admits_dev(&config.database(), &config.database).await.unwrap());
        match database.url().strip_prefix("sqlite:") {
            Some(file) => assert!(!std::path::Path::new(file).exists()),
            None => {
                let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
                assert_eq!(database.rows(tables).await, ["0"]);
            }
        }
    }
);

on_both_databases!(
    async fn a_claim_is_one_fact_and_stays(opened: Opened) {
        assert!(opened.admits_dev().await);
        assert!(!opened.store.has_dev_credentials().await.unwrap());
        assert_eq!(opened.store.find_fact("made_by").await.unwrap(), None);
        assert!(opened.store.claim_for_dev().await.unwrap());
        opened.tenant(1).await;
        assert!(opened.store.claim_for_dev().await.unwrap());
        assert!(opened.admits_dev().await);
        assert!(opened.store.has_dev_credentials().await.unwrap());
        assert_eq!(opened.store.find_fact("made_by").await.unwrap().as_deref(), Some("dev"));
    }
);

on_both_databases!(
    async fn a_tenant_that_came_after_the_question_is_seen_by_the_claim(opened: Opened) {
        assert!(opened.admits_dev().await);
        opened.tenant(1).await;
        assert!(!opened.store.claim_for_dev().await.unwrap());
        assert!(!opened.admits_dev().await);
        assert_eq!(opened.store.find_fact("made_by").await.unwrap(), None);
    }
);

on_both_databases!(
    async fn an_older_database_of_dev_is_claimed_while_its_tenant_is_alone(opened: Opened) {
        let mut tenant = opened.tenant(1).await;
        tenant.name = "demo".to_owned();
        opened.store.set_tenant(&tenant).await.unwrap();
        assert!(!opened.admits_dev().await, "a tenant of that name alone admitted dev");
        opened.store.set_fact("dev.account", "id").await.unwrap();
        assert!(opened.admits_dev().await);
        assert!(opened.store.has_dev_credentials().await.unwrap());
        opened.tenant(2).await;
        assert!(!opened.admits_dev().await && !opened.store.claim_for_dev().await.unwrap());
    }
);

on_both_databases!(
    async fn instances_that_claim_at_once_all_succeed(opened: Opened) {
        let other = opened.second().await;
        let claim = |store: Store| tokio::spawn(async move { store.claim_for_dev().await.unwrap() });
        let (ours, theirs) = tokio::join!(claim(opened.store.clone()), claim(other));
        assert!(ours.unwrap() && theirs.unwrap());
    }
);

on_both_databases!(
    async fn a_database_is_named_without_secrets(opened: Opened) {
        let named = place(&opened.config.database());
        assert!(named.starts_with("postgres://") && !named.contains('@') || named.ends_with(".sqlite3"), "{named}");
    }
);

//! The lifetime of keys, and what is stored of them.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use selfsame::account::{CredentialFault, Error};
use selfsame::identity::api_key;

use super::{JOHN, john};
use crate::support::{BackEnd, Server};

impl BackEnd<'_> {
    /// The headers with the credentials.
    fn credentials(&self) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        let headers = [("tenant", value(&self.tenant)), ("x-api-key", value(&self.secret))];
        headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value)).collect()
    }

    /// The time of the key's last use, as operators see it.
    async fn last_used(&self, server: &Server) -> Option<Timestamp> {
        let keys = server.app.store().api_keys(self.key.tenant_id).await.unwrap();
        keys.into_iter().find(|key| key.id == self.key.id).unwrap().last_used_at
    }
}

on_both_databases!(
    async fn a_key_revoked_by_one_instance_is_refused_by_another(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let other = server.other_instance().await;
        assert!(other.authenticator().api_key(&back_end.credentials(), None).await.is_ok());
        assert_eq!(back_end.get(JOHN).await.status, 200);

        assert!(other.store().revoke_api_key(back_end.key.id, other.now()).await.unwrap());
        assert_eq!(back_end.get(JOHN).await.status, 401);
        let refused = other.authenticator().api_key(&back_end.credentials(), None).await.err();
        assert!(matches!(refused, Some(Error::Credentials(CredentialFault::Invalid))), "{refused:?}");

        // The same with a key that the other instance has already seen.
        let back_end = server.back_end(&server.tenant, None).await;
        assert!(other.authenticator().api_key(&back_end.credentials(), None).await.is_ok());
        back_end.revoke().await;
        assert!(other.authenticator().api_key(&back_end.credentials(), None).await.is_err());
    }
);

on_both_databases!(
    async fn a_key_is_valid_until_it_expires(server: Server) {
        john(&server).await;
        let end = server.app.now() + Duration::from_secs(60);
        let back_end = server.back_end_until(&server.tenant, None, Some(end)).await;
        server.pass(Duration::from_micros(59_999_999));
        assert_eq!(back_end.get(JOHN).await.status, 200);
        server.pass(Duration::from_micros(1));
        assert_eq!(back_end.get(JOHN).await.status, 401);
    }
);

on_both_databases!(
    async fn the_last_use_is_written_later_and_once_for_many_requests(server: Server) {
        john(&server).await;
        let (used, unused) = (server.back_end(&server.tenant, None).await, server.back_end(&server.tenant, None).await);
        for _ in 0..20 {
            server.pass(Duration::from_secs(1));
            assert_eq!(used.get(JOHN).await.status, 200);
        }
        assert_eq!(used.last_used(&server).await, None);
        let last = server.app.now();
        server.pass(Duration::from_secs(30));
        server.app.authenticator().key_uses().write_down().await.unwrap();
        assert_eq!(used.last_used(&server).await, Some(last));
        assert_eq!(unused.last_used(&server).await, None);
    }
);

on_both_databases!(
    async fn the_time_of_the_last_use_never_decreases(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let later = server.app.now() + Duration::from_secs(60);
        server.app.store().used_api_keys(&[(back_end.key.hash, later)]).await.unwrap();
        assert_eq!(back_end.get(JOHN).await.status, 200);
        server.app.authenticator().key_uses().write_down().await.unwrap();
        assert_eq!(back_end.last_used(&server).await, Some(later));
    }
);

on_both_databases!(
    async fn a_refused_key_is_not_recorded_as_used(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        back_end.revoke().await;
        assert_eq!(back_end.get(JOHN).await.status, 401);
        server.app.authenticator().key_uses().write_down().await.unwrap();
        assert_eq!(back_end.last_used(&server).await, None);
    }
);

on_both_databases!(
    async fn a_last_use_that_could_not_be_written_is_written_the_next_time(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        assert_eq!(back_end.get(JOHN).await.status, 200);
        let used = server.app.now();
        server.database().execute("ALTER TABLE api_key RENAME TO api_key_away").await;
        assert!(server.app.authenticator().key_uses().write_down().await.is_err());
        server.database().execute("ALTER TABLE api_key_away RENAME TO api_key").await;
        server.app.authenticator().key_uses().write_down().await.unwrap();
        assert_eq!(back_end.last_used(&server).await, Some(used));
    }
);

on_both_databases!(
    async fn a_secret_is_stored_as_a_keyed_hash_alone(server: Server) {
        let back_end = server.back_end(&server.tenant, None).await;
        let [row] = &server.database().rows("SELECT * FROM api_key").await[..] else { panic!("one key") };
        let digits = back_end.secret.strip_prefix("ssk_").unwrap();
        assert!(!row.contains(&digits[..16]) && !row.contains(&digits[64..]), "{row}");
        // The hash depends on a key of the installation: a guess cannot be checked with the database alone.
        let elsewhere = Server::with(crate::support::Database::sqlite(), &[]).await;
        assert_ne!(api_key::hash(elsewhere.app.keys(), &back_end.secret), back_end.key.hash);
        assert_eq!(api_key::hash(server.other_instance().await.keys(), &back_end.secret), back_end.key.hash);
    }
);

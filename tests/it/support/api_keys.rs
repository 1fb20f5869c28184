//! Back ends that call the server with an API key.

use jiff::Timestamp;
use selfsame::account::{AccountId, Tenant};
use selfsame::app::App;
use selfsame::clock::Clock;
use selfsame::config::{Config, Overrides, Sources};
use selfsame::identity::api_key;
use selfsame::store::ApiKey;

use super::{Request, Server};

/// A caller with a tenant's name and an API key.
pub(crate) struct BackEnd<'a> {
    server: &'a Server,
    pub(crate) tenant: String,
    pub(crate) secret: String,
    pub(crate) key: ApiKey,
}

impl Server {
    /// Creates a back end of a tenant, whose key is bound to an account if one is given.
    pub(crate) async fn back_end(&self, tenant: &Tenant, account: Option<AccountId>) -> BackEnd<'_> {
        self.back_end_until(tenant, account, None).await
    }

    /// Creates a back end whose key expires.
    pub(crate) async fn back_end_until(
        &self,
        tenant: &Tenant,
        account_id: Option<AccountId>,
        expires_at: Option<Timestamp>,
    ) -> BackEnd<'_> {
        let secret = api_key::mint();
        let key = ApiKey {
            hash: api_key::hash(self.app.keys(), &secret),
            id: self.app.new_id(),
            tenant_id: tenant.id,
            account_id,
            name: "test".to_owned(),
            created_at: self.app.now(),
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        self.app.store().add_api_key(&key).await.unwrap();
        BackEnd { server: self, tenant: tenant.name.clone(), secret, key }
    }

    /// Starts another instance of the installation, with the same database and master key but its own caches.
    pub(crate) async fn other_instance(&self) -> App {
        let throw_away = ("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY".into(), "true".into());
        let overrides = Overrides {
            data: Some(self.data().to_str().unwrap().to_owned()),
            database: Some(self.database().url().to_owned()),
            listen: None,
        };
        let sources = Sources { file: None, environment: vec![throw_away], overrides };
        App::start(Config::load(&sources).unwrap().config, Clock::System).await.unwrap()
    }
}

impl BackEnd<'_> {
    /// Begins an authenticated request.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        let request = self.server.request(method, path);
        request.header("tenant", &self.tenant).header("X-API-Key", &self.secret)
    }

    /// Revokes the key, as an operator does.
    pub(crate) async fn revoke(&self) {
        let store = self.server.app.store();
        assert!(store.revoke_api_key(self.key.id, self.server.app.now()).await.unwrap());
    }
}

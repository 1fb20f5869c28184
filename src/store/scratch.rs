//! The fixture for unit tests of handles: an empty embedded database and fixed keys, deleted when the value is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::Store;
use crate::account::{Portal, Tenant, TenantId};
use crate::clock::Clock;
use crate::config::{Config, Overrides, Sources};
use crate::keys::{Keyring, MasterKey};

/// A separate database, keys, and a clock that is set by hand.
pub(crate) struct Scratch {
    pub(crate) store: Store,
    pub(crate) keys: Keyring,
    pub(crate) master: MasterKey,
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    hand: Arc<AtomicI64>,
    _folder: TempDir,
}

impl Scratch {
    /// Creates a fixture with the default settings, except that responses have no minimum time.
    pub(crate) async fn new() -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        let environment = vec![("SELFSAME__CODES__ANSWER_TIME".into(), "0s".into())];
        let overrides = Overrides { data: Some(folder.path().display().to_string()), ..Overrides::default() };
        let config = Config::load(&Sources { file: None, environment, overrides }).unwrap().config;
        let store = Store::open(&config.database(), &config.database).await.unwrap();
        let keys = Keyring::new(|purpose| [purpose.name().len() as u8; 32]);
        let begin = Timestamp::from_second(1_774_017_000).unwrap();
        let hand = Arc::new(AtomicI64::new(begin.as_microsecond()));
        let clock = Clock::Hand(hand.clone());
        Scratch { store, keys, master: MasterKey::new(&[7; 32]), clock, config, hand, _folder: folder }
    }

    /// Sets the clock forward.
    pub(crate) fn pass(&self, time: Duration) {
        self.hand.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Adds a tenant and returns it.
    pub(crate) async fn tenant(&self) -> Tenant {
        let number = self.store.next_tenant_number().await.unwrap();
        let id = TenantId(self.clock.new_id());
        let tenant = Tenant::new(id, number, format!("tenant {number}"), None, Portal::System, self.clock.now());
        self.store.add_tenant(&tenant).await.unwrap();
        tenant
    }
}

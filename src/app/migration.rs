//! What follows the migrations of the tables and needs the installation's keys: rebuilding unique keys.

use std::sync::Arc;

use super::{Missing, StartError, master_key_place, open_keyring};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{Keyring, MasterKey, MasterKeyError, Purpose};
use crate::outbox::{Delivery, Notices, Outbox};
use crate::profile::{ProfileLimits, Profiles};
use crate::store::{OpenedToRead, PhoneKeys, Store};

/// What a migration would do, as far as it is known before it.
pub struct MigrationPreview {
    /// The migrations of the tables that are pending, in order.
    pub pending: Vec<String>,
    /// The accounts, for [`Profiles::preview_phone_keys`]; `None` if pending migrations must be applied first.
    pub profiles: Option<Profiles>,
}

/// Rebuilds unique keys in a database whose tables are migrated. Does nothing in a database without accounts: the first
/// start creates its keys. Fails if there is no master key; none is created, since it could not open the keys that are there.
pub async fn finish_migration(config: &Config, store: Store, clock: Clock) -> Result<(), StartError> {
    if store.phone_keys().await.map_err(StartError::Store)? == PhoneKeys::Done || !has_keys(&store).await? {
        return Ok(());
    }
    let missing = Missing::Create(clock.now());
    let profiles = profiles(config, store, clock, missing).await?;
    profiles.rebuild_phone_keys().await.map_err(StartError::Store)
}

/// Opens a database to find out what a migration would do, and changes nothing in it. `None` if there is no database yet.
pub async fn preview_migration(config: &Config, clock: Clock) -> Result<Option<MigrationPreview>, StartError> {
    let Some(opened) = Store::open_to_read(&config.database(), &config.database).await? else { return Ok(None) };
    let OpenedToRead { store, pending, has_unique_keys } = opened;
    let profiles = match has_unique_keys {
        true if has_keys(&store).await? => Some(profiles(config, store, clock, Missing::Forget).await?),
        // Without keys there are no accounts, whatever the master key is.
        true => Some(profiles_with(config, store, clock, Keyring::new(|_| crate::clock::random()))?),
        false => None,
    };
    Ok(Some(MigrationPreview { pending, profiles }))
}

/// Checks whether the installation has the key of its unique keys: without it there are none, and no accounts.
async fn has_keys(store: &Store) -> Result<bool, StartError> {
    let key = store.secret(Purpose::Index, Keyring::GENERATION).await.map_err(StartError::Store)?;
    Ok(key.is_some())
}

async fn profiles(config: &Config, store: Store, clock: Clock, missing: Missing) -> Result<Profiles, StartError> {
    let master = read_master_key(config)?;
    let keys = open_keyring(&store, &master, &master_key_place(config), missing).await?;
    profiles_with(config, store, clock, keys)
}

fn profiles_with(config: &Config, store: Store, clock: Clock, keys: Keyring) -> Result<Profiles, StartError> {
    // Notices are written with the changes and sent by a server, so this outbox sends nothing.
    let outbox = Arc::new(Outbox::new(config, Delivery::Mailbox).map_err(StartError::Outbox)?);
    let notices = Notices::new(store.clone(), keys.clone(), clock.clone(), outbox, config.notices.kept_for);
    Ok(Profiles::new(store, keys, clock, notices, ProfileLimits::new(config)))
}

fn read_master_key(config: &Config) -> Result<MasterKey, MasterKeyError> {
    match config.keys.master_key.expose() {
        Some(key) => Ok(MasterKey::new(key)),
        None => MasterKey::read(&config.master_key_file()),
    }
}

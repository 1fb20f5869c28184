//! The shared state of the server: configuration, database, keys, issuer, clock and randomness, created once at start.

mod migration;

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::account::{Cause, Error};
use crate::clock::{self, Clock};
use crate::code::Codes;
use crate::config::{Config, PublicUrl};
use crate::folder;
use crate::identity::{Authenticator, Issuer, SignIns};
use crate::keys::{Keyring, MasterKey, MasterKeyError, Purpose};
use crate::limit::{Limits, Pool, Resource};
use crate::outbox::{Delivery, Notices, Outbox};
use crate::picture::{ObjectsError, Pictures};
use crate::profile::{ProfileLimits, Profiles};
use crate::secure_channel::ChannelKeys;
use crate::store::{self, Exclusion, ServerLock, Store};

pub use migration::{MigrationPreview, finish_migration, preview_migration};

/// A handle for the shared state, passed to every handler; clones share everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

struct Parts {
    config: Config,
    store: Store,
    keys: Keyring,
    issuer: Issuer,
    channel_keys: ChannelKeys,
    authenticator: Authenticator,
    sign_ins: SignIns,
    limits: Limits,
    pictures: Pictures,
    profiles: Profiles,
    outbox: Arc<Outbox>,
    notices: Notices,
    codes: Codes,
    clock: Clock,
    requests: Arc<Pool>,
    unread_bytes: Arc<Pool>,
    public_url: PublicUrl,
}

/// Why the program cannot start; renders as one line that names what to correct.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be created.
    #[error("data folder {0}: {1}")]
    Data(String, #[source] std::io::Error),
    /// The master key cannot be read or created.
    #[error("master key: {0}")]
    MasterKey(#[from] MasterKeyError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] store::OpenError),
    /// The keys in the database were sealed under another master key.
    #[error(
        "{0}: this master key does not decrypt the keys in the database; use the master key that the database was created with"
    )]
    WrongMasterKey(String),
    /// A trusted issuer has the name of the embedded issuer.
    #[error("trusted_issuer.{0}.issuer = {1:?}: {why}", why = crate::config::OWN_ISSUER)]
    OwnIssuer(String, String),
    /// The HTTP client that fetches the keys of trusted issuers cannot be created.
    #[error("trusted issuers: {0}")]
    Trusted(Cause),
    /// Pictures cannot be stored in the configured place.
    #[error("pictures.store: {0}")]
    Pictures(#[from] ObjectsError),
    /// Messages cannot be sent as configured.
    #[error("messages: {0}")]
    Outbox(Cause),
    /// The database failed while the keys were read.
    #[error("database: {0}")]
    Store(Error),
}

impl App {
    /// Opens the database and the keys that a configuration names, and creates those that are missing.
    pub async fn start(config: Config, clock: Clock) -> Result<App, StartError> {
        App::start_with(config, clock, Delivery::Configured).await
    }

    /// Does the same as [`App::start`], with an explicit destination for messages.
    pub async fn start_with(config: Config, clock: Clock, delivery: Delivery) -> Result<App, StartError> {
        let master = match config.keys.master_key.expose() {
            Some(key) => MasterKey::new(key),
            None => {
                make_data_folder(&config)?;
                MasterKey::read_or_create(&config.master_key_file(), clock::random())?
            }
        };
        let store = open_store(&config).await?;
        let keys = open_keyring(&store, &master, &master_key_place(&config), Missing::Create(clock.now())).await?;
        let issuer = Issuer::start(store.clone(), clock.clone(), master.clone(), &config.issuer).await;
        let issuer = issuer.map_err(StartError::Store)?;
        refuse_own_name(&config, issuer.name())?;
        let old_keys_for = config.secure_channel.old_keys_for;
        let channel_keys = ChannelKeys::start(store.clone(), clock.clone(), master, old_keys_for).await;
        let channel_keys = channel_keys.map_err(StartError::Store)?;
        let server = &config.server;
        let share = server.share_of(server.max_requests);
        let requests = Pool::new(Resource::Requests, server.max_requests, share, &clock);
        let (all, share) = (server.max_unread_bytes, server.max_network_unread_bytes);
        let unread_bytes = Pool::new(Resource::UnreadBytes, all, share, &clock);
        let limits = Limits::new(&config.rate_limit, &clock);
        let pictures = Pictures::new(store.clone(), clock.clone(), &config)?;
        let outbox = Arc::new(Outbox::new(&config, delivery).map_err(StartError::Outbox)?);
        let notices = Notices::new(store.clone(), keys.clone(), clock.clone(), outbox.clone(), config.notices.kept_for);
        let codes = Codes::new(store.clone(), keys.clone(), clock.clone(), outbox.clone(), config.codes.clone());
        let limits_of_profiles = ProfileLimits::new(&config);
        let profiles = Profiles::new(store.clone(), keys.clone(), clock.clone(), notices.clone(), limits_of_profiles);
        profiles.rebuild_phone_keys().await.map_err(StartError::Store)?;
        let public_url = PublicUrl::new(config.public_url(config.server.listen));
        let authenticator = Authenticator::new(
            store.clone(),
            keys.clone(),
            clock.clone(),
            issuer.clone(),
            profiles.clone(),
            public_url.clone(),
            &config,
        );
        let authenticator = authenticator.map_err(StartError::Trusted)?;
        let sign_ins = authenticator.sign_ins(&config.issuer);
        let parts = Parts {
            config,
            store,
            keys,
            issuer,
            channel_keys,
            authenticator,
            sign_ins,
            limits,
            pictures,
            profiles,
            outbox,
            notices,
            codes,
            clock,
            requests,
            unread_bytes,
            public_url,
        };
        Ok(App { parts: Arc::new(parts) })
    }

    /// The effective configuration.
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// The base URL of this installation for clients, without a trailing slash: configured, or the address that the server
    /// listens on.
    pub fn public_url(&self) -> &str {
        self.parts.public_url.as_str()
    }

    /// Sets the address that the server listens on. It determines the public URL, unless that is configured, and therefore
    /// the `iss` of applications' tokens: must be called before such a token is issued or verified, and before the first
    /// response.
    pub fn listens_on(&self, address: SocketAddr) {
        self.parts.public_url.set(self.config().public_url(address));
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The keys for hashing and sealing.
    pub fn keys(&self) -> &Keyring {
        &self.parts.keys
    }

    /// The embedded token issuer.
    pub fn issuer(&self) -> &Issuer {
        &self.parts.issuer
    }

    /// The keys that decrypt bodies.
    pub fn channel_keys(&self) -> &ChannelKeys {
        &self.parts.channel_keys
    }

    /// The authenticator, which identifies callers.
    pub fn authenticator(&self) -> &Authenticator {
        &self.parts.authenticator
    }

    /// The sign-ins to applications.
    pub fn sign_ins(&self) -> &SignIns {
        &self.parts.sign_ins
    }

    /// The rate limits of this instance.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// The operations on pictures.
    pub fn pictures(&self) -> &Pictures {
        &self.parts.pictures
    }

    /// The operations on accounts.
    pub fn profiles(&self) -> &Profiles {
        &self.parts.profiles
    }

    /// Messages about changes, which wait in the database until they are delivered.
    pub fn notices(&self) -> &Notices {
        &self.parts.notices
    }

    /// One-time codes.
    pub fn codes(&self) -> &Codes {
        &self.parts.codes
    }

    /// The outbox, which sends messages.
    pub fn outbox(&self) -> &Outbox {
        &self.parts.outbox
    }

    /// One permit per request in flight.
    pub fn requests(&self) -> &Arc<Pool> {
        &self.parts.requests
    }

    /// One permit per byte of a body that is announced or received, and not complete yet.
    pub fn unread_bytes(&self) -> &Arc<Pool> {
        &self.parts.unread_bytes
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }

    /// The time, in whole microseconds, the precision of both databases.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Unpredictable random bytes.
    pub fn random<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        clock::random()
    }

    /// A new identifier that sorts by time (RFC 9562, version 7).
    pub fn new_id(&self) -> Uuid {
        self.parts.clock.new_id()
    }
}

/// Opens the database that a configuration names and migrates its tables to the current version.
pub async fn open_store(config: &Config) -> Result<Store, StartError> {
    if let crate::config::DatabaseUrl::Sqlite(_) = config.database() {
        make_data_folder(config)?;
    }
    Ok(Store::open(&config.database(), &config.database).await?)
}

/// Locks the database that a configuration names for this server, until the lock is dropped.
pub fn lock_for_serving(config: &Config, exclusion: Exclusion) -> Result<ServerLock, StartError> {
    if let crate::config::DatabaseUrl::Sqlite(_) = config.database() {
        make_data_folder(config)?;
    }
    Ok(Store::lock_for_serving(&config.database(), exclusion)?)
}

fn make_data_folder(config: &Config) -> Result<(), StartError> {
    folder::make(&config.data).map_err(|error| StartError::Data(config.data.display().to_string(), error))
}

/// Refuses a trusted issuer with the name of the embedded issuer, which is known only now if it is derived from the
/// installation.
fn refuse_own_name(config: &Config, own: &str) -> Result<(), StartError> {
    let mut sections = config.trusted_issuer.iter();
    match sections.find(|(_, trusted)| trusted.issuer == own) {
        Some((section, trusted)) => Err(StartError::OwnIssuer(section.clone(), trusted.issuer.clone())),
        None => Ok(()),
    }
}

/// Names the source of the master key, for error messages.
fn master_key_place(config: &Config) -> String {
    match config.keys.master_key.expose() {
        Some(_) => "keys.master_key".to_owned(),
        None => config.master_key_file().display().to_string(),
    }
}

/// What happens to keys that are not in the database.
#[derive(Clone, Copy)]
enum Missing {
    /// They are created; the value is the time.
    Create(Timestamp),
    /// Random ones are used and not stored: nothing was made with them.
    Forget,
}

/// Opens the keys in the database; of several instances that create missing ones, the first one's keys are kept.
async fn open_keyring(store: &Store, master: &MasterKey, place: &str, missing: Missing) -> Result<Keyring, StartError> {
    let mut opened = Vec::new();
    for purpose in Purpose::ALL {
        let name = format!("{}/{}", purpose.name(), Keyring::GENERATION);
        let kept = store.secret(purpose, Keyring::GENERATION).await.map_err(StartError::Store)?;
        let fresh = || master.seal(clock::random(), &name, &clock::random::<32>());
        let sealed = match (kept, missing) {
            (Some(sealed), _) => sealed,
            (None, Missing::Create(now)) => {
                let added = store.add_secret(purpose, Keyring::GENERATION, fresh(), now).await;
                added.map_err(StartError::Store)?
            }
            (None, Missing::Forget) => fresh(),
        };
        let wrong = || StartError::WrongMasterKey(place.to_owned());
        let key = master.open(&name, &sealed).map_err(|_| wrong())?;
        opened.push((purpose, <[u8; 32]>::try_from(key).map_err(|_| wrong())?));
    }
    Ok(Keyring::new(|wanted| {
        let key = opened.iter().find(|(purpose, _)| *purpose == wanted);
        key.expect("a key was opened for every purpose").1
    }))
}

//! What a request may use: configuration, database, keys, issuer, clock and randomness, made once at start.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::account::{Cause, Error};
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::folder;
use crate::identity::api_key::KeyUses;
use crate::identity::{Issuer, Remembered, Trusted, trusted};
use crate::keys::{Keyring, MasterKey, MasterKeyError, Purpose};
use crate::limit::Limits;
use crate::outbox::{Delivery, Outbox};
use crate::picture::{Objects, ObjectsError, Pool};
use crate::profile::Schemas;
use crate::secure_channel::ChannelKeys;
use crate::store::{self, Store};

/// Handed to every act; clones share everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

struct Parts {
    config: Config,
    store: Store,
    keys: Keyring,
    issuer: Issuer,
    channel: ChannelKeys,
    trusted: HashMap<String, Arc<Trusted>>,
    remembered: Remembered,
    limits: Limits,
    key_uses: KeyUses,
    pictures: Pool,
    objects: Objects,
    schemas: Schemas,
    outbox: Outbox,
    clock: Clock,
    requests: Semaphore,
    public_url: OnceLock<String>,
}

/// Why the program cannot start; one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be made.
    #[error("data folder {0}: {1}")]
    Data(String, #[source] std::io::Error),
    /// There is no master key.
    #[error("master key: {0}")]
    MasterKey(#[from] MasterKeyError),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] store::OpenError),
    /// The database was sealed under another master key.
    #[error(
        "{0}: this master key does not open the keys in the database; give the one that the database was first started with"
    )]
    WrongMasterKey(String),
    /// The client that fetches the keys of trusted issuers cannot be made.
    #[error("trusted issuers: {0}")]
    Trusted(Cause),
    /// Pictures cannot be kept where the configuration says.
    #[error("pictures.store: {0}")]
    Pictures(#[from] ObjectsError),
    /// Messages cannot leave as the configuration says.
    #[error("messages: {0}")]
    Outbox(Cause),
    /// The database failed while the keys were read.
    #[error("database: {0}")]
    Store(Error),
}

impl App {
    /// Opens the database and the keys that a configuration names, making what is missing.
    pub async fn start(config: Config, clock: Clock) -> Result<App, StartError> {
        App::start_with(config, clock, Delivery::Configured).await
    }

    /// The same, and says where messages go.
    pub async fn start_with(config: Config, clock: Clock, delivery: Delivery) -> Result<App, StartError> {
        let master = match config.keys.master_key.expose() {
            Some(key) => MasterKey::new(key),
            None => {
                make_data_folder(&config)?;
                MasterKey::read_or_create(&config.master_key_file(), clock::random())?
            }
        };
        let store = open_store(&config).await?;
        let keys = open_keyring(&store, &master, &master_key_place(&config), clock.now()).await?;
        let issuer =
            Issuer::start(&store, master.clone(), &config.issuer, clock.new_id()).await.map_err(StartError::Store)?;
        let channel = ChannelKeys::start(&store, master, config.secure_channel.old_keys_for).await;
        let channel = channel.map_err(StartError::Store)?;
        let requests = Semaphore::new(config.server.max_requests);
        let trusted = trusted(&config)?;
        let remembered = Remembered::new(config.identity.remembered_tokens);
        let limits = Limits::new(&config.rate_limit, &clock);
        let key_uses = KeyUses::default();
        let pictures = Pool::new(config.pictures.workers);
        let objects = Objects::new(&config)?;
        let outbox = Outbox::new(&config, delivery).map_err(StartError::Outbox)?;
        let parts = Parts {
            config,
            store,
            keys,
            issuer,
            channel,
            trusted,
            remembered,
            limits,
            key_uses,
            pictures,
            objects,
            schemas: Schemas::default(),
            outbox,
            clock,
            requests,
            public_url: OnceLock::new(),
        };
        Ok(App { parts: Arc::new(parts) })
    }

    /// The effective configuration.
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// Where clients reach this installation, without a slash at the end: configured, or where the server listens.
    pub fn public_url(&self) -> &str {
        let config = self.config();
        self.parts.public_url.get_or_init(|| config.public_url(config.server.listen))
    }

    /// Remembers where the server really listens, before it answers the first request.
    pub fn listens_on(&self, address: SocketAddr) {
        let _ = self.parts.public_url.set(self.config().public_url(address));
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The keys for hashing and sealing.
    pub fn keys(&self) -> &Keyring {
        &self.parts.keys
    }

    /// The embedded issuer of tokens.
    pub fn issuer(&self) -> &Issuer {
        &self.parts.issuer
    }

    /// The keys that open encrypted bodies.
    pub fn channel(&self) -> &ChannelKeys {
        &self.parts.channel
    }

    /// The trusted identity provider whose tokens name this issuer.
    pub fn trusted(&self, issuer: &str) -> Option<&Arc<Trusted>> {
        self.parts.trusted.get(issuer)
    }

    /// Every trusted identity provider.
    pub fn all_trusted(&self) -> impl Iterator<Item = &Arc<Trusted>> {
        self.parts.trusted.values()
    }

    /// The tokens whose signatures were checked already.
    pub fn remembered(&self) -> &Remembered {
        &self.parts.remembered
    }

    /// The rate limits of this instance.
    pub fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// When API keys were used since that was last written down.
    pub fn key_uses(&self) -> &KeyUses {
        &self.parts.key_uses
    }

    /// The threads that decode pictures.
    pub fn pictures(&self) -> &Pool {
        &self.parts.pictures
    }

    /// Where pictures are kept.
    pub fn objects(&self) -> &Objects {
        &self.parts.objects
    }

    /// The schemas of tenants that were compiled already.
    pub fn schemas(&self) -> &Schemas {
        &self.parts.schemas
    }

    /// How messages leave.
    pub fn outbox(&self) -> &Outbox {
        &self.parts.outbox
    }

    /// One permit a request in flight.
    pub fn requests(&self) -> &Semaphore {
        &self.parts.requests
    }

    /// The time, in whole microseconds: what both databases keep.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Bytes that nobody can guess.
    pub fn random<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        clock::random()
    }

    /// A new identifier that sorts by time (RFC 9562, version 7).
    pub fn new_id(&self) -> Uuid {
        self.parts.clock.new_id()
    }
}

fn trusted(config: &Config) -> Result<HashMap<String, Arc<Trusted>>, StartError> {
    // The client wants the system's certificates, which a container need not have as long as nobody is asked anything.
    if config.trusted_issuer.is_empty() {
        return Ok(HashMap::new());
    }
    let client = trusted::client().map_err(StartError::Trusted)?;
    let trusted = config
        .trusted_issuer
        .values()
        .map(|settings| (settings.issuer.clone(), Arc::new(Trusted::new(settings.clone(), client.clone()))));
    Ok(trusted.collect())
}

/// Opens the database that a configuration names and brings its tables up to date.
pub async fn open_store(config: &Config) -> Result<Store, StartError> {
    if let crate::config::DatabaseUrl::Sqlite(_) = config.database() {
        make_data_folder(config)?;
    }
    Ok(Store::open(&config.database(), &config.database).await?)
}

fn make_data_folder(config: &Config) -> Result<(), StartError> {
    folder::make(&config.data).map_err(|error| StartError::Data(config.data.display().to_string(), error))
}

/// Where the master key comes from.
fn master_key_place(config: &Config) -> String {
    match config.keys.master_key.expose() {
        Some(_) => "keys.master_key".to_owned(),
        None => config.master_key_file().display().to_string(),
    }
}

/// Opens the keys that the database holds, making those that are missing; of several instances, the first one's stay.
async fn open_keyring(store: &Store, master: &MasterKey, place: &str, now: Timestamp) -> Result<Keyring, StartError> {
    let mut opened = Vec::new();
    for purpose in Purpose::ALL {
        let name = format!("{}/{}", purpose.name(), Keyring::GENERATION);
        let kept = store.secret(purpose, Keyring::GENERATION).await.map_err(StartError::Store)?;
        let sealed = match kept {
            Some(sealed) => sealed,
            None => {
                let fresh = master.seal(clock::random(), &name, &clock::random::<32>());
                let added = store.add_secret(purpose, Keyring::GENERATION, fresh, now).await;
                added.map_err(StartError::Store)?
            }
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

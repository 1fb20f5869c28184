//! What a request may use: configuration, database, keys, issuer, clock and randomness, made once at start.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::account::Error;
use crate::config::Config;
use crate::identity::Issuer;
use crate::keys::{Keyring, MasterKey, MasterKeyError, Purpose};
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
    clock: Clock,
    requests: Semaphore,
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
    /// The database failed while the keys were read.
    #[error("database: {0:?}")]
    Store(Error),
}

/// Tells the time: the system's, or a hand that tests turn.
#[derive(Clone, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Microseconds since 1970, turned by hand.
    Hand(Arc<AtomicI64>),
}

impl App {
    /// Opens the database and the keys that a configuration names, making what is missing.
    pub async fn start(config: Config, clock: Clock) -> Result<App, StartError> {
        let master = match config.keys.master_key.expose() {
            Some(key) => MasterKey::new(key),
            None => {
                make_data_folder(&config)?;
                MasterKey::read_or_create(&config.master_key_file(), random())?
            }
        };
        let store = open_store(&config).await?;
        let keys = open_keyring(&store, &master, &master_key_place(&config), clock.now()).await?;
        let issuer =
            Issuer::start(&store, master, &config.issuer, new_id(clock.now())).await.map_err(StartError::Store)?;
        let requests = Semaphore::new(config.server.max_requests);
        Ok(App { parts: Arc::new(Parts { config, store, keys, issuer, clock, requests }) })
    }

    /// The effective configuration.
    pub fn config(&self) -> &Config {
        &self.parts.config
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
        random()
    }

    /// A new identifier that sorts by time (RFC 9562, version 7).
    pub fn new_id(&self) -> Uuid {
        new_id(self.now())
    }
}

fn new_id(now: Timestamp) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(now.as_millisecond().unsigned_abs(), &random()).into_uuid()
}

impl Clock {
    /// The time, in whole microseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        let microseconds = match self {
            Clock::System => Timestamp::now().as_microsecond(),
            Clock::Hand(hand) => hand.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that draws randomness")]
fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// Opens the database that a configuration names and brings its tables up to date.
pub async fn open_store(config: &Config) -> Result<Store, StartError> {
    if let crate::config::DatabaseUrl::Sqlite(_) = config.database() {
        make_data_folder(config)?;
    }
    Ok(Store::open(&config.database(), &config.database).await?)
}

fn make_data_folder(config: &Config) -> Result<(), StartError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&config.data);
    made.map_err(|error| StartError::Data(config.data.display().to_string(), error))
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
                let fresh = master.seal(random(), &name, &random::<32>());
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

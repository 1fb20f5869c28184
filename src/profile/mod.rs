//! The operations on accounts, one per file. They are independent of HTTP and SQL.

mod create;
mod import;
mod owner;
mod phone_keys;
mod record;
mod schemas;
mod update;

pub mod audit;

use std::sync::Arc;

use crate::account::{Account, DailyLimits, Error};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Keyring;
use crate::outbox::Notices;
use crate::store::Store;
pub use owner::Owner;
pub use phone_keys::{LostMark, Preview};
use schemas::Schemas;

/// A handle for all operations on accounts; clones share everything.
#[derive(Clone)]
pub struct Profiles {
    store: Store,
    keys: Keyring,
    clock: Clock,
    notices: Notices,
    limits: ProfileLimits,
    schemas: Arc<Schemas>,
}

/// How much of an account is stored.
#[derive(Clone, Copy, Debug)]
pub struct ProfileLimits {
    /// What its owner may store in a day.
    pub daily: DailyLimits,
    /// How many of its replaced pictures are kept.
    pub replaced_pictures: usize,
}

impl ProfileLimits {
    /// Returns the limits that the configuration sets.
    pub fn new(config: &Config) -> ProfileLimits {
        let bytes = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        let daily = DailyLimits {
            picture_bytes: bytes(config.rate_limit.picture_bytes_per_day),
            history_bytes: bytes(config.rate_limit.history_bytes_per_day),
        };
        ProfileLimits { daily, replaced_pictures: config.pictures.max_replaced }
    }
}

impl Profiles {
    /// Creates a handle for a database and the keys that belong to it. `notices` informs the owner of a verified address
    /// that an account loses.
    pub fn new(store: Store, keys: Keyring, clock: Clock, notices: Notices, limits: ProfileLimits) -> Profiles {
        Profiles { store, keys, clock, notices, limits, schemas: Arc::default() }
    }

    /// Fails with [`RequestFault::DayUsedUp`](crate::account::RequestFault::DayUsedUp) when an account may not store a picture
    /// of this many bytes today. Saves storing what the change would refuse: only the change itself counts it.
    pub fn check_picture_bytes(&self, account: &Account, bytes: usize) -> Result<(), Error> {
        self.usage_after(account, bytes, 0, self.clock.now()).map(drop)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

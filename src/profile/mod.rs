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

use crate::clock::Clock;
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
    schemas: Arc<Schemas>,
}

impl Profiles {
    /// Creates a handle for a database and the keys that belong to it. `notices` informs the owner of a verified address
    /// that an account loses.
    pub fn new(store: Store, keys: Keyring, clock: Clock, notices: Notices) -> Profiles {
        Profiles { store, keys, clock, notices, schemas: Arc::default() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

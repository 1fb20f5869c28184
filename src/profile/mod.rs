//! The acts: what can be done with an account, one a file. They know neither HTTP nor SQL.

mod create;
mod import;
mod owner;
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
use schemas::Schemas;

/// Everything that can be done with accounts; clones share it.
#[derive(Clone)]
pub struct Profiles {
    store: Store,
    keys: Keyring,
    clock: Clock,
    notices: Notices,
    schemas: Arc<Schemas>,
}

impl Profiles {
    /// Works on a database with the keys that belong to it; who loses a verified address learns of it by `notices`.
    pub fn new(store: Store, keys: Keyring, clock: Clock, notices: Notices) -> Profiles {
        Profiles { store, keys, clock, notices, schemas: Arc::default() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

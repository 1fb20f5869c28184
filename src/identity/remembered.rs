use std::sync::Arc;

use quick_cache::sync::Cache;

use super::bearer::Verified;
use crate::keys::KeyedHash;

/// A bounded cache of tokens whose signature was verified, by the token's hash. Only the signature check is cached: the
/// user of an entry checks its validity period and key again, and everything else comes with the request's query.
pub(super) struct Remembered(Option<Cache<KeyedHash, Arc<Verified>>>);

impl Remembered {
    /// Creates a cache of at most `tokens` entries; 0 disables it.
    pub(super) fn new(tokens: usize) -> Remembered {
        Remembered((tokens > 0).then(|| Cache::new(tokens)))
    }

    pub(super) fn get(&self, token: &KeyedHash) -> Option<Arc<Verified>> {
        self.0.as_ref()?.get(token)
    }

    pub(super) fn insert(&self, token: KeyedHash, verified: Arc<Verified>) {
        if let Some(cache) = &self.0 {
            cache.insert(token, verified);
        }
    }

    pub(super) fn forget(&self, token: &KeyedHash) {
        if let Some(cache) = &self.0 {
            cache.remove(token);
        }
    }
}

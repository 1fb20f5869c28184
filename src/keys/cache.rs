use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

/// The pause between two look-ups of unknown key names, in microseconds.
const ASK_AGAIN: u64 = 100_000;

/// An installation's keys as last read from the database.
///
/// An unknown key name may be newer than the cached keys, so the owner of the cache asks the database at once, but at
/// most ten times a second: invented names must not put load on it.
pub struct KeyCache<Keys> {
    keys: RwLock<Arc<Keys>>,
    /// When an unknown key was last looked up, in microseconds since 1970.
    asked_at: AtomicI64,
}

impl<Keys> KeyCache<Keys> {
    /// Creates a cache with the keys that were read at startup.
    pub fn new(keys: Keys) -> KeyCache<Keys> {
        KeyCache { keys: RwLock::new(Arc::new(keys)), asked_at: AtomicI64::new(i64::MIN) }
    }

    /// Returns the keys as last read.
    pub fn get(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the keys.
    pub fn set(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Checks whether the database may be asked for an unknown key now; `true` counts as a look-up.
    pub fn may_ask(&self, now: Timestamp) -> bool {
        let now = now.as_microsecond();
        let due = |asked_at: i64| (now.abs_diff(asked_at) >= ASK_AGAIN).then_some(now);
        self.asked_at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, due).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_looked_up_at_most_ten_times_a_second() {
        let cache = KeyCache::new(());
        let begin = Timestamp::from_second(1_000_000).unwrap();
        let milliseconds = (0..1000).map(|step| begin + jiff::SignedDuration::from_millis(step));
        assert_eq!(milliseconds.filter(|now| cache.may_ask(*now)).count(), 10);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_look_ups() {
        let cache = KeyCache::new(());
        assert!(cache.may_ask(Timestamp::from_second(1_000_000).unwrap()));
        assert!(cache.may_ask(Timestamp::from_second(1).unwrap()));
    }
}

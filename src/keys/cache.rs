use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

/// How long after one look-up of an unknown key name another may follow, in microseconds.
const ASK_AGAIN: u64 = 100_000;

/// Keys of this installation as they were when they were last read from the database.
///
/// A key name that is unknown may be newer than what is in memory, so its owner asks the database at once, but at most ten
/// times a second: invented names must not make the database work.
pub struct KeyCache<Keys> {
    keys: RwLock<Arc<Keys>>,
    /// When an unknown key was last looked up, in microseconds since 1970.
    asked_at: AtomicI64,
}

impl<Keys> KeyCache<Keys> {
    /// Begins with keys that were read at start.
    pub fn new(keys: Keys) -> KeyCache<Keys> {
        KeyCache { keys: RwLock::new(Arc::new(keys)), asked_at: AtomicI64::new(i64::MIN) }
    }

    /// The keys as they were last read.
    pub fn get(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what was read now.
    pub fn set(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Whether the database may be asked for an unknown key now; counts as asking it.
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
    fn an_unknown_key_is_asked_for_at_most_ten_times_a_second() {
        let cache = KeyCache::new(());
        let begin = Timestamp::from_second(1_000_000).unwrap();
        let milliseconds = (0..1000).map(|step| begin + jiff::SignedDuration::from_millis(step));
        assert_eq!(milliseconds.filter(|now| cache.may_ask(*now)).count(), 10);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_asking() {
        let cache = KeyCache::new(());
        assert!(cache.may_ask(Timestamp::from_second(1_000_000).unwrap()));
        assert!(cache.may_ask(Timestamp::from_second(1).unwrap()));
    }
}

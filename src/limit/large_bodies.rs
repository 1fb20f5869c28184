//! Bounds the memory that one account's large bodies take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::account::{AccountId, Error, TooMany};
use crate::telemetry;

/// The most large bodies of one account in memory at once.
const AT_ONCE: u32 = 4;

/// Counts the large bodies of each account that are in memory; clones share the counts.
///
/// A body beyond the limit is refused, not delayed: a body that waits would fill the window of its HTTP/2 connection, and the
/// one that it waits for could not arrive.
#[derive(Clone, Default)]
pub(super) struct LargeBodies {
    counts: Arc<Mutex<HashMap<AccountId, u32>>>,
}

/// A large body in memory; dropped with it.
pub struct LargeBody {
    bodies: LargeBodies,
    account: AccountId,
}

impl LargeBodies {
    /// Counts a body of an account until the result is dropped.
    pub(super) fn count(&self, account: AccountId) -> Result<LargeBody, Error> {
        let mut counts = self.lock();
        let count = counts.entry(account).or_default();
        if *count == AT_ONCE {
            telemetry::rate_limited("large_body");
            return Err(TooMany { limit: AT_ONCE, wait: Duration::from_secs(1) }.into());
        }
        *count += 1;
        drop(counts);
        Ok(LargeBody { bodies: self.clone(), account })
    }

    /// A panic leaves the counts as they are, so the lock can be used again.
    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LargeBody {
    fn drop(&mut self) {
        let mut counts = self.bodies.lock();
        match counts.get_mut(&self.account) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.account)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_four_large_bodies_at_once_and_others_have_their_own() {
        let bodies = LargeBodies::default();
        let (one, other) = (AccountId(uuid::Uuid::nil()), AccountId(uuid::Uuid::max()));
        let mut held: Vec<_> = (0..AT_ONCE).map(|_| bodies.count(one).unwrap()).collect();
        assert!(bodies.count(one).is_err());
        assert!(bodies.count(other).is_ok());
        held.pop();
        assert!(bodies.count(one).is_ok());
        drop(held);
        assert!(bodies.lock().is_empty(), "accounts without a body are still counted");
    }
}

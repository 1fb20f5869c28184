//! Rate limits: per source address before authentication, per account or API key after it.
//!
//! They are kept in memory, so each instance counts separately. A limit of N per window is a bucket of N that refills
//! evenly over the window (GCRA): N requests pass at once, and then one every window / N.
//!
//! A [`Pool`] limits what clients have at the same time: connections, requests in flight, bytes of unread bodies.

mod pool;

mod large_bodies;

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::account::{AccountId, Contract, Error, TooMany};
use crate::clock::Clock;
use crate::config;
use crate::telemetry;
use large_bodies::LargeBodies;

pub use large_bodies::LargeBody;

pub use pool::{Exhausted, Permit, Pool, Resource};

/// All limits of one instance.
pub struct Limits {
    addresses: Limit<IpAddr>,
    keys: Limit<Uuid>,
    system: Limit<AccountId>,
    rivergen: Limit<AccountId>,
    ciam: Limit<AccountId>,
    large_bodies: LargeBodies,
}

impl Limits {
    /// Creates the limits that the configuration sets.
    pub fn new(settings: &config::RateLimit, clock: &Clock) -> Limits {
        fn limit<Key: Eq + Hash + Clone>(
            name: &'static str,
            settings: &config::RateLimit,
            number: usize,
            clock: &Clock,
        ) -> Limit<Key> {
            Limit::new(name, number, settings.window, settings.tracked, clock)
        }
        Limits {
            addresses: limit("address", settings, settings.address, clock),
            keys: limit("key", settings, settings.default, clock),
            system: limit("system", settings, settings.system, clock),
            rivergen: limit("rivergen", settings, settings.rivergen, clock),
            ciam: limit("ciam", settings, settings.default, clock),
            large_bodies: LargeBodies::default(),
        }
    }

    /// Counts a request from an address, by its [`network`].
    pub fn address(&self, address: IpAddr) -> Result<(), Error> {
        self.addresses.count(network(address))
    }

    /// Counts a request for an account through a contract.
    pub fn account(&self, contract: Contract, account: AccountId) -> Result<(), Error> {
        match contract {
            Contract::System => self.system.count(account),
            Contract::RiverGen => self.rivergen.count(account),
            Contract::Ciam => self.ciam.count(account),
            // Requests with an API key are counted per key.
            Contract::Cl2c => Ok(()),
        }
    }

    /// Counts a large body of an account until the result is dropped. Fails with
    /// [`RequestFault::RateLimited`](crate::account::RequestFault::RateLimited) when four are in memory.
    pub fn large_body(&self, account: AccountId) -> Result<LargeBody, Error> {
        self.large_bodies.count(account)
    }

    /// Counts a request with an API key.
    pub fn key(&self, key: Uuid) -> Result<(), Error> {
        self.keys.count(key)
    }
}

/// The network that an address is counted as: for IPv6 the /64, since a client with one address has all of it.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Nanos>>;

/// One bucket per key. The least used ones are evicted when there are too many, which can only let further requests pass.
struct Limit<Key> {
    name: &'static str,
    quota: Option<Quota>,
    number: u32,
    clock: Clock,
    buckets: Cache<Key, Arc<Bucket>>,
}

impl<Key: Eq + Hash + Clone> Limit<Key> {
    /// Allows `number` requests per window; 0 means no limit.
    fn new(name: &'static str, number: usize, window: Duration, tracked: usize, clock: &Clock) -> Limit<Key> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let quota = NonZeroU32::new(number)
            .and_then(|burst| Quota::with_period(window / number).map(|quota| quota.allow_burst(burst)));
        let tracked = if quota.is_some() { tracked } else { 1 };
        Limit { name, quota, number, clock: clock.clone(), buckets: Cache::new(tracked) }
    }

    fn count(&self, key: Key) -> Result<(), Error> {
        let Some(quota) = self.quota else { return Ok(()) };
        let made = self.buckets.get_or_insert_with(&key, || {
            Ok::<_, std::convert::Infallible>(Arc::new(RateLimiter::direct_with_clock(quota, self.clock.clone())))
        });
        let Ok(bucket) = made;
        bucket.check().map_err(|early| {
            telemetry::rate_limited(self.name);
            let wait = early.wait_time_from(clock::Clock::now(&self.clock));
            TooMany { limit: self.number, wait }.into()
        })
    }
}

/// The installation's own clock, so that tests can set it.
impl clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(u64::try_from(Clock::now(self).as_nanosecond()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::account::RequestFault;

    #[test]
    fn a_limit_allows_its_number_at_once_then_evenly_and_counts_each_key_separately() {
        let hand = Arc::new(AtomicI64::new(1_000_000));
        let limit = Limit::new("test", 3, Duration::from_secs(60), 1000, &Clock::Hand(hand.clone()));
        let wait = |key| match limit.count(key) {
            Err(Error::Request(RequestFault::RateLimited(TooMany { limit: 3, wait }))) => Some(wait.as_secs()),
            Ok(()) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!([wait(1), wait(1), wait(1), wait(1)], [None, None, None, Some(20)]);
        assert_eq!(wait(2), None);
        hand.fetch_add(20_000_000, Ordering::SeqCst);
        assert_eq!([wait(1), wait(1)], [None, Some(20)]);
    }

    #[test]
    fn zero_means_no_limit_and_the_number_of_buckets_is_bounded() {
        let none = Limit::new("test", 0, Duration::from_secs(60), 1000, &Clock::System);
        assert!((0..10_000).all(|_| none.count(1).is_ok()));
        let few = Limit::new("test", 5, Duration::from_secs(60), 100, &Clock::System);
        assert!((0..10_000).all(|key| few.count(key).is_ok()));
        assert!(few.buckets.len() <= 100);
    }
}

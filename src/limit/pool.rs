//! What all clients use together and in limited number, and how much of it one source network may have.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::network;
use crate::clock::Clock;
use crate::telemetry;

/// How long a network that reached its share is not logged again.
const WARN_AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// Most networks that are logged within [`WARN_AGAIN`].
const MAX_WARNED: usize = 64;

/// A resource of the server that all clients share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Open connections.
    Connections,
    /// Connections beyond these, on which only health is answered.
    HealthConnections,
    /// Requests in flight.
    Requests,
    /// Bytes of bodies that are announced or received, and not complete yet.
    UnreadBytes,
}

/// A resource in limited number, of which each source network may have a share.
pub struct Pool {
    resource: Resource,
    capacity: usize,
    share: usize,
    clock: Clock,
    taken: Mutex<Taken>,
}

/// What is taken. Every network in the table has a permit, so the table has at most as many entries as there are permits.
#[derive(Default)]
struct Taken {
    all: usize,
    networks: HashMap<IpAddr, usize>,
    warned: HashMap<IpAddr, Timestamp>,
}

/// A part of a resource, which is returned when this is dropped.
pub struct Permit {
    pool: Arc<Pool>,
    network: Option<IpAddr>,
    amount: usize,
}

/// Why a permit is refused: nothing is left, for all or for one source network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Exhausted {
    /// What is exhausted.
    pub resource: Resource,
    /// Whether only the share of the source network is.
    pub for_network: bool,
}

impl Pool {
    /// Creates a pool. A source network may have at most `share`; a share that is not below the capacity is no limit.
    pub fn new(resource: Resource, capacity: usize, share: usize, clock: &Clock) -> Arc<Pool> {
        Arc::new(Pool { resource, capacity, share, clock: clock.clone(), taken: Mutex::default() })
    }

    /// Takes a part for a source address, whose network it counts for; `None` counts for no network.
    pub fn take(self: &Arc<Pool>, source: Option<IpAddr>, amount: usize) -> Result<Permit, Exhausted> {
        let mut permit = Permit { pool: self.clone(), network: source.map(network), amount: 0 };
        permit.grow(amount)?;
        Ok(permit)
    }

    /// What is left for all.
    pub fn available_permits(&self) -> usize {
        self.capacity - self.taken().all
    }

    fn add(&self, network: Option<IpAddr>, amount: usize) -> Result<(), Exhausted> {
        // A network without a permit has no entry.
        if amount == 0 {
            return Ok(());
        }
        let mut taken = self.taken();
        let of_network = network.and_then(|network| taken.networks.get(&network)).copied().unwrap_or_default();
        // The network first: one beyond its share is refused as such, whether or not something is left for others.
        let for_network =
            network.is_some() && self.share < self.capacity && amount > self.share.saturating_sub(of_network);
        if !for_network && amount <= self.capacity - taken.all {
            taken.all += amount;
            if let Some(network) = network {
                taken.networks.insert(network, of_network + amount);
            }
            return Ok(());
        }
        let warned = network.filter(|_| for_network).filter(|network| taken.may_warn(*network, self.clock.now()));
        drop(taken);
        telemetry::exhausted(self.resource.name(), for_network);
        if let Some(network) = warned {
            let (resource, setting) = (self.resource.name(), self.resource.setting());
            tracing::warn!(
                network = shown(network),
                resource,
                setting,
                share = self.share,
                "source network reached its share"
            );
        }
        Err(Exhausted { resource: self.resource, for_network })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Returns whether a network is to be logged now, and remembers it.
    fn may_warn(&mut self, network: IpAddr, now: Timestamp) -> bool {
        self.warned.retain(|_, at| now.duration_since(*at).abs() < WARN_AGAIN);
        let may = self.warned.len() < MAX_WARNED && !self.warned.contains_key(&network);
        if may {
            self.warned.insert(network, now);
        }
        may
    }
}

impl Permit {
    /// Takes more.
    pub fn grow(&mut self, amount: usize) -> Result<(), Exhausted> {
        self.pool.add(self.network, amount)?;
        self.amount += amount;
        Ok(())
    }

    /// Takes what is missing to have `amount`.
    pub fn grow_to(&mut self, amount: usize) -> Result<(), Exhausted> {
        match amount.saturating_sub(self.amount) {
            0 => Ok(()),
            missing => self.grow(missing),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut taken = self.pool.taken();
        taken.all -= self.amount;
        let Some(network) = self.network else { return };
        let left = taken.networks.get(&network).map_or(0, |taken| taken - self.amount);
        match left {
            0 => drop(taken.networks.remove(&network)),
            left => drop(taken.networks.insert(network, left)),
        }
    }
}

impl Resource {
    /// The name in log lines and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Connections => "connections",
            Resource::HealthConnections => "health_connections",
            Resource::Requests => "requests",
            Resource::UnreadBytes => "unread_bytes",
        }
    }

    /// The setting of a source network's share.
    fn setting(self) -> &'static str {
        match self {
            Resource::Connections | Resource::HealthConnections | Resource::Requests => "server.network_share",
            Resource::UnreadBytes => "server.max_network_unread_bytes",
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.resource {
            Resource::Connections | Resource::HealthConnections => "too many connections are open",
            Resource::Requests => "too many requests are in flight",
            Resource::UnreadBytes => "too many bytes of bodies are unread",
        };
        formatter.write_str(what)?;
        formatter.write_str(if self.for_network { " for one source network" } else { "" })
    }
}

/// Renders a network: an IPv4 address, or an IPv6 prefix with its length.
fn shown(network: IpAddr) -> String {
    match network {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(prefix) => format!("{prefix}/64"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicI64, Ordering};

    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn refused(pool: &Arc<Pool>, source: &str, amount: usize) -> Option<bool> {
        pool.take(address(source), amount).err().map(|exhausted| exhausted.for_network)
    }

    #[test]
    fn a_network_has_its_share_and_leaves_the_rest_to_others() {
        let pool = Pool::new(Resource::Requests, 8, 2, &Clock::System);
        let permits = [pool.take(address("192.0.2.1"), 1).unwrap(), pool.take(address("192.0.2.1"), 1).unwrap()];
        assert_eq!(refused(&pool, "192.0.2.1", 1), Some(true));
        assert_eq!(
            refused(&pool, "::ffff:192.0.2.1", 1),
            Some(true),
            "an IPv4 address in IPv6 form is the same network"
        );
        assert_eq!(refused(&pool, "192.0.2.2", 2), None);
        drop(permits);
        assert_eq!(refused(&pool, "192.0.2.1", 2), None);
    }

    #[test]
    fn all_addresses_of_a_network_of_64_bits_have_one_share() {
        let pool = Pool::new(Resource::Requests, 8, 2, &Clock::System);
        let _permit = pool.take(address("2001:db8::1"), 2).unwrap();
        assert_eq!(refused(&pool, "2001:db8::ffff:2", 1), Some(true));
        assert_eq!(refused(&pool, "2001:db8:0:1::1", 1), None);
    }

    #[test]
    fn all_networks_together_have_no_more_than_there_is() {
        let pool = Pool::new(Resource::Requests, 3, 2, &Clock::System);
        let _permits = [pool.take(address("192.0.2.1"), 2).unwrap(), pool.take(address("192.0.2.2"), 1).unwrap()];
        assert_eq!(refused(&pool, "192.0.2.3", 1), Some(false));
        assert_eq!(refused(&pool, "192.0.2.1", 1), Some(true));
        assert!(pool.take(None, 1).is_err());
        assert_eq!(pool.available_permits(), 0);
    }

    #[test]
    fn a_share_of_all_is_no_limit_for_a_network() {
        let pool = Pool::new(Resource::Connections, 2, 2, &Clock::System);
        let _permit = pool.take(address("192.0.2.1"), 2).unwrap();
        assert_eq!(refused(&pool, "192.0.2.1", 1), Some(false));
    }

    #[test]
    fn a_refused_growth_takes_nothing() {
        let pool = Pool::new(Resource::UnreadBytes, 10, 6, &Clock::System);
        let mut permit = pool.take(address("192.0.2.1"), 4).unwrap();
        assert!(permit.grow(3).is_err());
        assert!(permit.grow_to(2).is_ok() && permit.grow_to(6).is_ok());
        assert_eq!(pool.available_permits(), 4);
        assert!(permit.grow(usize::MAX).is_err());
        drop(permit);
        assert_eq!((pool.available_permits(), pool.taken().networks.len()), (10, 0));
    }

    #[test]
    fn a_network_is_logged_once_a_minute_and_few_networks_at_once() {
        let hand = Arc::new(AtomicI64::new(0));
        let pool = Pool::new(Resource::Requests, 2, 1, &Clock::Hand(hand.clone()));
        let warn = |network: u32| pool.taken().may_warn(Ipv4Addr::from(network).into(), pool.clock.now());
        assert_eq!([warn(1), warn(1), warn(2)], [true, false, true]);
        hand.fetch_add(59_999_999, Ordering::SeqCst);
        assert!(!warn(1));
        hand.fetch_add(1, Ordering::SeqCst);
        assert!(warn(1));
        let logged = (10..10_000).filter(|network| warn(*network)).count();
        assert_eq!((logged, pool.taken().warned.len()), (MAX_WARNED - 1, MAX_WARNED));
    }

    proptest! {
        #[test]
        fn what_is_taken_is_what_the_permits_have(
            steps in prop::collection::vec((any::<bool>(), 0_u32..4, 0_usize..6), 0..60),
        ) {
            let pool = Pool::new(Resource::UnreadBytes, 20, 8, &Clock::System);
            let mut permits = Vec::new();
            for (takes, network, amount) in steps {
                if takes {
                    permits.extend(pool.take(Some(Ipv4Addr::from(network).into()), amount));
                } else if !permits.is_empty() {
                    drop(permits.swap_remove(amount % permits.len()));
                }
                let all: usize = permits.iter().map(|permit| permit.amount).sum();
                prop_assert_eq!(pool.available_permits(), 20 - all);
                for network in 0..4 {
                    let network = IpAddr::from(Ipv4Addr::from(network));
                    let permits = permits.iter().filter(|permit| permit.network == Some(network));
                    let of_network: usize = permits.map(|permit| permit.amount).sum();
                    prop_assert!(of_network <= 8);
                    prop_assert_eq!(pool.taken().networks.get(&network).copied().unwrap_or_default(), of_network);
                }
            }
            drop(permits);
            prop_assert!(pool.taken().networks.is_empty());
        }
    }
}

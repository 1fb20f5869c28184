//! Which connections are accepted: so many of all clients, a share of them for each source network, and some more for health.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;
use crate::config::Server;
use crate::limit::{Permit, Pool, Resource};

/// The connections of one listener.
pub(super) struct Admission {
    /// One permit for each connection, those for health included.
    all: Arc<Semaphore>,
    connections: Arc<Pool>,
    for_health: Arc<Pool>,
    /// Their connections belong to many clients, who share requests instead.
    trusted_proxies: Vec<IpNet>,
}

/// An accepted connection, which counts until this is dropped.
pub(super) struct Admitted {
    /// Whether only health is answered on it.
    pub(super) health_only: bool,
    _permit: Permit,
}

impl Admission {
    /// Creates the admission of the contracts' listener.
    pub(super) fn of_clients(settings: &Server, clock: &Clock) -> Admission {
        let pool = |resource, capacity| Pool::new(resource, capacity, settings.share_of(capacity), clock);
        Admission {
            all: Arc::new(Semaphore::new(settings.max_connections + settings.health_connections)),
            connections: pool(Resource::Connections, settings.max_connections),
            for_health: pool(Resource::HealthConnections, settings.health_connections),
            trusted_proxies: settings.trusted_proxies.clone(),
        }
    }

    /// Creates the admission of the operators' listener: they may all come from one network.
    pub(super) fn of_operators(settings: &Server, clock: &Clock) -> Admission {
        let (capacity, none) = (settings.max_connections, 0);
        Admission {
            all: Arc::new(Semaphore::new(capacity)),
            connections: Pool::new(Resource::Connections, capacity, capacity, clock),
            for_health: Pool::new(Resource::HealthConnections, none, none, clock),
            trusted_proxies: Vec::new(),
        }
    }

    /// Waits until a connection may be accepted. The permit must live as long as the connection.
    pub(super) async fn free(&self) -> OwnedSemaphorePermit {
        self.all.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Decides on a connection; `None` closes it.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Admitted> {
        let peer = peer.to_canonical();
        let source = Some(peer).filter(|peer| !self.trusted_proxies.iter().any(|network| network.contains(peer)));
        let (permit, health_only) = match self.connections.take(source, 1) {
            Ok(permit) => (permit, false),
            // A network with a whole share of connections has none for health.
            Err(exhausted) if exhausted.for_network => return None,
            Err(_) => (self.for_health.take(source, 1).ok()?, true),
        };
        Some(Admitted { health_only, _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn admission(edit: impl FnOnce(&mut Server)) -> Admission {
        let mut settings = Config::load(&Sources::default()).unwrap().config.server;
        edit(&mut settings);
        Admission::of_clients(&settings, &Clock::System)
    }

    fn admit(admission: &Admission, peer: &str) -> Option<Admitted> {
        admission.admit(peer.parse().unwrap())
    }

    fn all(admission: &Admission, peer: &str) -> Vec<Admitted> {
        std::iter::from_fn(|| admit(admission, peer)).take(10_000).collect()
    }

    #[test]
    fn a_network_has_a_quarter_of_the_connections_and_none_of_those_for_health() {
        let admission = admission(|_| {});
        let admitted = all(&admission, "192.0.2.1");
        assert_eq!(admitted.len(), 256);
        assert!(admitted.iter().all(|admitted| !admitted.health_only));
        assert!(admit(&admission, "192.0.2.2").is_some_and(|admitted| !admitted.health_only));
    }

    #[test]
    fn when_all_connections_are_taken_a_network_has_a_quarter_of_those_for_health() {
        let admission = admission(|_| {});
        let _taken: Vec<_> = (1..=4).map(|host| all(&admission, &format!("192.0.2.{host}"))).collect();
        assert!(admit(&admission, "192.0.2.1").is_none());
        let admitted = all(&admission, "192.0.2.5");
        assert_eq!(admitted.len(), 4);
        assert!(admitted.iter().all(|admitted| admitted.health_only));
        assert!(admit(&admission, "192.0.2.6").is_some_and(|admitted| admitted.health_only));
    }

    #[test]
    fn connections_of_trusted_proxies_have_no_share() {
        let admission = admission(|settings| settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(all(&admission, "::ffff:10.0.0.1").len(), 1024 + 16);
    }

    #[test]
    fn operators_have_no_share_and_no_connections_for_health() {
        let settings = Config::load(&Sources::default()).unwrap().config.server;
        let admission = Admission::of_operators(&settings, &Clock::System);
        assert_eq!(all(&admission, "127.0.0.1").len(), 1024);
    }
}

//! Keeps `dev` reachable only from its own machine, unless `--expose` is given.

use std::net::SocketAddr;

use super::super::{Failure, Outcome};
use crate::config::Config;

/// Refuses to listen on an address where other machines could use the demo credentials and read every code.
pub(super) fn refuse(config: &Config) -> Outcome {
    let addresses = [("server.listen", Some(config.server.listen)), ("operator.listen", config.operator.listen)];
    for (key, address) in addresses {
        if let Some(address) = address.filter(|address| !is_loopback(address)) {
            return Err(Failure(format!(
                "{key} = \"{address}\": other machines could use the demo credentials and read every code there; listen on \
                 a loopback address, such as 127.0.0.1, or allow this with --expose"
            )));
        }
    }
    Ok(())
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted_without_expose() {
        let is_loopback = |address: &str| is_loopback(&address.parse().unwrap());
        for address in ["127.0.0.1:80", "127.255.255.254:0", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(is_loopback(address), "{address}");
        }
        for address in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "[fe80::1]:80", "[::ffff:0.0.0.0]:80", "[::2]:80"] {
            assert!(!is_loopback(address), "{address}");
        }
    }
}

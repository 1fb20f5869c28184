//! Where a request comes from: the other end of the connection, or, when that is a proxy that the operator named, whoever
//! the proxy says.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How many proxies one behind another are looked through.
const MAX_HOPS: usize = 16;

/// The address that a request is counted for and that the history keeps.
///
/// Every proxy appends the address that it saw, so the list is read from its end, as far as trusted proxies wrote it: the
/// first address that is none of theirs is the client's. What a client wrote in front of it is never reached.
pub(super) fn of(peer: SocketAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
    let mut source = peer.ip().to_canonical();
    if proxies.is_empty() || !trusted(source) {
        return source;
    }
    for hop in hops(headers).into_iter().rev().take(MAX_HOPS) {
        let Some(address) = hop else { break };
        source = address;
        if !trusted(source) {
            break;
        }
    }
    source
}

/// The addresses that proxies wrote, in order; `None` for what is no address. `Forwarded` (RFC 7239) wins over
/// `X-Forwarded-For` when both are there.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let elements = |name: HeaderName| -> Vec<&str> {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim).collect()
    };
    let forwarded = elements(header::FORWARDED);
    if forwarded.is_empty() {
        return elements(X_FORWARDED_FOR).into_iter().map(address).collect();
    }
    let node = |element: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
        address(node.trim_matches('"'))
    };
    forwarded.into_iter().map(node).collect()
}

/// An address, with or without a port; IPv6 in brackets where a port may follow.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let parsed = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    parsed.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, lines: &[(&'static str, &str)], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|network| network.parse().unwrap()).collect();
        of(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_client_that_is_no_trusted_proxy_is_who_it_is() {
        let lines = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")];
        assert_eq!(seen("198.51.100.7:1", &lines, &[]), "198.51.100.7");
        assert_eq!(seen("198.51.100.7:1", &lines, &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn what_a_client_wrote_in_front_of_its_own_address_is_never_reached() {
        let line = [("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")];
        assert_eq!(seen("10.0.0.1:1", &line, &["10.0.0.0/8"]), "203.0.113.9");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(seen("10.0.0.1:1", &lines, &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_with_quotes_ports_and_ipv6() {
        let proxies = ["10.0.0.0/8"];
        let line = [("forwarded", r#"for="[2001:db8::7]:4711";proto=https, for=10.0.0.3;by=10.0.0.2"#)];
        assert_eq!(seen("10.0.0.1:1", &line, &proxies), "2001:db8::7");
        assert_eq!(seen("10.0.0.1:1", &[("forwarded", "FOR=203.0.113.9:80")], &proxies), "203.0.113.9");
    }

    #[test]
    fn what_is_no_address_ends_the_walk_at_the_last_proxy() {
        let proxies = ["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.1:1", &[("forwarded", "for=unknown")], &proxies), "10.0.0.1");
        assert_eq!(seen("10.0.0.1:1", &[("x-forwarded-for", "203.0.113.9, _hidden, 10.0.0.4")], &proxies), "10.0.0.4");
        assert_eq!(seen("[::ffff:10.0.0.1]:1", &[("x-forwarded-for", "203.0.113.9")], &proxies), "203.0.113.9");
    }
}

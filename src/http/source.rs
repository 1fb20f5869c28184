//! The source address of a request: the other end of the connection, or, if that is a trusted proxy, the address that the
//! proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::{ForwardingHeader, Server};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Most addresses of the forwarding header that are followed.
const MAX_HOPS: usize = 16;

/// Returns the address that a request is counted for and that the history records.
///
/// Every proxy appends the address that it saw, so the list is read from its end, as far as trusted proxies wrote it: the
/// first address that is not a trusted proxy's is the client's. Addresses that the client put in front of it are never
/// reached.
pub(super) fn of(peer: SocketAddr, headers: &HeaderMap, settings: &Server) -> IpAddr {
    let mut source = peer.ip().to_canonical();
    if !is_trusted(source, settings) {
        return source;
    }
    for hop in hops(headers, settings.forwarding_header).into_iter().rev().take(MAX_HOPS) {
        let Some(address) = hop else { break };
        source = address;
        if !is_trusted(source, settings) {
            break;
        }
    }
    source
}

/// Checks whether an address is a trusted proxy's.
pub(super) fn is_trusted(address: IpAddr, settings: &Server) -> bool {
    let address = address.to_canonical();
    settings.trusted_proxies.iter().any(|network| network.contains(&address))
}

/// Returns the addresses in the forwarding header, in order; `None` for an element that is not an address.
fn hops(headers: &HeaderMap, header: ForwardingHeader) -> Vec<Option<IpAddr>> {
    let (name, read): (HeaderName, fn(&str) -> Option<IpAddr>) = match header {
        ForwardingHeader::XForwardedFor => (X_FORWARDED_FOR, address),
        ForwardingHeader::Forwarded => (header::FORWARDED, node),
    };
    // Split as bytes: elements that a client put in front may not be text, and must not hide those that the proxy appended.
    let lines = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let elements = lines.flat_map(|line| line.split(|byte| *byte == b','));
    elements.map(|element| read(std::str::from_utf8(element).ok()?.trim())).collect()
}

/// Returns the `for` address of one element of `Forwarded` (RFC 7239 §4).
fn node(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(node.trim_matches('"'))
}

/// Parses an address with or without a port; an IPv6 address with a port is in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(address, _)| address);
    let parsed = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    parsed.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::ForwardingHeader::{Forwarded, XForwardedFor};
    use super::*;
    use crate::config::{Config, Sources};

    fn seen(peer: &str, lines: &[(&'static str, &[u8])], header: ForwardingHeader, proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let mut settings = Config::load(&Sources::default()).unwrap().config.server;
        settings.forwarding_header = header;
        settings.trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        of(peer.parse().unwrap(), &headers, &settings).to_string()
    }

    #[test]
    fn the_forwarding_header_of_an_untrusted_peer_is_ignored() {
        let lines: [(_, &[u8]); 2] = [("x-forwarded-for", b"203.0.113.9"), ("forwarded", b"for=203.0.113.9")];
        for header in [XForwardedFor, Forwarded] {
            assert_eq!(seen("198.51.100.7:1", &lines, header, &[]), "198.51.100.7");
            assert_eq!(seen("198.51.100.7:1", &lines, header, &["10.0.0.0/8"]), "198.51.100.7");
        }
    }

    #[test]
    fn addresses_that_a_client_put_in_front_of_its_own_are_never_reached() {
        let proxies = ["10.0.0.0/8"];
        let line: [(_, &[u8]); 1] = [("x-forwarded-for", b"1.1.1.1, 203.0.113.9, 10.0.0.2")];
        assert_eq!(seen("10.0.0.1:1", &line, XForwardedFor, &proxies), "203.0.113.9");
        let lines: [(_, &[u8]); 2] = [("x-forwarded-for", b"1.1.1.1"), ("x-forwarded-for", b"203.0.113.9")];
        assert_eq!(seen("10.0.0.1:1", &lines, XForwardedFor, &proxies), "203.0.113.9");
        let line: [(_, &[u8]); 1] = [("x-forwarded-for", b"\xff\xfe, 203.0.113.9")];
        assert_eq!(seen("10.0.0.1:1", &line, XForwardedFor, &proxies), "203.0.113.9");
    }

    /// A proxy writes one of the two headers and passes the other on as the client sent it.
    #[test]
    fn the_header_that_the_proxy_does_not_write_is_not_read() {
        let lines: [(_, &[u8]); 2] = [("x-forwarded-for", b"203.0.113.9"), ("forwarded", b"for=203.0.113.8")];
        assert_eq!(seen("10.0.0.1:1", &lines, XForwardedFor, &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1:1", &lines, Forwarded, &["10.0.0.0/8"]), "203.0.113.8");
    }

    #[test]
    fn forwarded_is_read_with_quotes_ports_and_ipv6() {
        let seen =
            |line: &'static str| seen("10.0.0.1:1", &[("forwarded", line.as_bytes())], Forwarded, &["10.0.0.0/8"]);
        assert_eq!(seen(r#"for="[2001:db8::7]:4711";proto=https, for=10.0.0.3;by=10.0.0.2"#), "2001:db8::7");
        assert_eq!(seen("FOR=203.0.113.9:80"), "203.0.113.9");
        assert_eq!(seen("for=unknown"), "10.0.0.1");
    }

    #[test]
    fn an_element_that_is_not_an_address_ends_the_walk_at_the_last_proxy() {
        let seen = |peer, line: &'static str| {
            seen(peer, &[("x-forwarded-for", line.as_bytes())], XForwardedFor, &["10.0.0.0/8"])
        };
        assert_eq!(seen("10.0.0.1:1", "203.0.113.9, _hidden, 10.0.0.4"), "10.0.0.4");
        assert_eq!(seen("[::ffff:10.0.0.1]:1", "203.0.113.9"), "203.0.113.9");
    }
}

//! The host that a request names (RFC 9110 §7.2).

use std::net::Ipv6Addr;

use axum::extract::Request;
use axum::http::uri::{Authority, Scheme};
use axum::http::{Version, header};

use crate::headers::Single;

/// A host and a port as `Host` and `:authority` name them: without user information (RFC 3986 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The host.
    pub host: Host<'a>,
    port: Option<u16>,
}

/// A host.
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// An IPv6 address, which is written in brackets.
    V6(Ipv6Addr),
    /// A name or an IPv4 address, as it was written.
    Name(&'a str),
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Host::V6(one), Host::V6(other)) => one == other,
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl HostPort<'_> {
    /// Parses a host with or without a port; `None` if there is no host, or it or the port is malformed.
    pub fn parse(text: &str) -> Option<HostPort<'_>> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                (Host::V6(address.parse().ok()?), port)
            }
            None => {
                let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (Host::Name(Some(name).filter(|name| is_name(name))?), port)
            }
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(HostPort { host, port })
    }

    /// Checks whether two spellings name one host and port, where a scheme has a port of its own (RFC 3986 §6.2.3).
    fn names_the_same(self, other: HostPort<'_>, scheme: Option<&Scheme>) -> bool {
        let own = if scheme == Some(&Scheme::HTTPS) { 443 } else { 80 };
        self.host == other.host && self.port.unwrap_or(own) == other.port.unwrap_or(own)
    }
}

/// Checks for a registered name or an IPv4 address that is not empty (RFC 3986 §3.2.2).
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    let mut parts = text.split('%');
    let before = parts.next().unwrap_or_default();
    let is_escaped = |part: &str| {
        let digits = part.as_bytes().split_at_checked(2);
        digits
            .is_some_and(|(digits, rest)| digits.iter().all(u8::is_ascii_hexdigit) && rest.iter().copied().all(is_part))
    };
    !text.is_empty() && before.bytes().all(is_part) && parts.all(is_escaped)
}

/// Checks whether a request names one host: HTTP/1.1 by exactly one `Host`, whatever its target is (RFC 9112 §3.2), HTTP/2 by
/// `:authority`, `Host`, or both if they are equal (RFC 9113 §8.3.1). Only a request of HTTP/1.0 need not name one. An
/// intermediary may have taken one of several hosts for the request's.
pub fn names_one_host(request: &Request) -> bool {
    let target = request.uri().authority().map(|authority| HostPort::parse(Authority::as_str(authority)));
    if target == Some(None) {
        return false;
    }
    let target = target.flatten();
    match Single::of(request.headers(), header::HOST) {
        Single::Repeated(_) => false,
        Single::Absent => match request.version() {
            Version::HTTP_09 | Version::HTTP_10 => true,
            Version::HTTP_11 => false,
            _ => target.is_some(),
        },
        Single::Once(value) => value.to_str().ok().and_then(HostPort::parse).is_some_and(|host| {
            // Over HTTP/1, a target in absolute form replaces the host (RFC 9112 §3.2.2).
            let is_replaced = request.version() < Version::HTTP_2;
            is_replaced || target.is_none_or(|target| target.names_the_same(host, request.uri().scheme()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        let parsed = |text| HostPort::parse(text).unwrap();
        for (one, other) in [
            ("id.example.com", "ID.Example.COM:"),
            ("id.example.com:80", "id.example.com"),
            ("[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]:80"),
            ("127.0.0.1:080", "127.0.0.1"),
        ] {
            assert!(parsed(one).names_the_same(parsed(other), None), "{one} {other}");
        }
        assert!(parsed("a:443").names_the_same(parsed("a"), Some(&Scheme::HTTPS)));
        for (one, other) in [("a", "b"), ("a:80", "a:81"), ("[::1]", "[::2]"), ("127.0.0.1", "[::ffff:127.0.0.1]")] {
            assert!(!parsed(one).names_the_same(parsed(other), None), "{one} {other}");
        }
        for text in ["a_b", "a-b.c~", "xn--bcher-kva.example", "%41.example", "(a)", "localhost."] {
            assert!(HostPort::parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ":",
            ":80",
            "a:b",
            "a:80:80",
            "a:65536",
            "a:+80",
            "a:-1",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "a@b",
            "a\\b",
            "a%",
            "a%4",
            "a%zz",
            "a\"",
            "<a>",
            "[",
            "[]",
            "[::1",
            "::1",
            "[::1]a",
            "[::1]:a",
            "[::1%25lo]",
            "[v1.a]",
            "[127.0.0.1]",
            "é",
            "a, b",
            " a",
        ] {
            assert_eq!(HostPort::parse(text), None, "{text:?}");
        }
    }

    fn is_accepted(version: Version, target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        names_one_host(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn each_version_names_its_host_in_its_own_way() {
        for (version, target, hosts) in [
            (Version::HTTP_10, "/", &[][..]),
            (Version::HTTP_10, "/", &["a"]),
            (Version::HTTP_11, "/", &["a:8080"]),
            (Version::HTTP_11, "*", &["a"]),
            (Version::HTTP_11, "http://b/", &["a"]),
            (Version::HTTP_2, "http://a/", &[]),
            (Version::HTTP_2, "/", &["a"]),
            (Version::HTTP_2, "http://a:80/", &["A"]),
            (Version::HTTP_2, "https://a/", &["a:443"]),
        ] {
            assert!(is_accepted(version, target, hosts), "{version:?} {target} {hosts:?}");
        }
        for (version, target, hosts) in [
            (Version::HTTP_10, "/", &["a", "a"][..]),
            (Version::HTTP_10, "/", &["a b"]),
            (Version::HTTP_11, "/", &[]),
            (Version::HTTP_11, "/", &[""]),
            (Version::HTTP_11, "http://a/", &[]),
            (Version::HTTP_11, "http://user@a/", &["a"]),
            (Version::HTTP_11, "/", &["a", "a"]),
            (Version::HTTP_2, "/", &[]),
            (Version::HTTP_2, "http://a/", &["b"]),
            (Version::HTTP_2, "http://a/", &["a:81"]),
            (Version::HTTP_2, "https://a/", &["a:80"]),
            (Version::HTTP_2, "http://a/", &["a", "a"]),
            (Version::HTTP_2, "http://user@a/", &[]),
        ] {
            assert!(!is_accepted(version, target, hosts), "{version:?} {target} {hosts:?}");
        }
    }
}

//! The hosts that a server answers for. The page of any site can make a browser send requests to a server on the same
//! machine, and read the responses, by letting the site's name resolve to a loopback address (DNS rebinding): only the host
//! that such a request names distinguishes it from one that is meant for the server.

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;

use super::root;
use crate::http::{Host, HostPort};

/// The hosts that a server answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Every host.
    Any,
    /// Hosts that resolve to the machine itself: `localhost`, names below it, and loopback addresses.
    Loopback,
}

impl Hosts {
    /// Refuses requests for other hosts before they reach these routes.
    pub(super) fn guard<S: Clone + Send + Sync + 'static>(self, routes: Router<S>) -> Router<S> {
        match self {
            Hosts::Any => routes,
            Hosts::Loopback => routes.layer(from_fn(refuse_others)),
        }
    }
}

/// Refuses requests for other hosts with 421 (RFC 9110 §15.5.20).
async fn refuse_others(request: Request, next: Next) -> Response {
    if is_for_loopback(&request) {
        return next.run(request).await;
    }
    let detail = "only requests for a loopback host, such as localhost, are answered; --expose lifts that";
    root::problem(StatusCode::MISDIRECTED_REQUEST, Some(detail))
}

/// Checks whether a request names a loopback host and no other. A target in absolute form and HTTP/2's `:authority` take
/// precedence over `Host` (RFC 9112 §3.2.2, RFC 9113 §8.3.1); here each must be a loopback host, and at most one `Host` is
/// allowed.
fn is_for_loopback(request: &Request) -> bool {
    let target = request.uri().authority().map(Authority::as_str);
    let mut lines = request.headers().get_all(header::HOST).iter().map(HeaderValue::to_str);
    let (host, second) = (lines.next(), lines.next());
    (target.is_some() || host.is_some())
        && second.is_none()
        && target.is_none_or(is_loopback)
        && host.is_none_or(|host| host.is_ok_and(is_loopback))
}

/// Checks whether host and port name a loopback host as browsers write it: an address in its usual form, no dot at the end of a
/// name.
fn is_loopback(authority: &str) -> bool {
    HostPort::parse(authority).is_some_and(|HostPort { host, .. }| match host {
        Host::V6(address) => IpAddr::from(address).to_canonical().is_loopback(),
        Host::Name(name) => name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback()) || is_localhost(name),
    })
}

/// Checks for `localhost` and the names below it, which resolve to loopback addresses without a DNS query (RFC 6761 §6.3).
fn is_localhost(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let mut labels = name.rsplit('.');
    labels.next().is_some_and(|last| last.eq_ignore_ascii_case("localhost")) && labels.all(is_label)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn loopback_hosts_are_accepted_with_any_port() {
        for host in [
            "localhost",
            "LOCALHOST",
            "app.localhost",
            "a.b-c.d_e.LocalHost",
            "127.0.0.1",
            "127.255.255.255",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::FFFF:7f00:1]",
        ] {
            for port in ["", ":", ":0", ":80", ":65535"] {
                assert!(is_loopback(&format!("{host}{port}")), "{host}{port}");
            }
        }
    }

    #[test]
    fn every_other_host_is_refused() {
        for host in [
            "",
            ".",
            ":80",
            "site.example",
            "localhost.site.example",
            "site-localhost",
            "sitelocalhost",
            "127.0.0.1.site.example",
            ".localhost",
            "a..localhost",
            "localhost.",
            "127.0.0.1.",
            "localhost@site.example",
            "site.example@localhost",
            "site.example:80@localhost",
            "site.example/.localhost",
            "site.example\\.localhost",
            "site.example#.localhost",
            "site.example?.localhost",
            "site.example%00.localhost",
            "site.example, localhost",
            " localhost",
            "localhost ",
            "ſocalhost",
            "localhoﬆ",
            "localhost:80:80",
            "localhost:+80",
            "localhost:65536",
            "localhost:80 ",
            "localhost:http",
            "127.1",
            "127.0.0",
            "127.0.0.01",
            "0127.0.0.1",
            "0x7f.0.0.1",
            "2130706433",
            "0.0.0.0",
            "10.0.0.1",
            "128.0.0.1",
            "::1",
            "[::1",
            "::1]",
            "[[::1]]",
            "[::1]x",
            "[::1]:x",
            "[::1%lo]",
            "[::]",
            "[::2]",
            "[::127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[127.0.0.1]",
            "[localhost]",
        ] {
            assert!(!is_loopback(host), "{host:?}");
        }
    }

    fn named(target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(header::HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
        }
        is_for_loopback(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn the_target_and_the_host_header_must_name_a_loopback_host() {
        assert!(named("/", &["localhost"]));
        assert!(named("http://localhost:80/", &[]));
        assert!(named("http://127.0.0.1/", &["localhost"]));
        for (target, hosts) in [
            ("/", &[][..]),
            ("/", &[""]),
            ("*", &[]),
            ("/", &["localhost", "localhost"]),
            ("/", &["localhost", "site.example"]),
            ("http://localhost/", &["site.example"]),
            ("http://localhost/", &["localhost", "localhost"]),
            ("http://site.example/", &["localhost"]),
            ("http://localhost@site.example/", &["localhost"]),
            ("http://site.example@localhost/", &["localhost"]),
            ("/", &["localhost\u{e9}"]),
        ] {
            assert!(!named(target, hosts), "{target} {hosts:?}");
        }
    }

    /// Checks whether a host, parsed as in a URL (WHATWG URL), resolves to loopback if only the loopback names are known.
    fn resolves_to_loopback(host: &str) -> bool {
        let Ok(url) = reqwest::Url::parse(&format!("http://{host}/")) else { return false };
        if !url.username().is_empty()
            || url.password().is_some()
            || url.path() != "/"
            || url.as_str().contains(['#', '?'])
        {
            return false;
        }
        let name = url.host_str().unwrap_or_default();
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>().map(|address| address.to_canonical());
        address.map_or(name == "localhost" || name.ends_with(".localhost"), |address| address.is_loopback())
    }

    proptest! {
        #[test]
        fn a_host_is_accepted_only_if_it_resolves_to_loopback(host in "\\PC{0,20}") {
            prop_assert!(!is_loopback(&host) || resolves_to_loopback(&host));
        }

        /// Mixes the pieces of accepted hosts with those that could turn them into another host.
        #[test]
        fn a_mixture_of_pieces_is_accepted_only_if_it_resolves_to_loopback(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "localhost", "LOCALHOST", "site.example", "127.0.0.1", "127", "0", "1", "[::1]", "[", "]", "::1", "::",
                    "ffff", ".", ":", "@", "/", "\\", "#", "?", "%", "%2e", "-", "_", "80", " ", "\t", "x", "é", "。",
                ]),
                0..7,
            ),
        ) {
            let host = pieces.concat();
            prop_assert!(!is_loopback(&host) || resolves_to_loopback(&host), "{}", host);
        }
    }
}

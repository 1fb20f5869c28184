//! Deserializers of URLs and web origins: each function is the `deserialize_with` of a field, or a check for one.

use std::net::IpAddr;

use axum::http::Uri;
use axum::http::uri::Authority;
use serde::Deserializer;

use super::ANY_PORT;
use super::value::{list, read};

/// Reads a web origin (RFC 6454, section 6.2), or empty text.
pub(super) fn origin<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    let expected = "expected http:// or https:// and a host without a path, such as https://id.example.com";
    read(source, expected, |text| (text.is_empty() || is_origin(text)).then(|| text.to_owned()))
}

/// Reads web origins as browsers send them.
pub(super) fn cors_origins<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    let expected = "expected a list of web origins such as [\"https://app.example.com\"], \
                    each in lower case and without a path and the scheme's own port";
    list(source, expected, |text| match text {
        "*" => Err("\"*\" would let the pages of every site call the server for their visitors; \
                    name each origin, such as https://app.example.com"),
        text if text.ends_with(ANY_PORT) && is_loopback_with_any_port(text) => Ok(text.to_owned()),
        text if !text.ends_with(ANY_PORT) && is_origin(text) && is_as_sent(text) => Ok(text.to_owned()),
        _ => Err(expected),
    })
}

/// Reads a URL with `http://` or `https://`, or empty text for none.
pub(super) fn optional<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let expected = "expected a URL with http:// or https:// such as http://127.0.0.1:4318";
    read(source, expected, |text| match text {
        "" => Some(None),
        text => parse(text).map(|_| Some(text.to_owned())),
    })
}

/// Reads a URL that passes [`is_trustworthy`], or empty text for none.
pub(super) fn optional_trustworthy<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let expected = "must be a URL with https://, or with http:// and a loopback host, \
                    such as https://login.example.com/jwks.json";
    read(source, expected, |text| match text {
        "" => Some(None),
        text => is_trustworthy(text).then(|| Some(text.to_owned())),
    })
}

/// Checks whether the server at a URL is authentic: by TLS, or because only this machine can listen there.
pub(super) fn is_trustworthy(text: &str) -> bool {
    let Some(url) = parse(text) else { return false };
    url.scheme_str() == Some("https") || is_loopback(url.host().unwrap_or_default())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Parses an `http://` or `https://` URL that has a host, and neither a user nor a fragment.
fn parse(text: &str) -> Option<Uri> {
    let url = text.parse::<Uri>().ok().filter(|_| !text.contains('#'))?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let has_host = url.authority().is_some_and(|host| !host.host().is_empty() && !host.as_str().contains('@'));
    (is_web && has_host).then_some(url)
}

/// Checks whether two URLs are spellings of one web origin: scheme, host and port, without a path.
pub(super) fn is_same_origin(one: &str, other: &str) -> bool {
    let origin = |text: &str| {
        let url = parse(text).filter(|url| url.path() == "/" && url.query().is_none())?;
        let scheme = url.scheme_str()?.to_owned();
        let port = url.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some((scheme, url.host()?.to_ascii_lowercase(), port))
    };
    origin(one).is_some_and(|one| origin(other) == Some(one))
}

/// Checks for the origin of a loopback host with any port: only this machine serves pages there.
fn is_loopback_with_any_port(text: &str) -> bool {
    let origin = text.strip_suffix(ANY_PORT).filter(|origin| is_origin(origin) && is_as_sent(origin));
    let url = origin.and_then(parse);
    let without_port = url.as_ref().filter(|url| url.authority().map(Authority::as_str) == url.host());
    without_port.and_then(Uri::host).is_some_and(is_loopback)
}

fn is_origin(text: &str) -> bool {
    let parts = parse(text).map(Uri::into_parts);
    let bare = parts.and_then(|parts| Some(format!("{}://{}", parts.scheme?, parts.authority?)));
    bare.as_deref() == Some(text)
}

/// Checks whether a browser sends an origin in this form (RFC 6454, section 6.2); any other form never matches.
fn is_as_sent(origin: &str) -> bool {
    let default_port = if origin.starts_with("https:") { ":443" } else { ":80" };
    !origin.ends_with(default_port) && !origin.contains(|c: char| c.is_ascii_uppercase())
}

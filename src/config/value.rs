//! Deserializers of single values: each function is the `deserialize_with` of a field, and its error names what was
//! expected.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use ipnet::IpNet;
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use super::Secret;

/// Milliseconds of a minute, for the bounds of [`duration`].
pub(super) const MINUTE: i64 = 60_000;
/// Milliseconds of an hour, for the bounds of [`duration`].
pub(super) const HOUR: i64 = 60 * MINUTE;

const ADDRESS: &str = "expected an address and port such as 127.0.0.1:8080";

/// The configured database.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// A file of the embedded database.
    Sqlite(PathBuf),
    /// A `postgres://` or `postgresql://` URL; it may contain a password.
    Postgres(Secret),
}

/// The 32 bytes that protect all other keys, if configured; never printed.
#[derive(Clone)]
pub struct MasterKey(Option<[u8; 32]>);

impl MasterKey {
    /// Returns the key, or `None` if it is in a file of the data folder.
    pub fn expose(&self) -> Option<&[u8; 32]> {
        self.0.as_ref()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(super::secret::HIDDEN)
    }
}

impl<'de> Deserialize<'de> for MasterKey {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let expected = "expected 64 hexadecimal digits, such as `openssl rand -hex 32` prints";
        read(source, expected, |text| match text {
            "" => Some(Self(None)),
            digits => from_hex(digits).map(|key| Self(Some(key))),
        })
    }
}

/// Reads a whole number from `MIN` to `MAX`.
pub(super) fn count<'de, D: Deserializer<'de>, const MIN: i64, const MAX: i64>(source: D) -> Result<usize, D::Error> {
    let number = i64::deserialize(source).map_err(|_| D::Error::custom("expected a whole number"))?;
    let count = usize::try_from(number).ok().filter(|_| (MIN..=MAX).contains(&number));
    count.ok_or_else(|| D::Error::custom(format!("must be between {MIN} and {MAX}")))
}

/// Reads a duration from `MIN` to `MAX` milliseconds.
pub(super) fn duration<'de, D: Deserializer<'de>, const MIN: i64, const MAX: i64>(
    source: D,
) -> Result<Duration, D::Error> {
    let duration: SignedDuration = parsed(source, "expected a duration such as 30s, 5m or 1h")?;
    let (min, max) = (SignedDuration::from_millis(MIN), SignedDuration::from_millis(MAX));
    let bounded = Duration::try_from(duration).ok().filter(|_| (min..=max).contains(&duration));
    bounded.ok_or_else(|| D::Error::custom(format!("must be between {min:#} and {max:#}")))
}

pub(super) fn address<'de, D: Deserializer<'de>>(source: D) -> Result<SocketAddr, D::Error> {
    parsed(source, ADDRESS)
}

/// Reads an address and port, or empty text for none.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(source: D) -> Result<Option<SocketAddr>, D::Error> {
    read(source, ADDRESS, |text| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) })
}

/// Reads addresses and networks; an address is a network of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<IpNet>, D::Error> {
    let expected = "expected a list of addresses or networks such as [\"10.0.0.1\", \"fd00::/8\"]";
    list(source, expected, |text| {
        let network = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>());
        network.map(|network| network.trunc()).map_err(|_| expected)
    })
}

pub(super) fn path<'de, D: Deserializer<'de>>(source: D) -> Result<PathBuf, D::Error> {
    read(source, "expected the path of a folder", |text| (!text.is_empty()).then(|| text.into()))
}

/// Reads the path of a file, or empty text for none.
pub(super) fn optional_path<'de, D: Deserializer<'de>>(source: D) -> Result<Option<PathBuf>, D::Error> {
    read(source, "expected the path of a file", |text| Some((!text.is_empty()).then(|| text.into())))
}

pub(super) fn database_url<'de, D: Deserializer<'de>>(source: D) -> Result<Secret, D::Error> {
    let text = read(source, "expected sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE", |text| {
        let secret = Secret::from(text.to_owned());
        (text.is_empty() || resolve_database(&secret).is_some()).then_some(secret)
    })?;
    if postgres_location(text.expose()).is_none_or(is_unambiguous) {
        return Ok(text);
    }
    Err(D::Error::custom(
        "expected postgres://USER:PASSWORD@HOST/DATABASE; in USER and PASSWORD write @ as %40, ? as %3F and % as %25",
    ))
}

/// Checks whether the rest of a PostgreSQL URL has no `@` besides the one before a host. Otherwise the driver would take a
/// part of the password for the host or the database, which errors name.
fn is_unambiguous(location: &str) -> bool {
    let (userinfo, place) = location.split_once('@').unwrap_or(("", location));
    let is_query = userinfo.split_once('?').is_some_and(|(_, query)| query.contains('='));
    let servers = place.split(['/', '?']).next().unwrap_or_default();
    !is_query && !place.contains('@') && servers.split(',').all(is_server)
}

/// Checks for a host, an address or an encoded path, which a port may follow.
fn is_server(text: &str) -> bool {
    let (host, port, allowed) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, rest)) => (address, rest, "-._~%:"),
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (host, port, "-._~%")
        }
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    host.chars().all(|c| c.is_alphanumeric() || allowed.contains(c))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Returns a URL of PostgreSQL without its scheme.
fn postgres_location(url: &str) -> Option<&str> {
    url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))
}

/// Returns the database that a URL names; `None` if it is empty or names none.
pub(super) fn resolve_database(url: &Secret) -> Option<DatabaseUrl> {
    let text = url.expose();
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        // SQLite does not treat `:memory:` and `file:` as paths, and every connection has its own `:memory:`.
        let is_path = !path.is_empty() && !path.starts_with(':') && !path.starts_with("file:");
        return is_path.then(|| DatabaseUrl::Sqlite(path.into()));
    }
    (!postgres_location(text)?.is_empty()).then(|| DatabaseUrl::Postgres(url.clone()))
}

pub(super) fn issuer_name<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    read(source, "expected at most 255 bytes without spaces", |text| fits_issuer(text).then(|| text.to_owned()))
}

/// Checks whether a text can be the `iss` of a token.
pub(super) fn fits_issuer(text: &str) -> bool {
    text.len() <= 255 && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

pub(super) fn log_level<'de, D: Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    let expected = "expected error, warn, info, debug, trace or off, or directives such as info,selfsame=debug";
    // A misspelt level alone would be taken for the name of a module, and silence all others.
    let is_known = |part: &str| part.contains(['=', '[', ']', '{', '}']) || part.trim().parse::<LevelFilter>().is_ok();
    let is_valid = |text: &str| !text.is_empty() && text.split(',').all(is_known) && EnvFilter::try_new(text).is_ok();
    read(source, expected, |text| is_valid(text).then(|| text.to_owned()))
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?.try_into().ok()
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr>(source: D, expected: &str) -> Result<T, D::Error> {
    read(source, expected, |text| text.parse().ok())
}

/// Reads text with `convert`; a value of another type and a refused text give the same error.
pub(super) fn read<'de, D: Deserializer<'de>, T>(
    source: D,
    expected: &str,
    convert: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let text = String::deserialize(source).map_err(|_| D::Error::custom(expected))?;
    convert(&text).ok_or_else(|| D::Error::custom(expected))
}

/// Reads a list of texts with `convert`, whose error describes what is wrong with one of them.
pub(super) fn list<'de, D: Deserializer<'de>, T, E: fmt::Display>(
    source: D,
    expected: &str,
    convert: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(source).map_err(|_| D::Error::custom(expected))?;
    texts.iter().map(|text| convert(text).map_err(D::Error::custom)).collect()
}

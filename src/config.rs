//! The configuration: what can be set, where each value came from, and why a value was refused.
//!
//! `config.default.toml` names every setting and is compiled in. A file, the environment and command-line flags override it,
//! in this order ([`Config::load`]). The structs below are the effective settings; the limits of each are at its field.

mod check;
mod codes;
mod error;
mod exposed;
mod layers;
mod load;
mod messages;
mod pictures;
mod public_url;
mod secret;
mod settings;
mod templates;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;
mod trusted_issuer;
mod url;
mod value;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use ipnet::IpNet;
use serde::Deserialize;

use self::value::{HOUR, MINUTE, count, duration};
pub use self::{
    check::OWN_ISSUER,
    codes::{CodeRules, Codes},
    error::{ConfigError, Origin},
    exposed::ExposedFile,
    load::{Loaded, Overrides, Setting, Sources},
    messages::{Notices, Sms, SmsFormat, Smtp, SmtpSecurity},
    pictures::{PictureStore, Pictures},
    public_url::PublicUrl,
    secret::Secret,
    trusted_issuer::{AccessTokenClaim, KeySource, Provision, TrustedIssuer},
    value::{DatabaseUrl, MasterKey},
};

/// The end of a web origin of a loopback host that stands for any port.
pub const ANY_PORT: &str = ":*";

/// The text of `config.default.toml`, the reference of all settings.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// All settings, valid individually and together.
///
/// `config.default.toml` documents each one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the embedded database and the master key.
    #[serde(deserialize_with = "value::path")]
    pub data: PathBuf,
    /// The listener, and the limits of connections and requests.
    pub server: Server,
    /// The database that stores the accounts.
    pub database: Database,
    /// The key that protects all other keys.
    pub keys: Keys,
    /// The tokens that this installation signs.
    pub issuer: Issuer,
    /// Requirements of the System portal.
    pub system: System,
    /// Encryption of bodies.
    pub secure_channel: SecureChannel,
    /// Verification of credentials.
    pub identity: Identity,
    /// External issuers whose tokens are accepted, by the name that the operator gave them.
    #[serde(default)]
    pub trusted_issuer: BTreeMap<String, TrustedIssuer>,
    /// Rate limits.
    pub rate_limit: RateLimit,
    /// Where pictures are stored, and for how long.
    pub pictures: Pictures,
    /// One-time codes.
    pub codes: Codes,
    /// The mail server.
    pub smtp: Smtp,
    /// The SMS gateway.
    pub sms: Sms,
    /// Notices about changed addresses.
    pub notices: Notices,
    /// The operator's listener.
    pub operator: Operator,
    /// Export of traces.
    pub telemetry: Telemetry,
    /// What is logged, and how.
    pub log: Log,
}

/// The listener, and the limits of connections and requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address to listen on; port 0 takes a free port.
    #[serde(deserialize_with = "value::address")]
    pub listen: SocketAddr,
    /// The origin that clients use, or empty; [`Config::public_url`] resolves it.
    #[serde(deserialize_with = "url::origin")]
    pub public_url: String,
    /// PEM certificates to present to clients, or `None` for no TLS; set together with
    /// [`tls_private_key`](Self::tls_private_key).
    #[serde(deserialize_with = "value::optional_path")]
    pub tls_certificate: Option<PathBuf>,
    /// PEM private key of [`tls_certificate`](Self::tls_certificate).
    #[serde(deserialize_with = "value::optional_path")]
    pub tls_private_key: Option<PathBuf>,
    /// How long browsers that used TLS once must use it; zero sends no such header, and without TLS none is sent.
    #[serde(deserialize_with = "duration::<_, 0, { 17_520 * HOUR }>")]
    pub hsts_max_age: Duration,
    /// Proxies whose forwarding header and request identifier are trusted; a single address is a network of one.
    #[serde(deserialize_with = "value::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which those proxies name the client's address.
    pub forwarding_header: ForwardingHeader,
    /// Web origins whose pages may call the server, each as a browser sends it in `Origin`; those of loopback hosts may end in
    /// [`ANY_PORT`].
    #[serde(deserialize_with = "url::cors_origins")]
    pub cors_origins: Vec<String>,
    /// Time limit of a whole request, up to its response.
    #[serde(deserialize_with = "duration::<_, 100, { 10 * MINUTE }>")]
    pub request_timeout: Duration,
    /// Time limit to receive a request's header, and for an idle connection.
    #[serde(deserialize_with = "duration::<_, 100, { 10 * MINUTE }>")]
    pub header_timeout: Duration,
    /// Time limit to receive a request's body, without the time that [`min_body_rate`](Self::min_body_rate) adds.
    #[serde(deserialize_with = "duration::<_, 100, { 10 * MINUTE }>")]
    pub body_timeout: Duration,
    /// The bytes of a body that add one second to its time limit, and to that of its request.
    #[serde(deserialize_with = "count::<_, 1_024, 1_000_000_000>")]
    pub min_body_rate: usize,
    /// Time that a response may wait for a client that does not read.
    #[serde(deserialize_with = "duration::<_, 100, { 10 * MINUTE }>")]
    pub write_timeout: Duration,
    /// Time that requests in flight have to finish when the server stops.
    #[serde(deserialize_with = "duration::<_, 0, HOUR>")]
    pub shutdown_timeout: Duration,
    /// Time between the end of readiness and the closing of the listener.
    #[serde(deserialize_with = "duration::<_, 0, { 10 * MINUTE }>")]
    pub drain_delay: Duration,
    /// The maximum number of open connections.
    #[serde(deserialize_with = "count::<_, 1, 1_000_000>")]
    pub max_connections: usize,
    /// The number of connections beyond these on which only health is answered; 0 means none.
    #[serde(deserialize_with = "count::<_, 0, 1_000>")]
    pub health_connections: usize,
    /// The maximum number of requests in flight.
    #[serde(deserialize_with = "count::<_, 1, 100_000>")]
    pub max_requests: usize,
    /// The maximum number of readiness requests that wait for the database, beyond these.
    #[serde(deserialize_with = "count::<_, 1, 1_000>")]
    pub health_requests: usize,
    /// The percentage of connections and of requests in flight that one source network may have; 100 means all.
    #[serde(deserialize_with = "count::<_, 1, 100>")]
    pub network_share: usize,
    /// The maximum number of bytes of bodies that are announced or received, and not complete yet.
    #[serde(deserialize_with = "count::<_, 4_194_304, 1_099_511_627_776>")]
    pub max_unread_bytes: usize,
    /// The part of [`max_unread_bytes`](Self::max_unread_bytes) that one source network may have.
    #[serde(deserialize_with = "count::<_, 4_194_304, 1_099_511_627_776>")]
    pub max_network_unread_bytes: usize,
    /// The maximum number of bytes that are drained of a body that is not read, at least those of every body that is.
    #[serde(deserialize_with = "count::<_, 4_194_304, 1_099_511_627_776>")]
    pub max_drained_bytes: usize,
    /// The maximum size of a request's header, in bytes; hyper needs a buffer of at least 8192.
    #[serde(deserialize_with = "count::<_, 8_192, 1_048_576>")]
    pub max_header_bytes: usize,
    /// The maximum size of a bearer token, in bytes; at most `max_header_bytes`.
    #[serde(deserialize_with = "count::<_, 1_024, 1_048_576>")]
    pub max_token_bytes: usize,
    /// The maximum number of lines of a request's header.
    #[serde(deserialize_with = "count::<_, 16, 1_024>")]
    pub max_headers: usize,
    /// Whether the contracts' OpenAPI documents and the page that shows them are served.
    pub docs: bool,
}

impl Server {
    /// Returns what one source network may have of a number that all clients have together; at least one.
    pub fn share_of(&self, all: usize) -> usize {
        (all.saturating_mul(self.network_share) / 100).max(1)
    }
}

/// The header in which a proxy names the client's address.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`, which most proxies write.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The database that stores the accounts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The database URL as configured, or empty; [`Config::database`] resolves it.
    #[serde(deserialize_with = "value::database_url")]
    pub url: Secret,
    /// PEM certificates that sign a PostgreSQL server's certificate, or `None` for those that the system trusts.
    #[serde(deserialize_with = "value::optional_path")]
    pub root_certificates: Option<PathBuf>,
    /// The maximum number of connections to PostgreSQL: an eighth, at most eight, are shared by requests that read, and two
    /// commit changes.
    #[serde(deserialize_with = "count::<_, 4, 1_000>")]
    pub connections: usize,
    /// The number of connections that read from SQLite.
    #[serde(deserialize_with = "count::<_, 1, 64>")]
    pub readers: usize,
    /// Time limit to get a connection, new or free.
    #[serde(deserialize_with = "duration::<_, 10, MINUTE>")]
    pub wait_timeout: Duration,
    /// Time limit of one statement.
    #[serde(deserialize_with = "duration::<_, 10, { 10 * MINUTE }>")]
    pub statement_timeout: Duration,
    /// The maximum number of writes that wait for SQLite, and of changes that wait to be committed in PostgreSQL.
    #[serde(deserialize_with = "count::<_, 1, 65_536>")]
    pub queue: usize,
    /// The maximum number of writes that one commit makes durable; at most [`queue`](Self::queue).
    #[serde(deserialize_with = "count::<_, 1, 4_096>")]
    pub group: usize,
    /// Whether PostgreSQL spreads the accounts over several servers. Then a transaction writes the tables of one account where
    /// it can, account numbers are drawn in blocks, and one token is revoked with its account.
    pub distributed: bool,
    /// Whether to start on a database that can lose acknowledged writes.
    pub allow_unsafe_durability: bool,
}

/// The key that protects all other keys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The master key; if it is not set, it is in the file [`Config::master_key_file`].
    pub master_key: MasterKey,
}

/// The tokens that this installation signs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` claim; if empty, `urn:uuid:` and the id of the installation.
    #[serde(deserialize_with = "value::issuer_name")]
    pub name: String,
    /// Tolerated difference between clocks when a token is verified.
    #[serde(deserialize_with = "duration::<_, 0, { 10 * MINUTE }>")]
    pub leeway: Duration,
    /// How long a token is valid by default.
    #[serde(deserialize_with = "duration::<_, 1_000, { 8_760 * HOUR }>")]
    pub token_lifetime: Duration,
    /// The longest validity of a token.
    #[serde(deserialize_with = "duration::<_, 1_000, { 8_760 * HOUR }>")]
    pub max_token_lifetime: Duration,
    /// How long after it was spent a refresh token of an application brings a further one.
    #[serde(deserialize_with = "duration::<_, 0, MINUTE>")]
    pub refresh_grace_period: Duration,
}

/// Requirements of the System portal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Whether requests must carry `X-Client-Hash`.
    pub client_hash: ClientHash,
    /// Whether bodies must be encrypted.
    pub secure_channel: BodyEncryption,
}

/// Whether the bodies of requests to the System portal must be encrypted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum BodyEncryption {
    /// A plain body is refused.
    Required,
    /// A plain body is accepted.
    Optional,
}

/// Encryption of bodies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecureChannel {
    /// Whether encrypted bodies must be bound to the caller.
    pub binding: ChannelBinding,
    /// How far the `iat` of a message in JOSE form may be from the server's time.
    #[serde(deserialize_with = "duration::<_, 1_000, { 24 * HOUR }>")]
    pub replay_window: Duration,
    /// How long a replaced key still decrypts.
    #[serde(deserialize_with = "duration::<_, 0, { 8_760 * HOUR }>")]
    pub old_keys_for: Duration,
    /// The maximum number of sessions of an account.
    #[serde(deserialize_with = "count::<_, 1, 1_000>")]
    pub account_sessions: usize,
    /// The maximum number of sessions of one source address that no account has used yet.
    #[serde(deserialize_with = "count::<_, 1, 100_000>")]
    pub address_sessions: usize,
    /// The maximum number of sessions that no account has used yet.
    #[serde(deserialize_with = "count::<_, 1, 1_000_000>")]
    pub unused_sessions: usize,
}

/// Whether encrypted bodies must be bound to the account or the access token that they are sent with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ChannelBinding {
    /// Whatever is not bound is refused.
    Required,
    /// Whatever is bound is checked.
    Optional,
}

/// Whether requests to the System portal must carry `X-Client-Hash`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ClientHash {
    /// A request without it is refused.
    Required,
    /// A request without it is accepted.
    Optional,
}

/// Verification of credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The maximum number of verified tokens in the cache; 0 turns the cache off.
    #[serde(deserialize_with = "count::<_, 0, 1_000_000>")]
    pub remembered_tokens: usize,
}

/// The maximum number of requests in each [`window`](Self::window), and of bytes in a day; 0 means no limit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// The time over which the limits count.
    #[serde(deserialize_with = "duration::<_, 1_000, HOUR>")]
    pub window: Duration,
    /// Requests of one source address, counted before credentials are checked.
    #[serde(deserialize_with = "count::<_, 0, 1_000_000>")]
    pub address: usize,
    /// Requests of one account to the System portal.
    #[serde(deserialize_with = "count::<_, 0, 1_000_000>")]
    pub system: usize,
    /// Requests of one account to RiverGen.
    #[serde(deserialize_with = "count::<_, 0, 1_000_000>")]
    pub rivergen: usize,
    /// Requests with one API key to CL2C, and requests of one account to CIAM.
    #[serde(deserialize_with = "count::<_, 0, 1_000_000>")]
    pub default: usize,
    /// Bytes of pictures, as they are stored, that the owner of an account may store in 24 hours.
    #[serde(deserialize_with = "count::<_, 0, 1_073_741_824>")]
    pub picture_bytes_per_day: usize,
    /// Bytes of history that the owner of an account may cause in 24 hours.
    #[serde(deserialize_with = "count::<_, 0, 1_073_741_824>")]
    pub history_bytes_per_day: usize,
    /// The maximum number of addresses, accounts or API keys that each limit tracks.
    #[serde(deserialize_with = "count::<_, 1_000, 10_000_000>")]
    pub tracked: usize,
}

/// The operator's listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Address of this second listener, or `None` for no such listener.
    #[serde(deserialize_with = "value::optional_address")]
    pub listen: Option<SocketAddr>,
}

/// Export of traces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// URL of the collector that traces are sent to (OTLP over HTTP), or `None` for no traces.
    #[serde(deserialize_with = "url::optional")]
    pub otlp_endpoint: Option<String>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How a line is written.
    pub format: LogFormat,
    /// Directives for `tracing_subscriber::EnvFilter`, which are known to parse.
    #[serde(deserialize_with = "value::log_level")]
    pub level: String,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Text.
    Text,
    /// One JSON object per line.
    Json,
}

impl Config {
    /// Reads and checks every setting: defaults, then the file, the environment and the flags of `sources`.
    ///
    /// # Errors
    ///
    /// Names the first setting that is unknown, malformed or out of bounds, or the file that cannot be read.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        load::load(sources)
    }

    /// Returns the database to open; the default is a file in the data folder.
    pub fn database(&self) -> DatabaseUrl {
        value::resolve_database(&self.database.url)
            .unwrap_or_else(|| DatabaseUrl::Sqlite(self.data.join("selfsame.sqlite3")))
    }

    /// Returns the folder of uploaded pictures, used if [`Pictures::store`] names no bucket.
    pub fn pictures_folder(&self) -> PathBuf {
        self.data.join("pictures")
    }

    /// Returns the path of the master key, used if [`Keys::master_key`] is not set.
    pub fn master_key_file(&self) -> PathBuf {
        self.data.join("secret.key")
    }

    /// Checks whether the installation signs tokens under this name, as far as the configuration decides it: the embedded
    /// issuer's name or, for the tokens of applications, the public address in any spelling.
    pub fn signs_as(&self, issuer: &str) -> bool {
        let own = self.public_url(self.server.listen);
        issuer == self.issuer.name || issuer == own || url::is_same_origin(issuer, &own)
    }

    /// Returns the origin that clients use, without a slash at its end; `bound` is the address that the server listens on.
    ///
    /// Clients cannot call an address that means "every interface", so the loopback address replaces it.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        if !self.server.public_url.is_empty() {
            return self.server.public_url.clone();
        }
        let host = match bound.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        let scheme = if self.server.tls_certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", SocketAddr::new(host, bound.port()))
    }
}

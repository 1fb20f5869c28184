//! Rules between settings; the rule of a single setting is at its field.

use std::collections::BTreeMap;

use super::{
    Config, ConfigError, DatabaseUrl, KeySource, Origin, Server, TrustedIssuer,
    secret::{both_given, is_empty},
    settings::Settings,
    url,
};

/// Why an issuer cannot be trusted: its keys could otherwise sign tokens that count as this installation's.
pub const OWN_ISSUER: &str =
    "is a name under which this installation signs tokens itself; a trusted issuer needs another one";

pub(super) fn check(config: &Config, settings: &Settings) -> Result<(), ConfigError> {
    let Config { server, database, issuer, trusted_issuer, pictures, codes, smtp, sms, .. } = config;
    at_most(settings, ("database.group", database.group), ("database.queue", database.queue))?;
    if database.distributed && matches!(config.database(), DatabaseUrl::Sqlite(_)) {
        return Err(
            settings.refuse("database.distributed", "only PostgreSQL is distributed; leave it false for SQLite")
        );
    }
    at_most(
        settings,
        ("issuer.token_lifetime", issuer.token_lifetime),
        ("issuer.max_token_lifetime", issuer.max_token_lifetime),
    )?;
    // The default is no promise: headers may have been limited to less before tokens had a limit of their own.
    if settings.get("server.max_token_bytes").is_some_and(|entry| entry.origin != Origin::Default) {
        at_most(
            settings,
            ("server.max_token_bytes", server.max_token_bytes),
            ("server.max_header_bytes", server.max_header_bytes),
        )?;
    }
    at_most(
        settings,
        ("server.max_network_unread_bytes", server.max_network_unread_bytes),
        ("server.max_unread_bytes", server.max_unread_bytes),
    )?;
    tls_is_whole(server, settings)?;
    pictures.check(settings)?;
    codes.check(settings)?;
    smtp.check(settings)?;
    sms.check(settings)?;
    for (name, issuer) in trusted_issuer {
        keys_have_one_source(name, issuer, settings)?;
        if config.signs_as(&issuer.issuer) {
            return Err(settings.refuse(&format!("trusted_issuer.{name}.issuer"), OWN_ISSUER));
        }
    }
    issuers_differ(trusted_issuer, settings)
}

fn tls_is_whole(server: &Server, settings: &Settings) -> Result<(), ConfigError> {
    let (certificate, key) = ("server.tls_certificate", "server.tls_private_key");
    let (given, missing) = match (&server.tls_certificate, &server.tls_private_key) {
        (Some(_), None) => (certificate, key),
        (None, Some(_)) => (key, certificate),
        _ => return Ok(()),
    };
    Err(settings.refuse(given, format!("{missing} must be given too")))
}

fn keys_have_one_source(name: &str, issuer: &TrustedIssuer, settings: &Settings) -> Result<(), ConfigError> {
    let key = |setting: &str| format!("trusted_issuer.{name}.{setting}");
    let (uri, file) = (key("jwks_uri"), key("jwks_file"));
    if let (Some(uri_entry), Some(file_entry)) = (settings.get(&uri), settings.get(&file))
        && !is_empty(&uri_entry.value)
        && !is_empty(&file_entry.value)
    {
        return Err(both_given(&uri, &file, &file_entry.origin));
    }
    // An issuer's URL must not have a query: the path of the discovery document is appended to it (OpenID Connect Discovery
    // 1.0, section 4).
    let is_discoverable = url::is_trustworthy(&issuer.issuer) && !issuer.issuer.contains('?');
    if issuer.keys == KeySource::Discovery && !is_discoverable {
        let problem = format!(
            "must be a URL with https://, or with http:// and a loopback host, to discover its keys there; \
             otherwise set {uri} or {file}"
        );
        return Err(settings.refuse(&key("issuer"), problem));
    }
    Ok(())
}

fn issuers_differ(issuers: &BTreeMap<String, TrustedIssuer>, settings: &Settings) -> Result<(), ConfigError> {
    let mut seen = BTreeMap::new();
    for (name, TrustedIssuer { issuer, .. }) in issuers {
        if let Some(other) = seen.insert(issuer, name) {
            let problem = format!("trusted_issuer.{other} has the same issuer; keep one of them");
            return Err(settings.refuse(&format!("trusted_issuer.{name}.issuer"), problem));
        }
    }
    Ok(())
}

pub(super) fn at_most<T: PartialOrd>(settings: &Settings, low: (&str, T), high: (&str, T)) -> Result<(), ConfigError> {
    if low.1 <= high.1 {
        return Ok(());
    }
    let rank = |key| settings.get(key).map(|entry| entry.origin.rank());
    // Report the setting from the higher-ranking source: the other one may be a default that the operator has not seen.
    let (blamed, relation, other) =
        if rank(low.0) >= rank(high.0) { (low.0, "most", high.0) } else { (high.0, "least", low.0) };
    let other = settings.get(other).map(|entry| format!("{other} = {} ({})", entry.value, entry.origin));
    Err(settings.refuse(blamed, format!("must be at {relation} {}", other.unwrap_or_default())))
}

//! Rules between settings; the rule of a single one stands beside its field.

use super::{Config, ConfigError, settings::Settings};

pub(super) fn check(config: &Config, settings: &Settings) -> Result<(), ConfigError> {
    let Config { database, issuer, .. } = config;
    at_most(settings, ("database.group", database.group), ("database.queue", database.queue))?;
    at_most(
        settings,
        ("issuer.token_lifetime", issuer.token_lifetime),
        ("issuer.max_token_lifetime", issuer.max_token_lifetime),
    )
}

fn at_most<T: PartialOrd>(settings: &Settings, low: (&str, T), high: (&str, T)) -> Result<(), ConfigError> {
    if low.1 <= high.1 {
        return Ok(());
    }
    let rank = |key| settings.get(key).map(|entry| entry.origin.rank());
    // Blame the value that was set last: the other may well be a default that nobody has seen.
    let (blamed, relation, other) =
        if rank(low.0) >= rank(high.0) { (low.0, "most", high.0) } else { (high.0, "least", low.0) };
    let other = settings.get(other).map(|entry| format!("{other} = {} ({})", entry.value, entry.origin));
    Err(settings.refuse(blamed, format!("must be at {relation} {}", other.unwrap_or_default())))
}

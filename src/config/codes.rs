//! One-time codes: their length, their lifetime, their tries, and how often they are sent.

use std::time::Duration;

use serde::Deserialize;

use super::{
    ConfigError,
    check::at_most,
    settings::Settings,
    value::{HOUR, count, duration},
};

/// One-time codes, by use (`Usage` in `code/mod.rs`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The minimum response time to a request for a code, so that it does not reveal whether a message was sent.
    #[serde(deserialize_with = "duration::<_, 0, 10_000>")]
    pub answer_time: Duration,
    /// The maximum number of codes to one address in 24 hours, for all uses together.
    #[serde(deserialize_with = "count::<_, 1, 10_000>")]
    pub address_per_day: usize,
    /// The minimum time between two codes to sign in beyond the maxima of a day; never less than the interval of
    /// [`login`](Self::login).
    #[serde(deserialize_with = "duration::<_, 10_000, { 24 * HOUR }>")]
    pub extra_login_interval: Duration,
    /// Codes to sign in.
    pub login: CodeRules,
    /// Codes to sign up.
    pub signup: CodeRules,
    /// Codes to prove a new address through CIAM.
    pub update_userinfo: CodeRules,
    /// Codes to get a new password.
    pub reset_password: CodeRules,
    /// Codes to prove a new e-mail address through RiverGen.
    pub change_email: CodeRules,
}

/// Codes for one use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRules {
    /// The number of digits of a code.
    #[serde(deserialize_with = "count::<_, 4, 10>")]
    pub length: usize,
    /// How long a code is valid.
    #[serde(deserialize_with = "duration::<_, 10_000, HOUR>")]
    pub lifetime: Duration,
    /// How long the token of a code is stored; at least [`lifetime`](Self::lifetime).
    #[serde(deserialize_with = "duration::<_, 10_000, { 24 * HOUR }>")]
    pub token_lifetime: Duration,
    /// The number of tries, after which the newest two codes are void.
    #[serde(deserialize_with = "count::<_, 1, 10>")]
    pub tries: usize,
    /// The minimum time between two codes to one address, for this use.
    #[serde(deserialize_with = "duration::<_, 0, { 24 * HOUR }>")]
    pub interval: Duration,
    /// The maximum number of codes to one address in 24 hours, for this use.
    #[serde(deserialize_with = "count::<_, 1, 1_000>")]
    pub per_day: usize,
}

impl Codes {
    /// Checks the rules between these settings.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        let uses = [
            ("login", &self.login),
            ("signup", &self.signup),
            ("update_userinfo", &self.update_userinfo),
            ("reset_password", &self.reset_password),
            ("change_email", &self.change_email),
        ];
        for (name, rules) in uses {
            let (code, token) = (format!("codes.{name}.lifetime"), format!("codes.{name}.token_lifetime"));
            at_most(settings, (&code, rules.lifetime), (&token, rules.token_lifetime))?;
        }
        Ok(())
    }
}

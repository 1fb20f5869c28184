//! One-time codes: how they look, how long they hold, how often they are sent.

use std::time::Duration;

use serde::Deserialize;

use super::{
    ConfigError,
    check::at_most,
    settings::Settings,
    value::{HOUR, count, duration},
};

/// One-time codes, by what they are for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The least time for an answer to a wish for a code, so that nobody can tell by it whether a message left.
    #[serde(deserialize_with = "duration::<_, 0, 10_000>")]
    pub answer_time: Duration,
    /// To sign in.
    pub login: CodeRules,
    /// To sign up.
    pub signup: CodeRules,
    /// To prove a new address through CIAM.
    pub update_userinfo: CodeRules,
    /// To get a new password.
    pub reset_password: CodeRules,
    /// To prove a new e-mail address through RiverGen.
    pub change_email: CodeRules,
}

/// The codes of one use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRules {
    /// How many digits.
    #[serde(deserialize_with = "count::<_, 4, 10>")]
    pub length: usize,
    /// How long the code holds.
    #[serde(deserialize_with = "duration::<_, 10_000, HOUR>")]
    pub lifetime: Duration,
    /// How long its token is known; at least [`lifetime`](Self::lifetime).
    #[serde(deserialize_with = "duration::<_, 10_000, { 24 * HOUR }>")]
    pub token_lifetime: Duration,
    /// Codes that may be tried.
    #[serde(deserialize_with = "count::<_, 1, 10>")]
    pub tries: usize,
    /// The least time between two codes to one address.
    #[serde(deserialize_with = "duration::<_, 0, { 24 * HOUR }>")]
    pub interval: Duration,
    /// Codes to one address in 24 hours.
    #[serde(deserialize_with = "count::<_, 1, 1_000>")]
    pub per_day: usize,
}

impl Codes {
    /// The rules between these settings.
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

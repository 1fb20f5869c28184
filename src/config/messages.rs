//! The mail server and the SMS gateway that messages are sent through.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use axum::http::{HeaderName, HeaderValue};
use lettre::message::Mailbox;
use serde::{Deserialize, Deserializer};

use super::{
    ConfigError, Secret,
    settings::Settings,
    url,
    value::{self, HOUR, MINUTE, count, duration, list, read},
};
use crate::json;

/// The mail server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its host name; if empty, no mail is sent.
    pub host: String,
    /// Its port.
    #[serde(deserialize_with = "count::<_, 1, 65_535>")]
    pub port: usize,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// PEM certificates that sign the server's certificate, or `None` for those that the system trusts.
    #[serde(deserialize_with = "value::optional_path")]
    pub root_certificates: Option<PathBuf>,
    /// The user to sign in as; empty for no sign-in.
    pub user: String,
    /// The user's password.
    pub password: Secret,
    /// The sender of messages.
    #[serde(deserialize_with = "sender")]
    pub from: Option<Mailbox>,
    /// The maximum number of messages submitted at once.
    #[serde(deserialize_with = "count::<_, 1, 64>")]
    pub connections: usize,
    /// Time limit to submit one message, from connecting to the server's acceptance.
    #[serde(deserialize_with = "duration::<_, 100, MINUTE>")]
    pub timeout: Duration,
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// Clear text at first, upgraded to TLS before signing in or sending a message (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// No protection; only for a server on this machine.
    None,
}

/// The SMS gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// URL that messages are posted to; if `None`, no short message is sent.
    #[serde(deserialize_with = "url::optional_trustworthy")]
    pub url: Option<String>,
    /// Format of the body.
    pub format: SmsFormat,
    /// Header lines of the request; `{secret}` stands for the secret.
    #[serde(deserialize_with = "headers")]
    pub headers: Vec<(HeaderName, String)>,
    /// Template of the body, with placeholders for the parts that differ between messages.
    pub body: String,
    /// The credential for the gateway.
    pub secret: Secret,
    /// Time limit to submit one message.
    #[serde(deserialize_with = "duration::<_, 100, MINUTE>")]
    pub timeout: Duration,
}

/// Format of the body of a request to the gateway.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum SmsFormat {
    /// `application/json`
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

/// Notices to people whose verified address was changed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// How long the delivery of a notice is retried.
    #[serde(deserialize_with = "duration::<_, MINUTE, { 720 * HOUR }>")]
    pub kept_for: Duration,
}

impl Smtp {
    /// Checks the rules between these settings.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        if self.host.is_empty() {
            return Ok(());
        }
        let is_here = self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if self.security == SmtpSecurity::None && !is_here {
            let problem = "must be \"starttls\" or \"tls\", because smtp.host is not a loopback address";
            return Err(settings.refuse("smtp.security", problem));
        }
        if self.from.is_none() {
            let problem = "is required because smtp.host is set, such as \"Example <no-reply@example.com>\"";
            return Err(settings.refuse("smtp.from", problem));
        }
        let (user, password) = ("smtp.user", "smtp.password");
        match (self.user.is_empty(), self.password.is_empty()) {
            (true, false) => Err(settings.refuse(password, format!("{user} must be given too"))),
            (false, true) => Err(settings.refuse(user, format!("{password} must be given too"))),
            _ => Ok(()),
        }
    }
}

impl Sms {
    /// Checks the rules between these settings.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), ConfigError> {
        if self.url.is_none() {
            return Ok(());
        }
        if !self.body.contains("{text}") || !(self.body.contains("{to}") || self.body.contains("{digits}")) {
            return Err(settings.refuse("sms.body", "must contain {text}, and {to} or {digits}"));
        }
        if self.format == SmsFormat::Json && json::parse(self.body.as_bytes()).is_err() {
            let problem = "must be valid JSON because sms.format is \"json\"; correct it, or set sms.format = \"form\"";
            return Err(settings.refuse("sms.body", problem));
        }
        Ok(())
    }
}

/// Reads a name and an address, an address alone, or nothing.
fn sender<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Mailbox>, D::Error> {
    let expected = "expected an address such as \"Example <no-reply@example.com>\"";
    read(source, expected, |text| match text {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    })
}

fn headers<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<(HeaderName, String)>, D::Error> {
    let expected = "expected a list of header lines such as [\"Authorization: Bearer {secret}\"]";
    list(source, expected, |line| {
        let (name, value) = line.split_once(':').ok_or(expected)?;
        let name = HeaderName::try_from(name).map_err(|_| expected)?;
        HeaderValue::try_from(value).map_err(|_| expected)?;
        Ok::<_, &str>((name, value.trim().to_owned()))
    })
}

//! Messages to people: e-mail through a mail server, short messages through a gateway, and in `dev` both into a mailbox
//! that the server shows.
//!
//! [`Outbox::deliver`] hands over one message now, or fails. Codes are sent with it and never stored. Notices about a
//! change ([`Notices`]) must not be lost: they are written with the change and delivered in the background.

pub mod mailbox;
mod notice;
mod sms;
mod smtp;

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::account::{Cause, CodeFault, Error, Medium};
use crate::config::Config;
use crate::telemetry;
use mailbox::Mailbox;
pub use notice::Notices;
use sms::Gateway;
use smtp::Server;

/// How long a medium that failed counts as down for [`Outbox::check_reachable`].
const TROUBLE: SignedDuration = SignedDuration::from_secs(60);
/// Stands for a medium that has not failed since it last worked.
const NEVER: i64 = i64::MIN;

/// One message, ready to be sent. It has no debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its medium.
    pub medium: Medium,
    /// The recipient: an e-mail address or a phone number, as it was typed.
    pub to: String,
    /// The subject; short messages have none.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML version; short messages have none.
    pub html: Option<String>,
}

/// Where messages are delivered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The configured mail server and gateway.
    Configured,
    /// A mailbox that the server itself shows.
    Mailbox,
}

/// The routes, one for each medium.
pub struct Outbox {
    sms: Route,
    email: Route,
    woken: Notify,
}

/// The route of a medium.
struct Route {
    transport: Transport,
    /// When it last failed, in microseconds since 1970, or [`NEVER`] if it has worked since.
    failed_at: AtomicI64,
}

/// Why a message was not handed over.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Undelivered {
    /// No message can be sent to the address: the server refuses it permanently, or it cannot be written to.
    #[error("undeliverable: {0}")]
    BadAddress(Cause),
    /// This message was refused; others may be accepted.
    #[error("refused: {0}")]
    Refused(Cause),
    /// The server or gateway gave no proper answer: other messages would fail too.
    #[error("unavailable: {0}")]
    Unreachable(Cause),
}

impl From<Undelivered> for Error {
    fn from(undelivered: Undelivered) -> Error {
        match undelivered {
            Undelivered::BadAddress(_) => Error::Code(CodeFault::Undeliverable),
            Undelivered::Refused(cause) | Undelivered::Unreachable(cause) => Error::Unavailable(cause),
        }
    }
}

enum Transport {
    Mailbox(Mailbox),
    Server(Box<Server>),
    Gateway(Box<Gateway>),
    /// Not configured; the value names the missing setting.
    Missing(&'static str),
}

impl Outbox {
    /// Creates the routes; nothing is connected yet.
    pub fn new(config: &Config, delivery: Delivery) -> Result<Outbox, Cause> {
        let (sms, email) = match delivery {
            Delivery::Mailbox => {
                let mailbox = Mailbox::default();
                (Transport::Mailbox(mailbox.clone()), Transport::Mailbox(mailbox))
            }
            Delivery::Configured => (
                match &config.sms.url {
                    Some(url) => Transport::Gateway(Box::new(Gateway::new(url, &config.sms)?)),
                    None => Transport::Missing("sms.url"),
                },
                match &config.smtp.from {
                    Some(from) if !config.smtp.host.is_empty() => {
                        Transport::Server(Box::new(Server::new(from.clone(), &config.smtp)?))
                    }
                    _ => Transport::Missing("smtp.host"),
                },
            ),
        };
        let route = |transport| Route { transport, failed_at: AtomicI64::new(NEVER) };
        Ok(Outbox { sms: route(sms), email: route(email), woken: Notify::new() })
    }

    /// Hands a message over: on success the server or gateway has accepted it. Fails if it did not, or if that is unknown.
    pub async fn deliver(&self, message: &Message, now: Timestamp) -> Result<(), Undelivered> {
        let route = self.route(message.medium);
        let delivered = match &route.transport {
            Transport::Mailbox(mailbox) => {
                mailbox.put(message, now);
                Ok(())
            }
            Transport::Server(server) => server.send(message).await,
            Transport::Gateway(gateway) => gateway.send(message).await,
            Transport::Missing(setting) => return Err(Undelivered::Unreachable(missing(message.medium, setting))),
        };
        telemetry::message(message.medium.name(), delivered.is_ok());
        let failed_at = match &delivered {
            Err(Undelivered::Unreachable(_)) => now.as_microsecond(),
            // It answered, if only with a refusal: an undeliverable address must not stop other messages.
            Ok(()) | Err(Undelivered::BadAddress(_) | Undelivered::Refused(_)) => NEVER,
        };
        route.failed_at.store(failed_at, Ordering::Relaxed);
        delivered
    }

    /// Checks whether a medium is configured; [`Error::Unavailable`] names the missing setting.
    pub fn is_configured(&self, medium: Medium) -> Result<(), Error> {
        match self.route(medium).transport {
            Transport::Missing(setting) => Err(Error::Unavailable(missing(medium, setting))),
            _ => Ok(()),
        }
    }

    /// Predicts whether a delivery would succeed, without sending anything.
    pub fn check_reachable(&self, medium: Medium, now: Timestamp) -> Result<(), Error> {
        self.is_configured(medium)?;
        // `NEVER` is not a valid timestamp.
        let failed_at = Timestamp::from_microsecond(self.route(medium).failed_at.load(Ordering::Relaxed));
        if failed_at.is_ok_and(|at| now.duration_since(at) < TROUBLE) {
            return Err(Error::Unavailable(Cause::new(format!("{} failed a moment ago", medium.name()))));
        }
        Ok(())
    }

    /// Returns the mailbox, if messages go there.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match &self.email.transport {
            Transport::Mailbox(mailbox) => Some(mailbox),
            _ => None,
        }
    }

    /// Signals a new notice to the background delivery.
    pub fn wake(&self) {
        self.woken.notify_waiters();
    }

    /// Completes when there may be a new notice.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }

    fn route(&self, medium: Medium) -> &Route {
        match medium {
            Medium::Sms => &self.sms,
            Medium::Email => &self.email,
        }
    }
}

fn missing(medium: Medium, setting: &str) -> Cause {
    let kind = match medium {
        Medium::Sms => "short message",
        Medium::Email => "e-mail",
    };
    Cause::new(format!("no {kind} can be sent: set {setting}"))
}

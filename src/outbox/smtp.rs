//! Mail through a mail server (RFC 5321), over connections that are kept for the next message.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::sync::Semaphore;

use super::{Message, Undelivered};
use crate::account::Cause;
use crate::config::{self, SmtpSecurity};
use crate::telemetry::Stopwatch;

/// How long an idle connection is kept: servers mostly close theirs after five minutes (RFC 5321 §4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(60);
const NO_SMTPUTF8: &str = "the mail server does not take addresses beyond ASCII (SMTPUTF8)";

/// The configured mail server.
pub(super) struct Server {
    from: Mailbox,
    host: String,
    port: u16,
    security: SmtpSecurity,
    /// `None` if the connection is not protected.
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    timeout: Duration,
    places: Semaphore,
    idle: Mutex<Vec<(AsyncSmtpConnection, Stopwatch)>>,
}

impl Server {
    /// Reads the certificates; does not connect yet.
    pub(super) fn new(from: Mailbox, settings: &config::Smtp) -> Result<Server, Cause> {
        let password = settings.password.expose().to_owned();
        let address = with_ascii_domain(from.email.as_ref());
        let address = address.ok_or_else(|| Cause::new("smtp.from: the domain has no form in ASCII (IDNA)"))?;
        Ok(Server {
            from: Mailbox::new(from.name, address),
            host: settings.host.clone(),
            port: u16::try_from(settings.port).map_err(Cause::new)?,
            security: settings.security,
            tls: tls(settings)?,
            credentials: (!settings.user.is_empty()).then(|| Credentials::new(settings.user.clone(), password)),
            timeout: settings.timeout,
            places: Semaphore::new(settings.connections),
            idle: Mutex::default(),
        })
    }

    /// Hands a message over within the timeout.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Undelivered> {
        let (envelope, mail) = compose(&self.from, message)?;
        let in_time = tokio::time::timeout(self.timeout, self.hand_over(&envelope, &mail)).await;
        in_time.unwrap_or_else(|elapsed| Err(Undelivered::Unreachable(Cause::new(elapsed))))
    }

    async fn hand_over(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), Undelivered> {
        let place = self.places.acquire().await;
        let _place = place.map_err(|closed| Undelivered::Unreachable(Cause::new(closed)))?;
        let mut connection = match self.take_idle() {
            Some(mut kept) => match announce(&mut kept, envelope, mail).await {
                Ok(()) => kept,
                Err(refusal) if refusal.is_permanent() => return Err(refusal.into()),
                // The server may have closed a connection that was kept for long. Nothing of the message was sent on
                // it, so the message can be announced again.
                Err(_) => self.reconnect_and_announce(envelope, mail).await?,
            },
            None => self.reconnect_and_announce(envelope, mail).await?,
        };
        // From here on the server may have the message, whatever else happens: it is never sent twice.
        connection.message(mail).await.map_err(undelivered)?;
        self.keep(connection);
        Ok(())
    }

    async fn reconnect_and_announce(
        &self,
        envelope: &Envelope,
        mail: &[u8],
    ) -> Result<AsyncSmtpConnection, Undelivered> {
        // An error before the message is announced has nothing to do with it.
        let mut connection = self.connect().await.map_err(|error| Undelivered::Unreachable(Cause::new(error)))?;
        match announce(&mut connection, envelope, mail).await {
            Ok(()) => Ok(connection),
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let name = ClientId::default();
        let at_once = self.tls.clone().filter(|_| self.security == SmtpSecurity::Tls);
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &name, at_once, None).await?;
        if let (SmtpSecurity::StartTls, Some(tls)) = (self.security, &self.tls) {
            // Fails if the server does not offer it: never in clear.
            connection.starttls(tls.clone(), &name).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        // Never more connections than there are places.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Stopwatch::start()));
    }
}

/// Returns the TLS requirements. The system's certificates are read only if they are needed: a container may lack them.
fn tls(settings: &config::Smtp) -> Result<Option<TlsParameters>, Cause> {
    if settings.security == SmtpSecurity::None {
        return Ok(None);
    }
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.root_certificates {
        let refused = |reason: &dyn std::fmt::Display| Cause::new(format!("smtp.root_certificates: {reason}"));
        let pem = std::fs::read(path).map_err(|error| refused(&error))?;
        let certificates = Certificate::from_pem(&pem).map_err(|error| refused(&error))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    tls.build().map(Some).map_err(Cause::new)
}

/// Why a message could not be announced.
enum Refusal {
    /// The server does not accept addresses like this one.
    Address,
    /// The server refused the sender, or did not answer: it would do the same with other messages.
    Sender(SmtpError),
    /// The server refused the recipient, or did not answer.
    Recipient(SmtpError),
    /// The server refused the message, or did not answer.
    Message(SmtpError),
}

impl Refusal {
    /// Whether the server's answer is a permanent one (RFC 5321 §4.2.1).
    fn is_permanent(&self) -> bool {
        match self {
            Refusal::Address => false,
            Refusal::Sender(error) | Refusal::Recipient(error) | Refusal::Message(error) => error.is_permanent(),
        }
    }
}

impl From<Refusal> for Undelivered {
    fn from(refusal: Refusal) -> Undelivered {
        match refusal {
            Refusal::Address => Undelivered::BadAddress(Cause::new(NO_SMTPUTF8)),
            Refusal::Sender(error) => Undelivered::Unreachable(Cause::new(ServerReply(error))),
            Refusal::Recipient(error) if error.is_permanent() => {
                Undelivered::BadAddress(Cause::new(ServerReply(error)))
            }
            Refusal::Recipient(error) | Refusal::Message(error) => undelivered(error),
        }
    }
}

/// A server that answers with a refusal is reachable.
fn undelivered(error: SmtpError) -> Undelivered {
    match error.status() {
        Some(_) => Undelivered::Refused(Cause::new(ServerReply(error))),
        None => Undelivered::Unreachable(Cause::new(error)),
    }
}

/// A server's error without its text, which mostly repeats the address.
#[derive(Debug)]
struct ServerReply(SmtpError);

impl std::fmt::Display for ServerReply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.status() {
            Some(status) => write!(formatter, "the mail server answers {status}"),
            None => formatter.write_str("the mail server does not answer"),
        }
    }
}

impl std::error::Error for ServerReply {}

/// Sends sender, recipient and `DATA`, up to the server's go-ahead for the message itself.
async fn announce(connection: &mut AsyncSmtpConnection, envelope: &Envelope, mail: &[u8]) -> Result<(), Refusal> {
    let supports = |feature| connection.server_info().supports_feature(feature);
    let mut parameters = Vec::new();
    if is_beyond_ascii(envelope) {
        // RFC 6531 §3.1
        if !supports(Extension::SmtpUtfEight) {
            return Err(Refusal::Address);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !mail.is_ascii() && supports(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = envelope.from().cloned();
    connection.command(Mail::new(from, parameters)).await.map_err(Refusal::Sender)?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(Refusal::Recipient)?;
    }
    connection.command(Data).await.map(drop).map_err(Refusal::Message)
}

fn is_beyond_ascii(envelope: &Envelope) -> bool {
    envelope.from().into_iter().chain(envelope.to()).any(|address| !address.to_string().is_ascii())
}

/// Composes the message on the wire (RFC 5322), to exactly one address. All texts are encoded.
fn compose(from: &Mailbox, message: &Message) -> Result<(Envelope, Vec<u8>), Undelivered> {
    // The library's error for a malformed address would repeat it.
    let unfit = || Undelivered::BadAddress(Cause::new("the address cannot be written to"));
    let address = with_ascii_domain(&message.to).ok_or_else(unfit)?;
    let text = message.text.clone();
    let mail = lettre::Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(message.subject.clone().unwrap_or_default())
        // Asks automatic responders not to reply (RFC 3834 §5).
        .raw_header(automatic().map_err(Undelivered::Refused)?);
    let mail = match &message.html {
        Some(html) => mail.multipart(MultiPart::alternative_plain_html(text, html.clone())),
        None => mail.body(text),
    };
    let mail = mail.map_err(|error| Undelivered::Refused(Cause::new(error)))?;
    Ok((mail.envelope().clone(), mail.formatted()))
}

/// Returns an address with its domain in A-labels (RFC 5890 §2.3.2.1), which every mail server accepts; `None` if
/// malformed. The local part is unchanged: only the domain's server knows its meaning.
fn with_ascii_domain(address: &str) -> Option<Address> {
    let (local, domain) = address.rsplit_once('@')?;
    match domain.is_ascii() {
        true => Address::new(local, domain),
        // Strict: lenient mapping turns some letters into separators, which are invalid in a host name.
        false => Address::new(local, idna::domain_to_ascii_strict(domain).ok()?),
    }
    .ok()
}

fn automatic() -> Result<lettre::message::header::HeaderValue, Cause> {
    use lettre::message::header::{HeaderName, HeaderValue};
    let name = HeaderName::new_from_ascii("Auto-Submitted".to_owned()).map_err(Cause::new)?;
    Ok(HeaderValue::new(name, "auto-generated".to_owned()))
}

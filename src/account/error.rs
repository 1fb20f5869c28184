use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::attributes::MAX_BYTES;
use super::{DayUsedUp, Fault, Medium, Status, Unique};

/// An error of a request, in the domain's terms and grouped by subject. Each contract renders it in its own terms
/// (`contract::*::refusal`), by a `match` without a wildcard: a new error does not compile until every contract renders it.
///
/// `Display` is for operators, in logs and on the command line; it contains no personal value.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be served as it was sent.
    #[error(transparent)]
    Request(#[from] RequestFault),
    /// The request does not prove the caller's identity.
    #[error(transparent)]
    Credentials(#[from] CredentialFault),
    /// The caller may not do this, or not with this account.
    #[error(transparent)]
    Access(#[from] AccessFault),
    /// `X-Client-Hash` is missing or invalid.
    #[error(transparent)]
    ClientHash(#[from] HashFault),
    /// An encrypted body, its session or its key is invalid.
    #[error(transparent)]
    Channel(#[from] ChannelFault),
    /// Fields break their rules; contains all of these faults, in the contract's order.
    #[error("invalid fields: {}", Listed(.0))]
    Fields(Vec<Fault>),
    /// The attributes would not match the tenant's schema; the field of each fault is the JSON Pointer (RFC 6901) of its
    /// place in them.
    #[error("the attributes do not match the tenant's schema: {}", Listed(.0))]
    Attributes(Vec<Fault>),
    /// The attributes would be larger than [`MAX_BYTES`].
    #[error("the attributes would be larger than {MAX_BYTES} bytes")]
    AttributesTooLarge,
    /// A verified address belongs to another account of the tenant, or a name that must be unique is taken.
    #[error("{0}: already in use by another")]
    Taken(Unique),
    /// The bytes of a picture do not have the claimed type, do not decode, or would make too many pixels.
    #[error("the picture cannot be used")]
    PictureUnusable,
    /// The new address equals the present one.
    #[error("the new address is the present one")]
    AddressUnchanged,
    /// A one-time code, or the request for one, is invalid.
    #[error(transparent)]
    Code(#[from] CodeFault),
    /// A dependency failed (database, gateway): nothing is known to have changed, and the client may retry.
    #[error("unavailable: {0}")]
    Unavailable(Cause),
    /// An internal error. The cause is logged once, in the error layer; the response contains only an identifier.
    #[error("internal error: {0}")]
    Internal(Cause),
}

/// An error of the request as such: its path, its method, its body, or its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// The path does not exist.
    #[error("no such path")]
    NotFound,
    /// The path exists, but not with this method; contains the value of `Allow`.
    #[error("method not allowed; allowed are {0}")]
    MethodNotAllowed(&'static str),
    /// The request does not name one host (RFC 9112 §3.2).
    #[error("the request does not name one host")]
    Host,
    /// The contract does not read the media type of the body.
    #[error("unsupported media type")]
    MediaType,
    /// The body has a content coding; none is supported.
    #[error("unsupported content coding")]
    ContentEncoding,
    /// The body is larger than the contract allows.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body did not arrive within the time limit.
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    /// The body is not JSON of the shape that the contract requires.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// Too many requests came from one source, or for one account.
    #[error(transparent)]
    RateLimited(#[from] TooMany),
    /// The account has stored as much as it may in a day.
    #[error(transparent)]
    DayUsedUp(#[from] DayUsedUp),
}

/// An error of a body that is found before its fields are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// The body is empty.
    #[error("the body is empty")]
    Empty,
    /// It is not JSON (RFC 8259) within the limits of [`crate::json`].
    #[error("the body is not valid JSON")]
    Malformed,
    /// It is JSON `null`.
    #[error("the body is null")]
    Null,
    /// It is JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// A rate limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: at most {limit} at once; try again in {wait:?}")]
pub struct TooMany {
    /// The number of requests that a window allows.
    pub limit: u32,
    /// The time until the next request is allowed.
    pub wait: Duration,
}

/// Why credentials do not identify a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// No credentials were presented.
    #[error("no credentials")]
    Missing,
    /// Credentials were presented, but not in the scheme that the contract reads.
    #[error("credentials of another scheme")]
    OtherScheme,
    /// The presented credentials are not valid: malformed, expired, revoked, or of an unknown issuer or account.
    #[error("invalid credentials")]
    Invalid,
    /// The token is valid but lacks the scope `openid`: it is not about a person.
    #[error("the credentials are not about a person")]
    ScopeMissing,
}

/// Why a caller may not do something, or not with this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// The credentials are valid, but not for this contract, portal or account.
    #[error("access denied")]
    Denied,
    /// The credentials are valid, but give access to no account with the identifier in the request.
    #[error("no such account")]
    AccountUnknown,
    /// The account's status does not allow its use.
    #[error("the status of the account is {}", .0.code())]
    AccountStatus(Status),
    /// The request names no tenant, or one that does not exist.
    #[error("no such tenant")]
    TenantUnknown,
    /// An operator took the tenant out of use.
    #[error("the tenant is not active")]
    TenantClosed,
    /// The period in which the tenant's accounts could be used has ended.
    #[error("the tenant has expired")]
    TenantExpired,
}

/// An error of the header `X-Client-Hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashFault {
    /// It is absent or empty.
    #[error("no client hash")]
    Missing,
    /// It is longer than 512 bytes, repeated, or contains a control character.
    #[error("malformed client hash")]
    Malformed,
    /// It differs from the one that the token or session is bound to.
    #[error("another client hash than the session's")]
    Mismatch,
}

/// An error of an encrypted body, or of its session.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChannelFault {
    /// It does not decrypt, for whatever reason; it was accepted before; it is bound to another access token; or it is plaintext
    /// where encryption is required, or unbound where binding is.
    #[error("the encrypted body cannot be accepted")]
    Payload,
    /// Its session is unknown, expired, or belongs to another account or client, or to none where binding is required.
    #[error("no such session for encrypted bodies")]
    Session,
    /// The key that a session's keys are encrypted to is unknown, or no longer in use.
    #[error("no such key for encrypted bodies")]
    KeyId,
    /// The keys of a session do not decrypt.
    #[error("the keys of the session do not decrypt")]
    SessionKeys,
    /// There is no key to encrypt to, because of an internal error.
    #[error("there is no key for encrypted bodies: {0}")]
    PublicKey(Cause),
}

/// An error of a one-time code, or of the request for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// There is nothing that the code could prove: its token is unknown, expired, used up, or for another address, use,
    /// tenant, application or context, or all tries were made.
    #[error("no such one-time code")]
    Token,
    /// The code is wrong.
    #[error("wrong one-time code")]
    Code,
    /// The code has expired; its token may still be valid.
    #[error("expired one-time code")]
    Expired,
    /// The code was used or replaced by a newer one in the meantime: nothing was changed.
    #[error("the one-time code was already used")]
    Used,
    /// Too many codes were sent to an address, or the last one too recently.
    #[error("too many one-time codes were sent to the address")]
    TooOften {
        /// The medium of the address.
        medium: Medium,
        /// The time until the next code may be sent, if none is sent until then.
        wait: Duration,
    },
    /// No message reaches the address: the mail server refuses it permanently, or it cannot be written to.
    #[error("no message reaches the address")]
    Undeliverable,
}

/// Why something failed, for the log only, never for a response.
#[derive(Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// Wraps an error or a text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Cause {
        Cause(Arc::from(cause.into()))
    }
}

/// Renders the error and its chain of sources.
impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl From<BodyFault> for Error {
    fn from(fault: BodyFault) -> Error {
        Error::Request(RequestFault::Body(fault))
    }
}

impl From<DayUsedUp> for Error {
    fn from(used_up: DayUsedUp) -> Error {
        Error::Request(RequestFault::DayUsedUp(used_up))
    }
}

impl From<TooMany> for Error {
    fn from(early: TooMany) -> Error {
        Error::Request(RequestFault::RateLimited(early))
    }
}

/// Renders each field with the rule that it breaks.
struct Listed<'a>(&'a [Fault]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(formatter, "{separator}{fault}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;

    #[test]
    fn every_error_is_described_without_a_personal_value() {
        let registered = Fault { field: "phoneNumber".into(), rule: Rule::Registered("+4915735984712".to_owned()) };
        let too_long = Fault { field: "firstName".into(), rule: Rule::MaxLength(75) };
        let described = [
            Error::Request(RequestFault::MethodNotAllowed("GET, HEAD, OPTIONS")),
            BodyFault::NotAnObject.into(),
            TooMany { limit: 5, wait: Duration::from_millis(1500) }.into(),
            Error::Access(AccessFault::AccountStatus(Status::Locked)),
            Error::Fields(vec![too_long, registered]),
            Error::Code(CodeFault::TooOften { medium: Medium::Sms, wait: Duration::from_secs(30) }),
            Error::Internal(Cause::new("a row cannot be read")),
        ]
        .map(|error| error.to_string());
        insta::assert_snapshot!(described.join("\n"), @"
        method not allowed; allowed are GET, HEAD, OPTIONS
        the body is not a JSON object
        too many requests: at most 5 at once; try again in 1.5s
        the status of the account is LOCKED
        invalid fields: firstName: expected at most 75 characters; phoneNumber: already proved by another account
        too many one-time codes were sent to the address
        internal error: a row cannot be read
        ");
    }
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::attributes::MAX_BYTES;
use super::{Fault, Medium, Status, Unique};

/// What can go wrong with a request, in the domain's words and grouped by what it is about. Each contract renders it in its
/// own words (`contract::*::refusal`), by a `match` without a wildcard: a new error does not compile until every contract
/// renders it.
///
/// `Display` is for operators, in logs and on the command line; it contains no personal value.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be served as it was sent.
    #[error(transparent)]
    Request(#[from] RequestFault),
    /// The request does not prove who is calling.
    #[error(transparent)]
    Credentials(#[from] CredentialFault),
    /// The caller may not do this, or not with this account.
    #[error(transparent)]
    Access(#[from] AccessFault),
    /// Something is wrong with `X-Client-Hash`.
    #[error(transparent)]
    ClientHash(#[from] HashFault),
    /// Something is wrong with an encrypted body, or with what is to open it.
    #[error(transparent)]
    Channel(#[from] ChannelFault),
    /// Fields break their rules: all of them together, in the contract's order.
    #[error("invalid fields: {}", Listed(.0))]
    Fields(Vec<Fault>),
    /// The attributes would not match the tenant's schema; the field of each fault is the JSON Pointer (RFC 6901) of its place
    /// in them.
    #[error("the attributes do not match the tenant's schema: {}", Listed(.0))]
    Attributes(Vec<Fault>),
    /// The attributes would be larger than [`MAX_BYTES`].
    #[error("the attributes would be larger than {MAX_BYTES} bytes")]
    AttributesTooLarge,
    /// A verified address belongs to another account of the tenant, or a name that must be unique is taken.
    #[error("{0}: already in use by another")]
    Taken(Unique),
    /// The bytes of a picture are not what they claim to be, do not decode, or would make too many pixels.
    #[error("the picture cannot be used")]
    PictureUnusable,
    /// What is to replace an address is that very address.
    #[error("the new address is the present one")]
    AddressUnchanged,
    /// Something is wrong with a one-time code, or with the request for one.
    #[error(transparent)]
    Code(#[from] CodeFault),
    /// A dependency failed (database, gateway): nothing is known to have changed, and the client may retry.
    #[error("unavailable: {0}")]
    Unavailable(Cause),
    /// The server itself failed. The cause is logged once, in the error layer; only an identifier goes out.
    #[error("internal error: {0}")]
    Internal(Cause),
}

/// What is wrong with a request as such: its path, its method, its body, or how often it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// No such path.
    #[error("no such path")]
    NotFound,
    /// The path exists, the method does not; contains the value of `Allow`.
    #[error("method not allowed; allowed are {0}")]
    MethodNotAllowed(&'static str),
    /// The body is not in a media type that the contract reads.
    #[error("unsupported media type")]
    MediaType,
    /// The body is in a content coding; none is supported.
    #[error("unsupported content coding")]
    ContentEncoding,
    /// The body is larger than the contract allows.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body did not arrive within the time for it.
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    /// The body cannot be read as JSON of the shape that the contract requires.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// Too many requests came from one source, or for one account.
    #[error(transparent)]
    RateLimited(#[from] TooMany),
}

/// What is wrong with a body before its fields are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// No byte was sent.
    #[error("the body is empty")]
    Empty,
    /// It is not JSON (RFC 8259) within the limits of [`crate::json`].
    #[error("the body is not valid JSON")]
    Malformed,
    /// It is JSON `null`.
    #[error("the body is null")]
    Null,
    /// It is other JSON than an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// Why a request came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests: at most {limit} at once; try again in {wait:?}")]
pub struct TooMany {
    /// Requests that are allowed in a window.
    pub limit: u32,
    /// When the next one will be.
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
    /// Credentials were presented and are not valid: malformed, expired, revoked, or of an unknown issuer or account.
    #[error("invalid credentials")]
    Invalid,
    /// The credentials are valid, but are not about a person.
    #[error("the credentials are not about a person")]
    ScopeMissing,
}

/// Why a caller may not do something, or not with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// The credentials are valid, but not for this contract, portal or account.
    #[error("access denied")]
    Denied,
    /// The credentials are valid, but the account that the request names does not exist as far as they reach.
    #[error("no such account")]
    AccountUnknown,
    /// The account may not be used in its present state.
    #[error("the status of the account is {}", .0.code())]
    AccountStatus(Status),
    /// The request names no tenant, or one that does not exist.
    #[error("no such tenant")]
    TenantUnknown,
    /// The tenant was taken out of use.
    #[error("the tenant is not active")]
    TenantClosed,
    /// The time for which the tenant's accounts could be used is over.
    #[error("the tenant has expired")]
    TenantExpired,
}

/// What is wrong with the header `X-Client-Hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashFault {
    /// It is absent or empty.
    #[error("no client hash")]
    Missing,
    /// It is longer than 512 bytes, doubled, or not visible text.
    #[error("malformed client hash")]
    Malformed,
    /// It is not the one that the token or session is bound to.
    #[error("another client hash than the session's")]
    Mismatch,
}

/// What is wrong with an encrypted body, or with a session for such.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChannelFault {
    /// It does not open, for whatever reason; it was accepted before; or it is plain where it must not be.
    #[error("the encrypted body cannot be accepted")]
    Payload,
    /// Its session is unknown, of another account or client, or over.
    #[error("no such session for encrypted bodies")]
    Session,
    /// The key that a session's keys are encrypted to is unknown, or no longer in use.
    #[error("no such key for encrypted bodies")]
    KeyId,
    /// The keys of a session do not decrypt.
    #[error("the keys of the session do not decrypt")]
    SessionKeys,
    /// There is no key to encrypt to, since the server itself failed.
    #[error("there is no key for encrypted bodies: {0}")]
    PublicKey(Cause),
}

/// What is wrong with a one-time code, or with the request for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// There is nothing that the code could prove: its token is unknown, over, used up, or for another address, use, tenant
    /// or application, or all tries were made.
    #[error("no such one-time code")]
    Token,
    /// Another code was sent.
    #[error("wrong one-time code")]
    Code,
    /// The code has expired; its token may still be there.
    #[error("expired one-time code")]
    Expired,
    /// The code was used meanwhile, or a newer one took its place: nothing was changed.
    #[error("the one-time code was used meanwhile")]
    Used,
    /// Too many codes were sent to an address, or the last one only just now.
    #[error("too many one-time codes were sent to the address")]
    TooOften(Medium),
}

/// Why something failed, for the log and never for the wire.
#[derive(Clone)]
pub struct Cause(Arc<dyn std::error::Error + Send + Sync>);

impl Cause {
    /// Keeps an error, or a text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Cause {
        Cause(Arc::from(cause.into()))
    }
}

/// The error and everything that led to it.
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

impl From<TooMany> for Error {
    fn from(early: TooMany) -> Error {
        Error::Request(RequestFault::RateLimited(early))
    }
}

/// Each field with the rule that it breaks.
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
            Error::Code(CodeFault::TooOften(Medium::Sms)),
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

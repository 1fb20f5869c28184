use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Channel, PictureRule, Status, Unique};

/// What can go wrong with a request, in the domain's words. Each contract says it in its own
/// (`contract::*::refusal`), by a `match` without a wildcard: a new error does not compile until every contract can say it.
#[derive(Clone, Debug)]
pub enum Error {
    /// No credentials were presented.
    CredentialsMissing,
    /// Something was presented, but not in the scheme that the contract reads.
    CredentialsOfOtherScheme,
    /// Credentials were presented and do not hold: malformed, expired, revoked, of nobody we know.
    CredentialsInvalid,
    /// The credentials hold, but say nothing about a person.
    ScopeMissing,
    /// The account may not be used in its present state.
    AccountStatus(Status),
    /// The request names no tenant, or none that there is.
    TenantUnknown,
    /// The tenant was taken out of use.
    TenantClosed,
    /// The time for which the tenant's accounts could be used is over.
    TenantExpired,
    /// The credentials hold, but the account that the request names does not exist as far as they reach.
    AccountUnknown,
    /// The credentials hold, but not for this contract, portal or account.
    AccessDenied,
    /// Something is wrong with `X-Client-Hash`.
    ClientHash(HashFault),
    /// Something is wrong with an encrypted body, or with what is to open it.
    Channel(ChannelFault),
    /// No such path.
    NotFound,
    /// The path exists, the method does not; holds the value of `Allow`.
    MethodNotAllowed(&'static str),
    /// The body is not in a media type that the contract reads.
    MediaType,
    /// The body is in a content coding that nobody reads here.
    ContentEncoding,
    /// The body is larger than the contract allows.
    BodyTooLarge,
    /// The body did not arrive within the time for it.
    BodyTooSlow,
    /// The body cannot be read as JSON of the shape that the contract wants.
    Body(BodyFault),
    /// Fields break their rules: all of them together, in the contract's order.
    Fields(Vec<Fault>),
    /// The attributes would be larger than [`super::attributes::MAX_BYTES`].
    AttributesTooLarge,
    /// The attributes would not be what the tenant's schema says; the field of each fault is the JSON Pointer (RFC 6901) of
    /// its place in them.
    Attributes(Vec<Fault>),
    /// A verified address belongs to another account of the tenant, or a name that must be unique is taken.
    Taken(Unique),
    /// The bytes of a picture are not what they claim to be, do not decode, or would make too many pixels.
    PictureUnusable,
    /// What is to replace an address is that very address.
    AddressUnchanged,
    /// A one-time code does not prove what it should.
    Code(CodeFault),
    /// A one-time code was used meanwhile, or a newer one took its place: nothing was changed.
    CodeUsed,
    /// Too many one-time codes were sent to an address, or the last one only just now.
    CodeTooOften(Channel),
    /// Too many requests came from one source, or for one account.
    RateLimited(TooMany),
    /// A part of the world is missing (database, gateway): nothing is known to have changed, the client may retry.
    Unavailable(Cause),
    /// Our own fault. The cause is logged once, at the edge; only an identifier goes out.
    Internal(Cause),
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

/// Why a request came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Requests that pass in a window.
    pub limit: u32,
    /// When the next one will pass.
    pub wait: Duration,
}

/// What is wrong with a one-time code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFault {
    /// There is nothing that the code could prove: its token is unknown, over, used up, or for another address, use, tenant
    /// or application, or all tries were made.
    Token,
    /// Another code was sent.
    Code,
    /// The code has expired; its token may still be there.
    Expired,
}

/// What is wrong with the header `X-Client-Hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashFault {
    /// It is absent or empty.
    Missing,
    /// It is longer than 512 bytes, doubled, or not visible text.
    Malformed,
    /// It is not the one that the token or session is bound to.
    Mismatch,
}

/// What is wrong with an encrypted body, or with a session for such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelFault {
    /// It does not open, for whatever reason; it was accepted before; or it is plain where it must not be.
    Payload,
    /// Its session is unknown, somebody else's, or over.
    Session,
    /// The key that a session's keys are encrypted to is none of ours, or no longer in use.
    KeyId,
    /// The keys of a session do not decrypt.
    SessionKeys,
    /// There is no key to encrypt to.
    PublicKey,
}

/// What is wrong with a body before its fields are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// No byte was sent.
    Empty,
    /// It is not JSON (RFC 8259) within the limits of [`crate::json`].
    Malformed,
    /// It is JSON `null`.
    Null,
    /// It is other JSON than an object.
    NotAnObject,
}

/// One field that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field's name on the wire of the contract that refuses it.
    pub field: Cow<'static, str>,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// The rules that a contract may put on a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It must be there and say something.
    Required,
    /// At most this many Unicode scalar values.
    MaxLength(usize),
    /// A JSON string.
    Text,
    /// No control characters (at least no U+0000).
    NoControlCharacters,
    /// A JSON object.
    Object,
    /// No deeper than [`super::attributes::MAX_DEPTH`].
    TooDeep,
    /// Names of members within [`super::attributes::MAX_KEY`].
    KeyLength,
    /// Numbers that a double can hold.
    NumberRange,
    /// A picture, or the address of one.
    Picture(PictureRule),
    /// Not a picture of ours that is not the account's own.
    ForeignPicture,
    /// What the tenant's schema says.
    Schema,
    /// Not another value for what the tenant's schema calls read-only.
    ReadOnly,
    /// The form of a phone number.
    PhoneNumber,
    /// The form of an e-mail address.
    EmailAddress,
    /// So many ASCII digits.
    Digits(u8),
    /// The form of an account's identifier.
    Identifier,
    /// Not an address that somebody else has proved to be theirs; holds it as it was sent.
    Registered(String),
}

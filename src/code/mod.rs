//! One-time codes, which prove that an address belongs to a person.
//!
//! One mechanism serves every use. [`Codes::send`] makes a code, hands it to the outbox, and stores only keyed hashes and,
//! sealed, the address that it went to; [`Codes::prove`] counts a try before it compares, and returns a [`Proof`] of
//! exactly that address, which only it can construct. A proof counts once: the change that it is for uses the code up in
//! the same transaction ([`Effect::UseCode`](crate::store::Effect::UseCode)). Where a request that arrives twice is answered
//! twice, [`Codes::keep`] keeps the used code until its time is over.
//!
//! The newest two codes of a use are valid at once, since a message can arrive late. Their tries count for both, and using
//! one uses up the other.
//!
//! A code can be sent by one client and used by another: by an application without a secret, for which a back end requests
//! codes. A [`CodeChallenge`] then ensures that it is used by the client that asked the back end for it.

mod challenge;
mod digits;
mod message;
mod prove;
mod repeat;
mod send;
mod sent_to;

use std::sync::Arc;

use crate::account::{Contact, Tenant};
use crate::clock::Clock;
use crate::config::{self, CodeRules};
use crate::keys::{KeyedHash, Keyring};
use crate::outbox::Outbox;
use crate::store::Store;

pub use crate::account::{CodeFault, Medium};
pub use challenge::CodeChallenge;
pub use digits::digits_of;
pub use prove::{CodeAttempt, Proof};
pub use repeat::Repetition;
pub use send::{CodeRequest, SentCode};

/// Sends and proves one-time codes; clones share everything.
#[derive(Clone)]
pub struct Codes {
    store: Store,
    keys: Keyring,
    clock: Clock,
    outbox: Arc<Outbox>,
    settings: config::Codes,
}

impl Codes {
    /// Creates a handle that sends through an outbox, by the rules of the configuration.
    pub fn new(store: Store, keys: Keyring, clock: Clock, outbox: Arc<Outbox>, settings: config::Codes) -> Codes {
        Codes { store, keys, clock, outbox, settings }
    }
}

/// The use of a code; a code for one use is not valid for any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// To sign in.
    Login,
    /// To sign up.
    Signup,
    /// To prove a new address through CIAM.
    UpdateUserinfo,
    /// To get a new password.
    ResetPassword,
    /// To prove a new e-mail address through RiverGen.
    ChangeEmail,
}

impl Usage {
    /// Every use.
    pub const ALL: [Usage; 5] =
        [Usage::Login, Usage::Signup, Usage::UpdateUserinfo, Usage::ResetPassword, Usage::ChangeEmail];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Usage::Login => "login",
            Usage::Signup => "signup",
            Usage::UpdateUserinfo => "update_userinfo",
            Usage::ResetPassword => "reset_password",
            Usage::ChangeEmail => "change_email",
        }
    }

    /// The length, lifetime and limits of its codes.
    pub fn rules(self, codes: &config::Codes) -> &CodeRules {
        match self {
            Usage::Login => &codes.login,
            Usage::Signup => &codes.signup,
            Usage::UpdateUserinfo => &codes.update_userinfo,
            Usage::ResetPassword => &codes.reset_password,
            Usage::ChangeEmail => &codes.change_email,
        }
    }

    /// Whether its codes open the account that has the address. They are sent to the address as the account stores it,
    /// whatever the request contains: another spelling that compares equal can belong to another person.
    pub fn opens_an_account(self) -> bool {
        matches!(self, Usage::Login | Usage::ResetPassword)
    }

    /// Whether the context is an account that authenticates itself with every request. Then the codes are the account's, and
    /// there is no token; otherwise they are the address's, and the token identifies the request for each.
    fn is_of_an_account(self) -> bool {
        self == Usage::ChangeEmail
    }

    /// Whether only the application that a code was requested for can use it. Codes for other uses can be used by every
    /// application of the tenant.
    pub fn is_of_an_application(self) -> bool {
        matches!(self, Usage::Login | Usage::Signup)
    }
}

/// The values that a code is bound to: all must be the same when it comes back.
#[derive(Clone, Copy)]
struct Binding<'a> {
    tenant: &'a Tenant,
    usage: Usage,
    contact: &'a Contact,
    application: Option<&'a str>,
    context: &'a str,
    challenge: Option<CodeChallenge>,
}

impl Binding<'_> {
    /// The key of the slot, which contains the newest code and the one before it. Codes of one application do not replace
    /// those of another.
    fn slot(&self, keys: &Keyring) -> KeyedHash {
        let of = if self.usage.is_of_an_account() { self.context.to_owned() } else { self.contact.comparable() };
        let medium = self.contact.medium().name();
        let parts = [self.tenant.id.0.as_bytes(), self.usage.name().as_bytes(), medium.as_bytes(), of.as_bytes()];
        match self.application_part() {
            application if application.is_empty() => keys.digest("one-time code: slot", &parts),
            application => keys.digest("one-time code: slot", &[parts.as_slice(), &[&application]].concat()),
        }
    }

    /// The application that a code is bound to, as it is hashed; empty if there is none.
    fn application_part(&self) -> Vec<u8> {
        let application = self.application.filter(|_| self.usage.is_of_an_application());
        // An empty identifier differs from an absent one.
        application.map(|id| [b"=", id.as_bytes()].concat()).unwrap_or_default()
    }

    /// The keyed hash of all values. The challenge is compared as a part of it, so the time of a comparison depends on no
    /// value that a client can choose.
    fn hash(&self, keys: &Keyring) -> KeyedHash {
        let application = self.application_part();
        let contact = self.contact.comparable();
        let slot = self.slot(keys);
        let parts = [slot.as_slice(), contact.as_bytes(), &application, self.context.as_bytes()];
        let challenge = self.challenge.as_ref().map(CodeChallenge::as_bytes);
        keys.digest("one-time code: binding", &[parts.as_slice(), challenge.as_slice()].concat())
    }
}

fn token_hash(keys: &Keyring, token: &str) -> KeyedHash {
    keys.digest("one-time code: token", &[token.as_bytes()])
}

/// The keyed hash of a code, bound to its identifier: the same digits have another hash after the next sending.
fn code_hash(keys: &Keyring, id: uuid::Uuid, binding: KeyedHash, code: &str) -> KeyedHash {
    keys.digest("one-time code: code", &[id.as_bytes(), &binding, code.as_bytes()])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

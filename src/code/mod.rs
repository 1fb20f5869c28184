//! One-time codes: what proves that an address is somebody's.
//!
//! One mechanism for every use. [`Codes::send`] makes a code, hands it over to whoever carries messages, and keeps nothing but
//! keyed hashes and, sealed, the address that it went to; [`Codes::prove`] counts a try before it compares, and returns a [`Proof`]
//! of that very address, which can be made nowhere else. A proof counts once: the change that it is for uses the code up in
//! the same transaction ([`Effect::UseCode`](crate::store::Effect::UseCode)).

mod message;
mod prove;
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
pub use prove::{CodeAttempt, Proof};
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
    /// Sends through an outbox, by the rules of the configuration.
    pub fn new(store: Store, keys: Keyring, clock: Clock, outbox: Arc<Outbox>, settings: config::Codes) -> Codes {
        Codes { store, keys, clock, outbox, settings }
    }
}

/// What a code is for; a code for one use opens no other.
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

    /// How its codes look and how long they hold.
    pub fn rules(self, codes: &config::Codes) -> &CodeRules {
        match self {
            Usage::Login => &codes.login,
            Usage::Signup => &codes.signup,
            Usage::UpdateUserinfo => &codes.update_userinfo,
            Usage::ResetPassword => &codes.reset_password,
            Usage::ChangeEmail => &codes.change_email,
        }
    }

    /// Whether its codes open the account that has the address. They go to the address as the account has it, however it is
    /// typed: another spelling that compares equal can be another person's.
    pub fn opens_an_account(self) -> bool {
        matches!(self, Usage::Login | Usage::ResetPassword)
    }

    /// Whether the context is an account that proves itself with every request. Then there is one code an account and no
    /// token; otherwise there is one code an address, and the token says who asked for it.
    fn is_of_an_account(self) -> bool {
        self == Usage::ChangeEmail
    }

    /// Whether only the application that asked for a code can use it. Others' back ends may send the codes of an application
    /// that has no secret.
    fn is_of_an_application(self) -> bool {
        matches!(self, Usage::Login | Usage::Signup)
    }
}

/// What a code is bound to: everything here must be the same when it comes back.
#[derive(Clone, Copy)]
struct Binding<'a> {
    tenant: &'a Tenant,
    usage: Usage,
    contact: &'a Contact,
    application: Option<&'a str>,
    context: &'a str,
}

impl Binding<'_> {
    /// The key of what can have one code at a time.
    fn slot(&self, keys: &Keyring) -> KeyedHash {
        let of = if self.usage.is_of_an_account() { self.context.to_owned() } else { self.contact.comparable() };
        let medium = self.contact.medium().name();
        let parts = [self.tenant.id.0.as_bytes(), self.usage.name().as_bytes(), medium.as_bytes(), of.as_bytes()];
        keys.digest("one-time code: slot", &parts)
    }

    /// The keyed hash of everything.
    fn hash(&self, keys: &Keyring) -> KeyedHash {
        let application = self.application.filter(|_| self.usage.is_of_an_application());
        // Present and empty differs from absent.
        let application: Vec<u8> = application.map(|id| [b"=", id.as_bytes()].concat()).unwrap_or_default();
        let contact = self.contact.comparable();
        let slot = self.slot(keys);
        let parts = [slot.as_slice(), contact.as_bytes(), &application, self.context.as_bytes()];
        keys.digest("one-time code: binding", &parts)
    }
}

fn token_hash(keys: &Keyring, token: &str) -> KeyedHash {
    keys.digest("one-time code: token", &[token.as_bytes()])
}

/// The keyed hash of a code: of this very code, for it is not the same after the next sending.
fn code_hash(keys: &Keyring, id: uuid::Uuid, binding: KeyedHash, code: &str) -> KeyedHash {
    keys.digest("one-time code: code", &[id.as_bytes(), &binding, code.as_bytes()])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

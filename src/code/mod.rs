//! One-time codes: what proves that an address is somebody's.
//!
//! One mechanism for every use. [`send`] makes a code, hands it over to whoever carries messages, and keeps nothing but
//! keyed hashes; [`prove`] counts a try before it compares, and returns a [`Proof`], which can be made nowhere else. A proof
//! counts once: the change that it is for uses the code up in the same transaction
//! ([`Effect::UseCode`](crate::store::Effect::UseCode)).

mod message;
mod prove;
mod send;

use crate::account::{Contact, Tenant};
use crate::config::{CodeRules, Codes};
use crate::keys::{KeyedHash, Keyring};

pub use crate::account::{Channel, CodeFault};
pub use prove::{Offered, Proof, is_mismatched, prove};
pub use send::{Sent, Wanted, forget_expired, send};

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
    pub fn rules(self, codes: &Codes) -> &CodeRules {
        match self {
            Usage::Login => &codes.login,
            Usage::Signup => &codes.signup,
            Usage::UpdateUserinfo => &codes.update_userinfo,
            Usage::ResetPassword => &codes.reset_password,
            Usage::ChangeEmail => &codes.change_email,
        }
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
        let channel = self.contact.channel().name();
        let parts = [self.tenant.id.0.as_bytes(), self.usage.name().as_bytes(), channel.as_bytes(), of.as_bytes()];
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

//! SecureChannel: what encrypted bodies are made of, and the keys that open them. The protocol is in
//! `docs/secure-channel.md`; which request may bring one, and what is answered, says the contract that takes them.

pub mod envelope;
mod keys;

pub(crate) use keys::fresh;
pub use keys::{ChannelKey, ChannelKeys, KeyKind, SessionKeys};

/// How long a session lasts.
pub const SESSION_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// Messages that a session takes; then it is over and the client opens another. Its nonces are remembered until it ends.
pub const MAX_MESSAGES: i64 = 10_000;
/// How long a message without a session is remembered: it carries no time.
pub const ONE_OFF_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// Messages without a session that are remembered for an account; further ones are refused until one is forgotten.
pub const MAX_ONE_OFFS: i64 = 1_000;
/// Messages in JOSE form that are remembered for an account; further ones are refused until one is forgotten.
pub const MAX_TOKENS: i64 = 10_000;

/// What the nonce of a message must differ from: those of its session, or of all messages of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Messages in a session.
    Session([u8; 16]),
    /// Messages without one, by their digest.
    OneOff,
    /// Messages in JOSE form, by their `jti`.
    Token,
}

impl Scope {
    /// How it is stored; a session's is as long as its identifier, and no other is.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Scope::Session(id) => id.to_vec(),
            Scope::OneOff => vec![1],
            Scope::Token => vec![2],
        }
    }
}

//! SecureChannel: the format of encrypted bodies, and the keys that open them. The protocol is specified in
//! `docs/secure-channel.md`; the contract that accepts encrypted bodies defines which requests may have one, and the
//! response.

pub mod envelope;
mod keys;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) use keys::fresh;
pub use keys::{ChannelKey, ChannelKeys, KeyKind, SessionKeys};

/// How long a session lasts.
pub const SESSION_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// The most messages of a session; then the client must open another. Its nonces are remembered until it ends.
pub const MAX_MESSAGES: i64 = 10_000;
/// How long a message without a session is remembered: it carries no time.
pub const ONE_OFF_LIFETIME: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// The most messages without a session remembered for an account; further ones are refused until one is forgotten.
pub const MAX_ONE_OFFS: i64 = 1_000;
/// The most messages in JOSE form remembered for an account; further ones are refused until one is forgotten.
pub const MAX_TOKENS: i64 = 10_000;

/// Returns the hash by which a JWE names the access token that it is sent with (`ath`, RFC 9449 §4.2): SHA-256 in Base64url.
pub fn access_token_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// The set of messages within which a nonce must be unique: a session, or all messages of one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Messages in a session.
    Session([u8; 16]),
    /// Messages without a session, by their digest.
    OneOff,
    /// Messages in JOSE form, by their `jti`.
    Token,
}

impl Scope {
    /// Returns the stored form; only a session's is as long as its identifier.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Scope::Session(id) => id.to_vec(),
            Scope::OneOff => vec![1],
            Scope::Token => vec![2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::access_token_hash;

    #[test]
    fn the_hash_of_an_access_token_is_that_of_the_standards_example() {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        assert_eq!(access_token_hash(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }
}

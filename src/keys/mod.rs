//! The secrets of an installation: one master key outside the database, and behind it the keys that the database holds
//! sealed. Whoever has only the database, or only the master key, has nothing.

mod cache;
mod master;
pub mod rsa;
mod seal;

use std::sync::Arc;

use aws_lc_rs::hmac;
use uuid::Uuid;

pub use cache::KeyCache;
pub use master::{MasterKey, MasterKeyError};
pub use seal::{OpenError, SealingKey};

/// What a stored secret is for; each purpose has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Uniqueness without showing what is unique.
    Index,
    /// Recognising tokens, sessions and client hashes without storing them.
    Digest,
    /// Sealing history payloads.
    History,
    /// Sealing the keys of sessions for encrypted bodies.
    Channel,
    /// Sealing messages that wait for their delivery, and the addresses that codes were sent to.
    Outbox,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 5] =
        [Purpose::Index, Purpose::Digest, Purpose::History, Purpose::Channel, Purpose::Outbox];

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Index => "index",
            Purpose::Digest => "digest",
            Purpose::History => "history",
            Purpose::Channel => "channel",
            Purpose::Outbox => "outbox",
        }
    }
}

/// The keys in use, opened; clones share them.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    index: hmac::Key,
    digest: hmac::Key,
    history: SealingKey,
    secure_channel: SealingKey,
    outbox: SealingKey,
}

/// A keyed hash: recognises a value without storing it.
pub type KeyedHash = [u8; 32];

impl Keyring {
    /// The generation of the keys in use.
    pub const GENERATION: i64 = 1;

    /// Makes the ring from one 32-byte key for each purpose.
    pub fn new(key_for: impl Fn(Purpose) -> [u8; 32]) -> Keyring {
        let hmac = |purpose| hmac::Key::new(hmac::HMAC_SHA256, &key_for(purpose));
        let keys = Keys {
            index: hmac(Purpose::Index),
            digest: hmac(Purpose::Digest),
            history: SealingKey::new(&key_for(Purpose::History)),
            secure_channel: SealingKey::new(&key_for(Purpose::Channel)),
            outbox: SealingKey::new(&key_for(Purpose::Outbox)),
        };
        Keyring(Arc::new(keys))
    }

    /// The key under which a folded value is unique in a tenant: HMAC(index key, tenant ‖ kind ‖ value).
    pub fn index(&self, tenant: Uuid, kind: &str, folded: &str) -> KeyedHash {
        keyed_hash(&self.0.index, &[tenant.as_bytes(), kind.as_bytes(), folded.as_bytes()])
    }

    /// Recognises a secret or an identifier that must not be stored as it is; `label` keeps uses apart.
    pub fn digest(&self, label: &str, parts: &[&[u8]]) -> KeyedHash {
        let mut all = vec![label.as_bytes()];
        all.extend(parts);
        keyed_hash(&self.0.digest, &all)
    }

    /// The key under which a person of another identity provider is found: their subject there.
    pub fn subject(&self, subject: &str) -> KeyedHash {
        self.digest("subject", &[subject.as_bytes()])
    }

    /// The key under which a token is revoked: its issuer and `jti`.
    pub fn revocation(&self, issuer: &str, token_id: &str) -> KeyedHash {
        self.digest("token", &[issuer.as_bytes(), token_id.as_bytes()])
    }

    /// The key of a session that a client hash is bound to: its issuer, and what names it there (`sid`, `jti` or `token`).
    pub fn session(&self, issuer: &str, kind: &str, name: &str) -> KeyedHash {
        self.digest("session", &[issuer.as_bytes(), kind.as_bytes(), name.as_bytes()])
    }

    /// The key that seals history payloads.
    pub fn history(&self) -> &SealingKey {
        &self.0.history
    }

    /// The key that seals the keys of sessions for encrypted bodies.
    pub fn secure_channel(&self) -> &SealingKey {
        &self.0.secure_channel
    }

    /// The key that seals messages that wait for their delivery, and the addresses that codes were sent to.
    pub fn outbox(&self) -> &SealingKey {
        &self.0.outbox
    }
}

/// Each part is preceded by its length, so that no two lists of parts hash alike.
fn keyed_hash(key: &hmac::Key, parts: &[&[u8]]) -> KeyedHash {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.sign().as_ref());
    hash
}

/// Compares secrets in a time that does not tell where they differ.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_another_key_in_another_tenant_kind_and_split() {
        let ring = Keyring::new(|purpose| [purpose.name().len() as u8; 32]);
        let tenant = uuid::Uuid::from_u128;
        let base = ring.index(tenant(1), "email", "a@example.com");
        assert_eq!(base, ring.index(tenant(1), "email", "a@example.com"));
        assert_ne!(base, ring.index(tenant(2), "email", "a@example.com"));
        assert_ne!(base, ring.index(tenant(1), "phone", "a@example.com"));
        assert_ne!(base, ring.index(tenant(1), "emaila", "@example.com"));
    }
}

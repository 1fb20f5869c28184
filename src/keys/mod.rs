//! The secrets of an installation: a master key outside the database, and the keys in the database that it seals. The
//! database or the master key alone is useless to an attacker.

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

/// The purpose of a stored key; each purpose has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Hashing unique keys, which enforce uniqueness without revealing the value.
    Index,
    /// Recognising tokens, sessions and client hashes without storing them.
    Digest,
    /// Sealing history payloads.
    History,
    /// Sealing the session keys of encrypted bodies.
    Channel,
    /// Sealing messages that await delivery, and the addresses that codes were sent to.
    Outbox,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 5] =
        [Purpose::Index, Purpose::Digest, Purpose::History, Purpose::Channel, Purpose::Outbox];

    /// Returns its name in the database.
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

/// The keys in use, unsealed; clones share them.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    index: hmac::Key,
    digest: hmac::Key,
    history: SealingKey,
    secure_channel: SealingKey,
    outbox: SealingKey,
}

/// A keyed hash: identifies a value without storing it.
pub type KeyedHash = [u8; 32];

impl Keyring {
    /// The generation of the keys in use.
    pub const GENERATION: i64 = 1;

    /// Creates the keyring from one 32-byte key for each purpose.
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

    /// Returns the unique key of a folded value in a tenant: HMAC(index key, tenant ‖ kind ‖ value).
    pub fn index(&self, tenant: Uuid, kind: &str, folded: &str) -> KeyedHash {
        keyed_hash(&self.0.index, &[tenant.as_bytes(), kind.as_bytes(), folded.as_bytes()])
    }

    /// Hashes a secret or identifier that must not be stored in clear; `label` separates uses.
    pub fn digest(&self, label: &str, parts: &[&[u8]]) -> KeyedHash {
        let mut all = vec![label.as_bytes()];
        all.extend(parts);
        keyed_hash(&self.0.digest, &all)
    }

    /// Returns the key of a user of another identity provider, by the subject there.
    pub fn subject(&self, subject: &str) -> KeyedHash {
        self.digest("subject", &[subject.as_bytes()])
    }

    /// Returns the key of a token's revocation, by issuer and `jti`.
    pub fn revocation(&self, issuer: &str, token_id: &str) -> KeyedHash {
        self.digest("token", &[issuer.as_bytes(), token_id.as_bytes()])
    }

    /// Returns the key of the session that a client hash is bound to, by issuer and name there (`kind` is `sid`, `jti`
    /// or `token`).
    pub fn session(&self, issuer: &str, kind: &str, name: &str) -> KeyedHash {
        self.digest("session", &[issuer.as_bytes(), kind.as_bytes(), name.as_bytes()])
    }

    /// Returns the key that seals history payloads.
    pub fn history(&self) -> &SealingKey {
        &self.0.history
    }

    /// Returns the key that seals the session keys of encrypted bodies.
    pub fn secure_channel(&self) -> &SealingKey {
        &self.0.secure_channel
    }

    /// Returns the key that seals messages that await delivery, and the addresses that codes were sent to.
    pub fn outbox(&self) -> &SealingKey {
        &self.0.outbox
    }
}

/// Precedes each part with its length, so that different lists of parts have different input.
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

/// Compares secrets in constant time.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyed_hash_of_a_value_depends_on_tenant_and_kind() {
        let ring = Keyring::new(|purpose| [purpose.name().len() as u8; 32]);
        let tenant = uuid::Uuid::from_u128;
        let base = ring.index(tenant(1), "email", "a@example.com");
        assert_eq!(base, ring.index(tenant(1), "email", "a@example.com"));
        assert_ne!(base, ring.index(tenant(2), "email", "a@example.com"));
        assert_ne!(base, ring.index(tenant(1), "phone", "a@example.com"));
        assert_ne!(base, ring.index(tenant(1), "emaila", "@example.com"));
    }
}

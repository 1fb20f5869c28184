//! API keys: secrets that a tenant's back ends present instead of a person's token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName};
use data_encoding::HEXLOWER;
use jiff::Timestamp;

use super::Authenticator;
use crate::account::{AccessFault, Account, AccountId, CredentialFault, Error, Tenant};
use crate::clock::random;
use crate::headers::Single;
use crate::keys::{KeyedHash, Keyring, equal};
use crate::store::{ApiKey, Store};

/// The prefix of every key, by which secret scanners and people recognise one.
const PREFIX: &str = "ssk_";
/// Hexadecimal digits of the secret itself: 256 bits.
const SECRET_DIGITS: usize = 64;
/// Hexadecimal digits of the checksum, which detects a string that is not a key without a query.
const CHECKSUM_DIGITS: usize = 8;
/// The most keys whose use is remembered between two writes.
const MAX_REMEMBERED: usize = 100_000;

/// The most uses written in one transaction.
const CHUNK: usize = 500;

const TENANT: HeaderName = HeaderName::from_static("tenant");
const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A valid key, with its tenant and account.
pub struct KeyCaller {
    /// The tenant that the request names and the key belongs to.
    pub tenant: Tenant,
    /// The key.
    pub key: ApiKey,
    /// The account that the request names before its body, if the key opens it.
    pub account: Option<Account>,
}

impl Authenticator {
    /// Authenticates a request by its API key. A key of another tenant, an unknown, a revoked and an expired key give
    /// the same error after the same work. `account` is the account that the request names before its body.
    pub async fn api_key(&self, headers: &HeaderMap, account: Option<AccountId>) -> Result<KeyCaller, Error> {
        let tenant = text(headers, &TENANT).ok_or(AccessFault::TenantUnknown)?;
        let secret = text(headers, &KEY);
        let hash = hash(&self.keys, secret.unwrap_or_default());
        let presented = self.store.presented(tenant, hash, account).await?.ok_or(AccessFault::TenantUnknown)?;
        secret.filter(|secret| is_key(secret)).ok_or(CredentialFault::Invalid)?;
        let (key, account) = presented.key.ok_or(CredentialFault::Invalid)?;
        let now = self.clock.now();
        let is_valid =
            key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end) && equal(&key.hash, &hash);
        if !is_valid {
            return Err(CredentialFault::Invalid.into());
        }
        self.key_uses.note(key.hash, now);
        Ok(KeyCaller { tenant: presented.tenant, key, account })
    }
}

/// Generates a new secret, which is shown once and stored only as a hash.
pub fn mint() -> String {
    let secret = HEXLOWER.encode(&random::<32>());
    let checksum = checksum(&secret);
    format!("{PREFIX}{secret}{checksum}")
}

/// Returns the hash by which a secret is looked up.
pub fn hash(keys: &Keyring, secret: &str) -> KeyedHash {
    keys.digest("api key", &[secret.as_bytes()])
}

/// Checks whether a string has the form of a key, including its checksum.
pub fn is_key(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(PREFIX) else { return false };
    let is_hexadecimal = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == SECRET_DIGITS + CHECKSUM_DIGITS
        && digits.bytes().all(is_hexadecimal)
        && checksum(&digits[..SECRET_DIGITS]) == digits[SECRET_DIGITS..]
}

/// Returns the first digits of the SHA-256 of prefix and secret.
fn checksum(secret: &str) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(PREFIX.as_bytes());
    context.update(secret.as_bytes());
    HEXLOWER.encode(&context.finish().as_ref()[..CHECKSUM_DIGITS / 2])
}

/// Returns the header's trimmed text if the header is present exactly once and not empty.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let text = Single::of(headers, name).once()?.to_str().ok()?.trim();
    (!text.is_empty()).then_some(text)
}

/// When keys were last used, buffered in memory: a request must not cost a write. Clones share the buffer.
#[derive(Clone)]
pub struct KeyUses {
    store: Store,
    uses: Arc<Mutex<HashMap<KeyedHash, Timestamp>>>,
}

impl KeyUses {
    /// Creates an empty buffer.
    pub fn new(store: Store) -> KeyUses {
        KeyUses { store, uses: Arc::default() }
    }

    fn note(&self, key: KeyedHash, now: Timestamp) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < MAX_REMEMBERED || uses.contains_key(&key) {
            let last = uses.entry(key).or_insert(now);
            *last = now.max(*last);
        }
    }

    /// Writes the uses noted since the last call; uses that cannot be written are kept for the next call.
    pub async fn write_down(&self) -> Result<(), Error> {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<_> = uses.into_iter().collect();
        for (written, some) in uses.chunks(CHUNK).enumerate() {
            if let Err(error) = self.store.used_api_keys(some).await {
                uses[written * CHUNK..].iter().for_each(|(key, at)| self.note(*key, *at));
                return Err(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_by_prefix_length_alphabet_and_checksum() {
        let secret = "0123456789abcdef".repeat(4);
        let key = format!("{PREFIX}{secret}{}", checksum(&secret));
        assert!(is_key(&key));
        for other in [key.replace("ssk_", "ssk-"), key.to_uppercase(), key.replacen('0', "1", 1), format!("{key}0")] {
            assert!(!is_key(&other), "{other}");
        }
        assert!(!is_key("ssk_") && !is_key("") && !is_key(&"é".repeat(38)));
    }
}

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use crate::account::{Cause, Error};
use crate::clock::{Clock, after, before, random};
use crate::jose::{AgreementKey, Algorithm, Curve, PrivateKey};
use crate::json::{self, Object};
use crate::keys::{KeyCache, MasterKey, rsa};
use crate::store::{ChannelKeyRecord, Store};

/// The kinds of keys that open encrypted bodies; there is always one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits.
    Rsa,
    /// On P-256.
    P256,
    /// On Curve25519.
    X25519,
}

/// A key that opens encrypted bodies.
pub struct ChannelKey {
    /// Its identifier: the thumbprint of its public half (RFC 7638).
    pub key_id: String,
    /// Its kind.
    pub kind: KeyKind,
    /// The public half as a JWK.
    pub public: Object,
    /// The private half.
    pub private: PrivateKey,
    /// When it was generated.
    pub created_at: Timestamp,
    /// When a newer one replaced it.
    pub retired_at: Option<Timestamp>,
}

/// The two keys of a session, or of a message without one.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKeys {
    /// The key that requests are encrypted with.
    pub request: [u8; 32],
    /// The key that responses are encrypted with.
    pub response: [u8; 32],
}

/// The keys that open encrypted bodies, generated on first use and sealed with the master key; clones share them.
#[derive(Clone)]
pub struct ChannelKeys {
    store: Store,
    clock: Clock,
    master: MasterKey,
    retired_for: SignedDuration,
    keys: Arc<KeyCache<Vec<Arc<ChannelKey>>>>,
}

impl ChannelKeys {
    /// Reads the keys. Replaced keys still open bodies for `retired_for`.
    pub(crate) async fn start(
        store: Store,
        clock: Clock,
        master: MasterKey,
        retired_for: Duration,
    ) -> Result<ChannelKeys, Error> {
        let retired_for = SignedDuration::try_from(retired_for).unwrap_or(SignedDuration::MAX);
        let keys = Arc::new(KeyCache::new(Vec::new()));
        let keys = ChannelKeys { store, clock, master, retired_for, keys };
        keys.read().await?;
        Ok(keys)
    }

    /// Returns the key of a kind to encrypt to.
    pub async fn current(&self, kind: KeyKind) -> Result<Arc<ChannelKey>, Error> {
        let newest = || self.keys.get().iter().rev().find(|key| key.kind == kind && key.retired_at.is_none()).cloned();
        if let Some(key) = newest() {
            return Ok(key);
        }
        self.make(kind).await?;
        newest().ok_or_else(|| unusable("a key that was just made is missing"))
    }

    /// Returns the key with this identifier if it may still open bodies. An unknown one may be newer than the cached
    /// keys, so the database is asked at once, but at most ten times a second: invented identifiers must not put load
    /// on it.
    pub async fn find(&self, key_id: &str) -> Result<Option<Arc<ChannelKey>>, Error> {
        let now = self.clock.now();
        let known = || self.keys.get().iter().find(|key| key.key_id == key_id).cloned();
        let opens = |key: &Arc<ChannelKey>| key.retired_at.is_none_or(|end| now < self.end(end));
        if let Some(key) = known() {
            return Ok(Some(key).filter(opens));
        }
        if !self.keys.may_ask(now) {
            return Ok(None);
        }
        self.read().await?;
        Ok(known().filter(opens))
    }

    /// Generates new keys of every kind and returns their identifiers; older keys still open bodies for a while.
    pub async fn rotate(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for kind in KeyKind::ALL {
            names.push(self.make(kind).await?);
        }
        Ok(names)
    }

    /// Returns the public halves of the keys to encrypt to as a JWK Set (RFC 7517 §5).
    pub async fn published(&self) -> Result<Object, Error> {
        let mut keys = Vec::new();
        for kind in KeyKind::ALL {
            let key = self.current(kind).await?;
            let mut jwk = key.public.clone();
            jwk.insert("kid", key.key_id.as_str());
            jwk.insert("use", "enc");
            if kind == KeyKind::Rsa {
                jwk.insert("alg", Algorithm::RsaOaep256.name());
            }
            keys.push(json::Value::Object(jwk));
        }
        Ok(Object::from_iter([("keys", keys)]))
    }

    /// Deletes keys that no longer open bodies, and rereads the others, so that changes by other instances and the
    /// command line take effect here.
    pub async fn refresh(&self) -> Result<(), Error> {
        let horizon = before(self.clock.now(), self.retired_for);
        self.store.forget_channel_keys(horizon).await?;
        self.read().await
    }

    fn end(&self, retired_at: Timestamp) -> Timestamp {
        after(retired_at, self.retired_for)
    }

    async fn make(&self, kind: KeyKind) -> Result<String, Error> {
        let (secret, public) = match kind {
            KeyKind::Rsa => rsa_key().ok_or_else(|| unusable("an RSA key could not be made"))?,
            KeyKind::P256 => agreement(Curve::P256)?,
            KeyKind::X25519 => agreement(Curve::X25519)?,
        };
        let key_id = thumbprint(&public);
        let record = ChannelKeyRecord {
            kind: kind.name().to_owned(),
            public_key: json::Value::Object(public).to_text(),
            sealed: self.master.seal(random(), &key_context(&key_id), &secret),
            created_at: self.clock.now(),
            retired_at: None,
            key_id: key_id.clone(),
        };
        self.store.add_channel_key(record).await?;
        self.read().await?;
        Ok(key_id)
    }

    /// Reads the keys from the database; known keys are not unsealed again.
    async fn read(&self) -> Result<(), Error> {
        let known = self.keys.get();
        let mut keys = Vec::new();
        for record in self.store.channel_keys().await? {
            let same = known.iter().find(|key| key.key_id == record.key_id && key.retired_at == record.retired_at);
            keys.push(match same {
                Some(key) => key.clone(),
                None => Arc::new(self.open(record)?),
            });
        }
        self.keys.set(keys);
        Ok(())
    }

    fn open(&self, record: ChannelKeyRecord) -> Result<ChannelKey, Error> {
        let kind = KeyKind::ALL.into_iter().find(|kind| kind.name() == record.kind);
        let kind = kind.ok_or_else(|| record.unreadable("kind", "not a known kind"))?;
        let secret = self.master.open(&key_context(&record.key_id), &record.sealed);
        let secret = secret.map_err(|error| record.unreadable("sealed", error))?;
        let private = match kind {
            KeyKind::Rsa => PrivateKey::rsa(&secret),
            KeyKind::P256 => PrivateKey::agreement(Curve::P256, &secret),
            KeyKind::X25519 => PrivateKey::agreement(Curve::X25519, &secret),
        };
        let private = private.ok_or_else(|| record.unreadable("sealed", "not a private key of its kind"))?;
        let public = json::parse(record.public_key.as_bytes()).ok().and_then(|public| public.into_object().ok());
        let public = public.ok_or_else(|| record.unreadable("public_key", "not a JWK"))?;
        let ChannelKeyRecord { key_id, created_at, retired_at, .. } = record;
        Ok(ChannelKey { key_id, kind, public, private, created_at, retired_at })
    }
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [KeyKind; 3] = [KeyKind::Rsa, KeyKind::P256, KeyKind::X25519];

    fn name(self) -> &'static str {
        match self {
            KeyKind::Rsa => "rsa-2048",
            KeyKind::P256 => "p-256",
            KeyKind::X25519 => "x25519",
        }
    }
}

impl ChannelKey {
    /// Returns the public half of an RSA key as SubjectPublicKeyInfo in DER (RFC 5280 §4.1); `None` for another kind.
    pub fn spki(&self) -> Option<Vec<u8>> {
        rsa::spki(&URL_SAFE_NO_PAD.decode(self.public.get("n")?.as_str()?).ok()?)
    }

    /// Decrypts the two keys that a client generated. They must differ: a response that is sent back must not pass as a
    /// request. Both are always decrypted, whether or not the first succeeds.
    pub fn session_keys(&self, request: &[u8], response: &[u8]) -> Option<SessionKeys> {
        let key = |encrypted| self.private.decrypt(encrypted)?.try_into().ok();
        let (request, response): (Option<[u8; 32]>, Option<[u8; 32]>) = (key(request), key(response));
        let keys = SessionKeys { request: request?, response: response? };
        (keys.request != keys.response).then_some(keys)
    }
}

impl SessionKeys {
    /// Returns the keys as bytes, to be sealed.
    pub fn bytes(&self) -> Vec<u8> {
        [self.request, self.response].concat()
    }

    /// Reads the keys from unsealed bytes.
    pub fn read(bytes: &[u8]) -> Option<SessionKeys> {
        let (request, response) = bytes.split_first_chunk::<32>()?;
        Some(SessionKeys { request: *request, response: response.try_into().ok()? })
    }
}

/// Generates an RSA key in PKCS #8, and its public half.
fn rsa_key() -> Option<(Vec<u8>, Object)> {
    // The library draws the randomness itself.
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).ok()?;
    let secret = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).ok()?;
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(&key.public_key()).ok()?;
    let modulus = rsa::modulus_of_spki(public.as_ref())?;
    let members = [("e", rsa::EXPONENT.to_owned()), ("kty", "RSA".to_owned()), ("n", URL_SAFE_NO_PAD.encode(modulus))];
    Some((secret.as_ref().to_vec(), Object::from_iter(members)))
}

fn agreement(curve: Curve) -> Result<(Vec<u8>, Object), Error> {
    let (secret, key) = fresh(random, curve).ok_or_else(|| unusable("a key could not be made"))?;
    let public = key.public().ok_or_else(|| unusable("a key has no public half"))?;
    Ok((secret.to_vec(), public.jwk()))
}

/// Generates a key from random bytes. One in 2³² random values is not a valid key on P-256, so a few are tried.
pub(crate) fn fresh(random: impl Fn() -> [u8; 32], curve: Curve) -> Option<([u8; 32], AgreementKey)> {
    std::iter::repeat_with(random).take(8).find_map(|secret| Some((secret, AgreementKey::read(curve, &secret)?)))
}

/// Returns the thumbprint (RFC 7638) of a key whose members are in order.
fn thumbprint(public: &Object) -> String {
    let text = json::Value::Object(public.clone()).to_text();
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// Returns the context that a private half is sealed to.
fn key_context(key_id: &str) -> String {
    format!("channel/{key_id}")
}

fn unusable(why: &'static str) -> Error {
    Error::Internal(Cause::new(why))
}

//! The embedded issuer: signs tokens with its own keys, which are generated on first use and sealed with the master
//! key.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::Ed25519KeyPair;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::jwks::{KeySet, VerificationKey};
use super::rsa_key::RsaKey;
use crate::account::{AccountId, Cause, Contract, Error};
use crate::clock::{Clock, before, random};
use crate::config;
use crate::keys::{KeyCache, MasterKey};
use crate::store::{SigningKeyRecord, Store};

/// The algorithm of the embedded issuer's tokens (RFC 8037).
const ALGORITHM: &str = "EdDSA";
/// The algorithm of tokens for applications (RFC 7518 §3.3).
const APPLICATION_ALGORITHM: &str = "RS256";
/// The default scope of a token.
const SCOPE: &str = "profile";
/// `client_id` (RFC 9068 §2.2) of tokens that no client requested.
const CLIENT: &str = "selfsame";
/// Signs this installation's tokens and holds the keys that verify them; clones share the keys.
#[derive(Clone)]
pub struct Issuer {
    store: Store,
    clock: Clock,
    master: MasterKey,
    name: String,
    max_lifetime: Duration,
    keys: Arc<KeyCache<Keys>>,
}

/// The keys as last read from the database.
struct Keys {
    verifying: KeySet,
    published: Vec<serde_json::Value>,
    signing: Option<(String, EncodingKey)>,
    /// Like `published`, for the tokens of applications.
    published_to_applications: Vec<serde_json::Value>,
    signing_for_applications: Option<Arc<RsaKey>>,
}

/// The content of a token to be issued.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The account that the token is for.
    pub account: AccountId,
    /// The contract that it opens.
    pub contract: Contract,
    /// Its scope; `profile` if absent.
    pub scope: Option<String>,
    /// The client hash that it is bound to from the start.
    pub client_hash: Option<String>,
    /// How long it is valid, at most [`Issuer::max_lifetime`].
    pub lifetime: Duration,
}

/// A signed token and its identifier.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token itself: a secret.
    pub token: String,
    /// Its `jti`, by which it can be revoked.
    pub token_id: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The claims of a token (RFC 9068 §2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    client_id: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_hash: Option<&'a str>,
}

impl Issuer {
    /// Reads the keys. The issuer's name is the configured one, or a URN of the installation's identifier: it must not
    /// change with the address that the server listens on.
    pub(crate) async fn start(
        store: Store,
        clock: Clock,
        master: MasterKey,
        settings: &config::Issuer,
    ) -> Result<Issuer, Error> {
        let installation = store.fact("id", &clock.new_id().to_string()).await?;
        let name = if settings.name.is_empty() { format!("urn:uuid:{installation}") } else { settings.name.clone() };
        let keys = Arc::new(KeyCache::new(read_keys(&store, &master).await?));
        Ok(Issuer { store, clock, master, name, max_lifetime: settings.max_token_lifetime, keys })
    }

    /// Returns the `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how long revocations and retired keys are kept: no token is valid for longer.
    pub fn max_lifetime(&self) -> SignedDuration {
        SignedDuration::try_from(self.max_lifetime).unwrap_or(SignedDuration::MAX)
    }

    /// Signs a token. If the account's tokens were revoked within the current second, `iat` is the next second: tokens
    /// have whole seconds, and the new one must outlive the revocation.
    pub async fn issue(&self, grant: &Grant) -> Result<Issued, Error> {
        let horizon = self.store.tokens_not_before(grant.account).await?;
        let issued_at = horizon.map_or(self.clock.now(), |horizon| self.clock.now().max(next_second(horizon)));
        let lifetime = SignedDuration::try_from(grant.lifetime.min(self.max_lifetime)).unwrap_or(SignedDuration::ZERO);
        let expires_at = issued_at.checked_add(lifetime).map_err(|error| Error::Internal(Cause::new(error)))?;
        let token_id = self.clock.new_id().to_string();
        let (key_id, key) = self.signing_key().await?;
        let claims = Claims {
            iss: &self.name,
            sub: grant.account.to_string(),
            aud: grant.contract.name(),
            client_id: CLIENT,
            iat: issued_at.as_second(),
            exp: expires_at.as_second(),
            jti: &token_id,
            scope: grant.scope.as_deref().unwrap_or(SCOPE),
            client_hash: grant.client_hash.as_deref(),
        };
        let header = Header { typ: Some("at+jwt".to_owned()), kid: Some(key_id), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &key).map_err(|error| Error::Internal(Cause::new(error)))?;
        Ok(Issued { token, token_id, expires_at })
    }

    /// Generates a new signing key and returns its `kid`; older keys still verify until their last token has expired.
    pub async fn rotate(&self) -> Result<String, Error> {
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| Error::Internal(Cause::new(error));
        // The library draws the randomness itself.
        let pair = Ed25519KeyPair::generate().map_err(|error| unusable(error.into()))?;
        // Version 1, without the public key: the form that the JWT library reads Ed25519 keys in.
        let document = pair.to_pkcs8v1().map_err(|error| unusable(error.into()))?;
        let private = EncodingKey::from_ed_der(document.as_ref());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::EdDSA).map_err(|error| unusable(error.into()))?;
        // The thumbprint (RFC 7638) as `kid`: derived from the key itself.
        let key_id = public.thumbprint(ThumbprintHash::SHA256).map_err(|error| unusable(error.into()))?;
        public.common.key_id = Some(key_id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        self.add(ALGORITHM, &key_id, &public, document.as_ref()).await?;
        Ok(key_id)
    }

    /// Like [`Issuer::rotate`], for the key that signs the tokens of applications.
    pub async fn rotate_for_applications(&self) -> Result<String, Error> {
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| Error::Internal(Cause::new(error));
        let made = tokio::task::spawn_blocking(RsaKey::generate).await;
        let (mut public, private) = made.map_err(|error| unusable(error.into()))??;
        let jwk: Jwk = serde_json::from_value(public.clone()).map_err(|error| unusable(error.into()))?;
        let key_id = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|error| unusable(error.into()))?;
        public["kid"] = key_id.as_str().into();
        self.add(APPLICATION_ALGORITHM, &key_id, &public, &private).await?;
        Ok(key_id)
    }

    /// Stores a key and makes it the signing key in place of the current one.
    async fn add(&self, algorithm: &str, key_id: &str, public: &impl Serialize, private: &[u8]) -> Result<(), Error> {
        let now = self.clock.now();
        let record = SigningKeyRecord {
            algorithm: algorithm.to_owned(),
            public_key: serde_json::to_string(public).map_err(|error| Error::Internal(Cause::new(error)))?,
            sealed: self.master.seal(random(), key_id, private),
            created_at: now,
            retired_at: None,
            key_id: key_id.to_owned(),
        };
        self.store.add_signing_key(record).await?;
        let forgotten = before(now, self.max_lifetime());
        self.store.forget_signing_keys(forgotten).await?;
        self.refresh().await
    }

    /// Returns the public keys as a JWK Set (RFC 7517 §5).
    pub async fn published(&self) -> Result<serde_json::Value, Error> {
        self.signing_key().await?;
        Ok(serde_json::json!({ "keys": self.keys.get().published }))
    }

    /// Returns the public keys that verify the tokens of applications, as a JWK Set.
    pub async fn published_to_applications(&self) -> Result<serde_json::Value, Error> {
        self.signing_key_for_applications().await?;
        Ok(serde_json::json!({ "keys": self.keys.get().published_to_applications }))
    }

    /// Rereads the keys, so that changes by other instances and the command line take effect here.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.keys.set(read_keys(&self.store, &self.master).await?);
        Ok(())
    }

    /// Returns the key with this `kid`. An unknown one may be newer than the cached keys, so the database is asked at
    /// once, but at most ten times a second: invented key names must not put load on it.
    pub(super) async fn verification_key(
        &self,
        key_id: &str,
        algorithm: Algorithm,
    ) -> Result<Option<Arc<VerificationKey>>, Error> {
        let keys = self.keys.get();
        if let Some(key) = keys.verifying.find(Some(key_id), algorithm).pop() {
            return Ok(Some(key));
        }
        if !self.keys.may_ask(self.clock.now()) {
            return Ok(None);
        }
        self.refresh().await?;
        Ok(self.keys.get().verifying.find(Some(key_id), algorithm).pop())
    }

    /// Checks whether a key that verified a token is still one of the issuer's.
    pub(super) fn still_has(&self, key: &VerificationKey) -> bool {
        self.keys.get().verifying.contains(key)
    }

    /// Returns the signing key, generated on first use.
    async fn signing_key(&self) -> Result<(String, EncodingKey), Error> {
        if self.keys.get().signing.is_none() {
            self.rotate().await?;
        }
        self.keys
            .get()
            .signing
            .clone()
            .ok_or_else(|| Error::Internal(Cause::new("a signing key that was just made is missing")))
    }

    /// Returns the key that signs the tokens of applications, generated on first use.
    pub(super) async fn signing_key_for_applications(&self) -> Result<Arc<RsaKey>, Error> {
        if self.keys.get().signing_for_applications.is_none() {
            // Another instance may have generated one. A second would only retire the first, and generating takes long.
            self.refresh().await?;
        }
        if self.keys.get().signing_for_applications.is_none() {
            self.rotate_for_applications().await?;
        }
        self.keys
            .get()
            .signing_for_applications
            .clone()
            .ok_or_else(|| Error::Internal(Cause::new("a signing key that was just made is missing")))
    }
}

async fn read_keys(store: &Store, master: &MasterKey) -> Result<Keys, Error> {
    let mut keys = Keys {
        verifying: KeySet::default(),
        published: Vec::new(),
        signing: None,
        published_to_applications: Vec::new(),
        signing_for_applications: None,
    };
    for record in store.signing_keys().await? {
        let for_applications = match record.algorithm.as_str() {
            ALGORITHM => false,
            APPLICATION_ALGORITHM => true,
            _ => return Err(record.unreadable("algorithm", "not a known algorithm")),
        };
        let public = serde_json::from_str::<Jwk>(&record.public_key);
        let public = public.map_err(|_| record.unreadable("public_key", "not a JWK"))?;
        let verifying = VerificationKey::read(&public, &[Algorithm::EdDSA, Algorithm::RS256]);
        let verifying = verifying.ok_or_else(|| record.unreadable("public_key", "not a key that verifies tokens"))?;
        keys.verifying.push(verifying);
        let published = serde_json::to_value(&public).map_err(|error| record.unreadable("public_key", error))?;
        if for_applications { &mut keys.published_to_applications } else { &mut keys.published }.push(published);
        if record.retired_at.is_some() {
            continue;
        }
        let private = master.open(&record.key_id, &record.sealed);
        let private = private.map_err(|error| record.unreadable("sealed", error))?;
        if for_applications {
            keys.signing_for_applications = Some(Arc::new(RsaKey::open(record.key_id, &private)?));
        } else {
            keys.signing = Some((record.key_id, EncodingKey::from_ed_der(&private)));
        }
    }
    Ok(keys)
}

/// Returns the `iat` of a token that must outlive a revocation at this moment.
pub(super) fn next_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second() + 1).unwrap_or(Timestamp::MAX)
}

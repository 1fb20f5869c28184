//! Trusted identity providers and their keys, which are fetched, cached, and used for a while when a provider is
//! unreachable.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;

use super::jwks::{KeySet, VerificationKey};
use crate::account::{Cause, Error};
use crate::config::{Config, KeySource, TrustedIssuer};
use crate::json::{self, Value};
use crate::telemetry;

/// The timeout for all of a provider's documents together: less than 3 s, by which a request that waits for them must
/// have been refused.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest document that is read from a provider, in bytes.
const MAX_DOCUMENT: usize = 512 * 1024;
/// How long after an attempt an unknown `kid` starts no other one: clients must not be able to flood the provider.
const UNKNOWN_KEY_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// One trusted identity provider.
pub struct Trusted {
    /// Its configuration.
    pub settings: TrustedIssuer,
    client: reqwest::Client,
    state: Mutex<State>,
    /// Locked while the keys are being fetched: one fetch at a time.
    flight: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Default)]
struct State {
    keys: Arc<KeySet>,
    fetched_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
    /// Whether the last attempt failed.
    failed: bool,
}

impl Trusted {
    /// Prepares a provider. Nothing is fetched yet, so that an unreachable provider does not prevent startup.
    fn new(settings: TrustedIssuer, client: reqwest::Client) -> Trusted {
        Trusted { settings, client, state: Mutex::default(), flight: Arc::default() }
    }

    /// Returns the keys that a token may be signed with. An unknown `kid` may be newer than the cached keys, so the provider
    /// is asked, once for all waiting requests. If it does not answer, whether the key is its own is unknown:
    /// [`Error::Unavailable`], because a refusal would make clients discard valid tokens.
    pub(super) async fn verification_keys(
        self: &Arc<Self>,
        key_id: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Vec<Arc<VerificationKey>>, Error> {
        let find = || self.trusted_keys(now).map(|keys| keys.find(key_id, algorithm)).unwrap_or_default();
        let known = find();
        if !known.is_empty() {
            return Ok(known);
        }
        self.refresh_unless_tried(now, UNKNOWN_KEY_PAUSE).await;
        let found = find();
        if found.is_empty() && self.state().failed {
            return Err(Error::Unavailable(Cause::new(
                "the token's key is not known and its issuer cannot be reached",
            )));
        }
        Ok(found)
    }

    /// Checks whether a key that verified a token is still the provider's.
    pub(super) fn still_has(&self, key: &VerificationKey, now: Timestamp) -> bool {
        self.trusted_keys(now).is_some_and(|keys| keys.contains(key))
    }

    /// Fetches the keys again when they are due, or when the last attempt failed.
    pub async fn keep_fresh(self: &Arc<Self>, now: Timestamp) {
        let State { fetched_at, failed, .. } = self.state();
        if failed || fetched_at.is_none_or(|at| age(at, now) >= signed(self.settings.refresh)) {
            self.refresh_unless_tried(now, SignedDuration::ZERO).await;
        }
    }

    /// Fetches the keys now; fails if the provider cannot be reached or has no usable key.
    pub async fn try_keys(&self) -> Result<(), Cause> {
        let in_time = tokio::time::timeout(FETCH_TIMEOUT, self.fetch()).await;
        in_time.unwrap_or_else(|elapsed| Err(Cause::new(elapsed))).map(drop)
    }

    /// Returns the keys unless they are older than `stale_for`.
    fn trusted_keys(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let State { keys, fetched_at, .. } = self.state();
        fetched_at.filter(|at| age(*at, now) < signed(self.settings.stale_for)).map(|_| keys)
    }

    async fn refresh_unless_tried(self: &Arc<Self>, now: Timestamp, within: SignedDuration) {
        let waited_since = self.state().attempted_at;
        let flight = self.flight.clone().lock_owned().await;
        let attempted_at = self.state().attempted_at;
        // The previous holder of the lock fetched for all who waited.
        if attempted_at != waited_since || attempted_at.is_some_and(|at| age(at, now) < within) {
            return;
        }
        // In its own task, because clients disconnect: the fetch that one of them started would be cancelled with it,
        // and each of the next would start another.
        let this = self.clone();
        let refreshed = tokio::spawn(async move {
            this.refresh(now).await;
            drop(flight);
        });
        if let Err(error) = refreshed.await {
            tracing::error!(issuer = self.settings.issuer, %error, "key fetch from issuer aborted");
        }
    }

    async fn refresh(&self, now: Timestamp) {
        let in_time = tokio::time::timeout(FETCH_TIMEOUT, self.fetch()).await;
        let fetched = in_time.unwrap_or_else(|elapsed| Err(Cause::new(elapsed)));
        telemetry::issuer_refresh(&self.settings.issuer, fetched.is_ok());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.attempted_at = Some(now);
        state.failed = fetched.is_err();
        match fetched {
            Ok(keys) => {
                state.keys = Arc::new(keys);
                state.fetched_at = Some(now);
            }
            Err(cause) => {
                tracing::warn!(issuer = self.settings.issuer, %cause, "key fetch from issuer failed")
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, Cause> {
        let document = match &self.settings.keys {
            KeySource::JwksFile(path) => std::fs::read(path).map_err(Cause::new)?,
            KeySource::JwksUri(uri) => self.get(uri).await?,
            KeySource::Discovery => self.get(&self.discover().await?).await?,
        };
        KeySet::read(json::without_mark(&document), &self.settings.algorithms)
            .ok_or_else(|| Cause::new("the document contains no usable key"))
    }

    /// Returns the address of the keys by OpenID Connect Discovery 1.0 §4; the document must be the issuer's own
    /// (§4.3).
    async fn discover(&self) -> Result<String, Cause> {
        let issuer = &self.settings.issuer;
        let document = self.get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).await?;
        let metadata = json::parse(&document).map_err(Cause::new)?;
        let text = |name| metadata.as_object()?.get(name).and_then(Value::as_str);
        if text("issuer") != Some(issuer) {
            return Err(Cause::new("the discovery document is another issuer's"));
        }
        let uri = text("jwks_uri").ok_or_else(|| Cause::new("the discovery document names no jwks_uri"))?;
        // A document fetched over TLS must not lead to keys fetched without it.
        if issuer.starts_with("https:") && !uri.starts_with("https:") {
            return Err(Cause::new("the discovery document names a jwks_uri without TLS"));
        }
        Ok(uri.to_owned())
    }

    async fn get(&self, uri: &str) -> Result<Vec<u8>, Cause> {
        let mut response = self.client.get(uri).send().await.map_err(Cause::new)?;
        // Only 200, not every non-error: the body of a redirect is not the requested document.
        if response.status() != reqwest::StatusCode::OK {
            return Err(Cause::new(format!("{uri} answers {}", response.status())));
        }
        let mut document = Vec::new();
        while let Some(part) = response.chunk().await.map_err(Cause::new)? {
            if document.len() + part.len() > MAX_DOCUMENT {
                return Err(Cause::new("the document is too large"));
            }
            document.extend_from_slice(&part);
        }
        Ok(document)
    }

    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the configured providers, by issuer.
pub(super) fn all(config: &Config) -> Result<HashMap<String, Arc<Trusted>>, Cause> {
    // The client needs the system's certificates, which a container may lack as long as no provider is trusted.
    if config.trusted_issuer.is_empty() {
        return Ok(HashMap::new());
    }
    let client = client()?;
    let trusted =
        |settings: &TrustedIssuer| (settings.issuer.clone(), Arc::new(Trusted::new(settings.clone(), client.clone())));
    Ok(config.trusted_issuer.values().map(trusted).collect())
}

/// The client that fetches providers' documents: no redirects, no proxy from the environment.
fn client() -> Result<reqwest::Client, Cause> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.connect_timeout(FETCH_TIMEOUT).user_agent("selfsame").build().map_err(Cause::new)
}

fn age(moment: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(moment).abs()
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

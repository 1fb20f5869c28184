//! Identity providers that the operator trusts, and their keys: fetched, kept, and believed for a while when the provider
//! cannot be reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;

use super::jwks::{KeySet, VerificationKey};
use crate::account::{Cause, Error};
use crate::config::{KeySource, TrustedIssuer};
use crate::json::{self, Value};
use crate::telemetry;

/// How long a provider may take for each of its documents.
const FETCH_TIMEOUT: Duration = Duration::from_millis(1200);
/// The largest document that is read from a provider, in bytes.
const MAX_DOCUMENT: usize = 512 * 1024;
/// How long after one attempt an unknown key name starts no other: nobody can make us hammer the provider.
const UNKNOWN_KEY_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// One trusted identity provider.
pub struct Trusted {
    /// What the operator says about it.
    pub settings: TrustedIssuer,
    client: reqwest::Client,
    state: Mutex<State>,
    /// Held while the keys are being fetched: one flight at a time.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    keys: Arc<KeySet>,
    fetched_at: Option<Timestamp>,
    attempted_at: Option<Timestamp>,
}

impl Trusted {
    /// Prepares a provider; nothing is fetched yet, so that a provider that is down does not stop the start.
    pub(crate) fn new(settings: TrustedIssuer, client: reqwest::Client) -> Trusted {
        Trusted { settings, client, state: Mutex::default(), flight: tokio::sync::Mutex::new(()) }
    }

    /// The key that a token names. A name that is not known may be newer than what is kept, so the provider is asked, once
    /// for all who wait. Without any believable keys the answer is not "no" but [`Error::Unavailable`].
    pub(super) async fn verification_key(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Option<Arc<VerificationKey>>, Error> {
        if !self.settings.algorithms.contains(&algorithm) {
            return Ok(None);
        }
        if let Some(key) = self.believable(now).and_then(|keys| keys.find(key_id, algorithm)) {
            return Ok(Some(key));
        }
        self.refresh_unless_tried(now, UNKNOWN_KEY_PAUSE).await;
        match self.believable(now) {
            Some(keys) => Ok(keys.find(key_id, algorithm)),
            None => {
                Err(Error::Unavailable(Cause::new("the token's issuer cannot be reached and its keys are not known")))
            }
        }
    }

    /// Whether a key that verified a token is still the provider's.
    pub(super) fn still_has(&self, key: &VerificationKey, now: Timestamp) -> bool {
        self.believable(now).is_some_and(|keys| keys.holds(key))
    }

    /// Fetches the keys again when it is time to, or when the last attempt failed.
    pub(crate) async fn keep_fresh(&self, now: Timestamp) {
        let State { fetched_at, attempted_at, .. } = self.state();
        let due =
            fetched_at.is_none_or(|at| age(at, now) >= signed(self.settings.refresh)) || attempted_at > fetched_at;
        if due {
            self.refresh_unless_tried(now, SignedDuration::ZERO).await;
        }
    }

    /// The keys, as long as they may be believed.
    fn believable(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let State { keys, fetched_at, .. } = self.state();
        fetched_at.filter(|at| age(*at, now) < signed(self.settings.stale_for)).map(|_| keys)
    }

    async fn refresh_unless_tried(&self, now: Timestamp, within: SignedDuration) {
        let waited_since = self.state().attempted_at;
        let _flight = self.flight.lock().await;
        let attempted_at = self.state().attempted_at;
        // Whoever held the flight before us asked for all who waited.
        if attempted_at != waited_since || attempted_at.is_some_and(|at| age(at, now) < within) {
            return;
        }
        let fetched = self.fetch().await;
        telemetry::issuer_refresh(&self.settings.issuer, fetched.is_ok());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.attempted_at = Some(now);
        match fetched {
            Ok(keys) => {
                state.keys = Arc::new(keys);
                state.fetched_at = Some(now);
            }
            Err(cause) => {
                tracing::warn!(issuer = self.settings.issuer, %cause, "the issuer's keys could not be fetched")
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, Cause> {
        let document = match &self.settings.keys {
            KeySource::JwksFile(path) => std::fs::read(path).map_err(Cause::new)?,
            KeySource::JwksUri(uri) => self.get(uri).await?,
            KeySource::Discovery => self.get(&self.discover().await?).await?,
        };
        KeySet::read(&document, &self.settings.algorithms).ok_or_else(|| Cause::new("the document holds no usable key"))
    }

    /// Where the keys are, by OpenID Connect Discovery 1.0 §4; the document must be the issuer's own (§4.3).
    async fn discover(&self) -> Result<String, Cause> {
        let issuer = &self.settings.issuer;
        let document = self.get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))).await?;
        let metadata = json::parse(&document).map_err(Cause::new)?;
        let text = |name| metadata.as_object()?.get(name).and_then(Value::as_str);
        if text("issuer") != Some(issuer) {
            return Err(Cause::new("the discovery document is another issuer's"));
        }
        let uri = text("jwks_uri").ok_or_else(|| Cause::new("the discovery document names no jwks_uri"))?;
        // A document that came over TLS must not lead to keys that did not.
        if issuer.starts_with("https:") && !uri.starts_with("https:") {
            return Err(Cause::new("the discovery document names a jwks_uri without TLS"));
        }
        Ok(uri.to_owned())
    }

    async fn get(&self, uri: &str) -> Result<Vec<u8>, Cause> {
        let request = self.client.get(uri).timeout(FETCH_TIMEOUT).send();
        let mut response = request.await.and_then(reqwest::Response::error_for_status).map_err(Cause::new)?;
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

/// The client that fetches providers' documents: no redirects, no proxy out of the environment.
pub(crate) fn client() -> Result<reqwest::Client, Cause> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    client.connect_timeout(FETCH_TIMEOUT).user_agent("selfsame").build().map_err(Cause::new)
}

fn age(moment: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(moment).abs()
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

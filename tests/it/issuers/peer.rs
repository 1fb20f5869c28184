//! A real, third-party OpenID provider: its tokens open accounts, its keys change under load, and it is stopped, frozen
//! and broken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::task::JoinSet;

use super::*;
use crate::support::peer::{Peer, ProviderTokens};

/// Longer than the pause between two fetches for unknown keys.
const PAUSE: Duration = Duration::from_secs(2);
/// Time limit for a refusal that waits for the issuer.
const IN_TIME: Duration = Duration::from_secs(3);

/// A server that trusts a provider with one key, and the tokens that alice got when she signed in there.
struct Behind {
    server: Server,
    peer: Peer,
    key: Key,
    alice: ProviderTokens,
}

impl OnDatabase for Behind {
    async fn start(database: Database) -> Behind {
        Behind::signed_with(database, Key::p256("first"), "ES256").await
    }
}

impl Behind {
    async fn signed_with(database: Database, key: Key, algorithm: &str) -> Behind {
        let peer = Peer::start(AUDIENCE, &[&key], algorithm);
        let settings = trust("PEER", &peer.issuer(), &[("PROVISION", "create"), ("REFRESH", "1m")]);
        let server = Server::with(database, &borrowed(&settings)).await;
        let alice = peer.sign_in("alice").await;
        // The provider uses the system clock: the server's clock is set to its time.
        let claims = URL_SAFE_NO_PAD.decode(alice.access_token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let ahead = claims["iat"].as_i64().unwrap() - server.app.now().as_second();
        server.pass(Duration::from_secs(u64::try_from(ahead).expect("no clock shows a time before this was written")));
        Behind { server, peer, key, alice }
    }

    async fn read(&self, token: &str) -> Answer {
        let request = self.server.request("GET", PROFILE).bearer(token).send();
        tokio::time::timeout(IN_TIME, request).await.expect("the answer came too late")
    }
}

async fn reads_and_changes(behind: Behind) {
    let token = &behind.alice.access_token;
    let read = behind.read(token).await;
    assert_eq!(read.json()["data"]["accountName"], "The person alice", "{read}");
    let change = behind.server.request("POST", "/web/v1/system/profile/update").bearer(token);
    let changed = change.json(r#"{"accountName":"Alice"}"#).send().await;
    assert_eq!(changed.status, 200, "{changed}");
    assert_eq!(behind.read(token).await.json()["data"]["accountName"], "Alice");
    let bob = behind.peer.sign_in("bob").await;
    assert_eq!(behind.read(&bob.access_token).await.json()["data"]["accountName"], "The person bob");
}

on_both_databases!(
    async fn people_of_the_provider_read_and_change_their_profiles(behind: Behind) {
        reads_and_changes(behind).await;
    }
);

#[test]
fn rsa_signatures_of_the_provider_are_accepted() {
    on_sqlite(async |database| reads_and_changes(Behind::signed_with(database, Key::rsa("rsa"), "RS256").await).await);
}

#[test]
fn pss_signatures_of_the_provider_are_accepted() {
    on_sqlite(async |database| reads_and_changes(Behind::signed_with(database, Key::rsa("rsa"), "PS256").await).await);
}

#[test]
fn ed25519_signatures_of_the_provider_are_accepted() {
    let key = || Key::ed25519("ed25519");
    on_sqlite(async |database| reads_and_changes(Behind::signed_with(database, key(), "EdDSA").await).await);
}

#[test]
fn id_tokens_of_the_provider_are_refused() {
    on_sqlite(async |database| {
        let behind = Behind::start(database).await;
        assert_eq!(behind.read(&behind.alice.access_token).await.status, 200);
        assert_eq!(behind.read(&behind.alice.id_token).await.to_string(), REFUSED);
    });
}

#[test]
fn keys_of_the_provider_change_under_load_without_one_wrong_answer() {
    on_sqlite(async |database| {
        let behind = Arc::new(Behind::start(database).await);
        let current = Arc::new(Mutex::new(behind.alice.access_token.clone()));
        let (answers, mut answered) = tokio::sync::mpsc::channel(64);
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            let (behind, current, answers) = (behind.clone(), current.clone(), answers.clone());
            clients.spawn(async move {
                loop {
                    let token = current.lock().unwrap().clone();
                    let answer = behind.read(&token).await;
                    if answers.send((token, answer)).await.is_err() {
                        return;
                    }
                }
            });
        }
        let mut all_right = async || {
            let wanted = current.lock().unwrap().clone();
            let mut answers = 0;
            while answers < 40 {
                let (used, answer) = answered.recv().await.unwrap();
                assert_eq!(answer.status, 200, "{answer}");
                answers += usize::from(used == wanted);
            }
        };
        all_right().await;

        let second = Key::p256("second");
        behind.peer.stop();
        all_right().await;
        behind.peer.start_again(&[&behind.key, &second], "ES256", false);
        behind.server.pass(PAUSE);
        *current.lock().unwrap() = behind.peer.sign_in("alice").await.access_token;
        all_right().await;

        behind.peer.stop();
        behind.peer.start_again(&[&second, &behind.key], "ES256", false);
        let with_second = behind.peer.sign_in("alice").await.access_token;
        *current.lock().unwrap() = with_second.clone();
        all_right().await;
        clients.shutdown().await;

        // Finally the first key is removed, which invalidates the tokens that it signed.
        behind.peer.stop();
        behind.peer.start_again(&[&second], "ES256", false);
        behind.server.pass(Duration::from_secs(60));
        fetch_keys(&behind.server).await;
        assert_eq!(behind.read(&behind.alice.access_token).await.to_string(), REFUSED);
        assert_eq!(behind.read(&with_second).await.status, 200);
    });
}

/// Checks that, while the provider is unavailable, tokens with known keys stay valid and others are refused in time.
async fn goes_on(behind: &Behind) {
    behind.server.pass(PAUSE);
    assert_eq!(behind.read(&behind.alice.access_token).await.status, 200);
    let claims = claims(&behind.server, &behind.peer.issuer(), "alice");
    assert_eq!(
        behind.read(&behind.key.token("ES256", &claims)).await.status,
        200,
        "a valid token that is not in the cache was refused"
    );
    assert_eq!(behind.read(&Key::p256("unknown").token("ES256", &claims)).await.status, 503);
    assert_eq!(behind.read(&Key::p256("first").token("ES256", &claims)).await.to_string(), REFUSED);
    tokio::time::timeout(IN_TIME, fetch_keys(&behind.server)).await.expect("fetching took too long");
    assert_eq!(behind.read(&behind.alice.access_token).await.status, 200);
}

/// Checks that the provider is back: another person can sign in, and invalid tokens are refused again.
async fn is_back(behind: &Behind, key: &Key) {
    behind.server.pass(PAUSE);
    let bob = behind.peer.sign_in("bob").await;
    assert_eq!(behind.read(&bob.access_token).await.status, 200);
    let claims = claims(&behind.server, &behind.peer.issuer(), "alice");
    let unknown = behind.read(&Key::p256("unknown").token("ES256", &claims)).await;
    assert_eq!(unknown.to_string(), REFUSED);
    assert_eq!(behind.read(&key.token("ES256", &claims)).await.status, 200);
}

#[test]
fn known_keys_survive_a_stopped_provider() {
    on_sqlite(async |database| {
        let behind = Behind::start(database).await;
        assert_eq!(behind.read(&behind.alice.access_token).await.status, 200);
        behind.peer.stop();
        goes_on(&behind).await;
        let second = Key::p256("second");
        behind.peer.start_again(&[&second, &behind.key], "ES256", false);
        is_back(&behind, &second).await;
    });
}

#[test]
fn known_keys_survive_a_provider_that_hangs() {
    on_sqlite(async |database| {
        let behind = Behind::start(database).await;
        assert_eq!(behind.read(&behind.alice.access_token).await.status, 200);
        behind.peer.freeze();
        goes_on(&behind).await;
        behind.peer.thaw();
        is_back(&behind, &behind.key).await;
    });
}

#[test]
fn known_keys_survive_a_provider_with_broken_keys() {
    on_sqlite(async |database| {
        let behind = Behind::start(database).await;
        assert_eq!(behind.read(&behind.alice.access_token).await.status, 200);
        behind.peer.stop();
        behind.peer.start_again(&[&behind.key], "ES256", true);
        goes_on(&behind).await;
        behind.peer.stop();
        behind.peer.start_again(&[&behind.key], "ES256", false);
        is_back(&behind, &behind.key).await;
    });
}

#[test]
fn the_provider_ends_with_its_test_even_if_it_hangs() {
    let peer = Peer::start(AUDIENCE, &[&Key::p256("first")], "ES256");
    let directory = peer.directory().to_owned();
    peer.freeze();
    assert!(directory.exists());
    drop(peer);
    assert!(!directory.exists(), "the owner of the provider did not end");
}

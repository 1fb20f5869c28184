//! Key changes of an issuer, and the number of requests for its keys.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use super::*;
use crate::support::provider::Reply;
use crate::support::until;

/// Longer than the pause between two fetches for unknown keys.
const PAUSE: Duration = Duration::from_secs(2);

#[test]
fn many_requests_with_a_new_key_fetch_the_keys_once() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let fresh = Key::p256("fresh");
        world.provider.publish(vec![world.p256.jwk(), fresh.jwk()]);
        world.server.pass(PAUSE);
        let before = world.provider.asked_for_keys();
        let mut requests = JoinSet::new();
        for _ in 0..40 {
            let request = world.server.request("GET", PROFILE).bearer(&fresh.token("ES256", &world.claims()));
            requests.spawn(request.send());
        }
        while let Some(answer) = requests.join_next().await {
            assert_eq!(answer.unwrap().status, 200);
        }
        assert_eq!(world.provider.asked_for_keys(), before + 1);
    });
}

#[test]
fn invented_key_names_fetch_the_keys_once_per_pause() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let before = world.provider.asked_for_keys();
        for round in 1..=3 {
            world.server.pass(PAUSE);
            for number in 0..20 {
                let invented = Key::p256(&format!("invented {round} {number}"));
                assert_eq!(world.read(&invented.token("ES256", &world.claims())).await.to_string(), REFUSED);
            }
            assert_eq!(world.provider.asked_for_keys(), before + round);
        }
    });
}

/// A fetch in progress is not restarted when the clients that wait for it disconnect.
#[test]
fn clients_that_disconnect_do_not_cause_more_fetches() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        world.server.pass(PAUSE);
        let before = world.provider.asked_for_keys();
        world.provider.jwks(Reply::Hang);
        let places = || world.server.app.requests().available_permits();
        let all = places();
        for number in 0..4 {
            let token = Key::p256(&format!("invented {number}")).token("ES256", &world.claims());
            let mut connection = tokio::net::TcpStream::connect(world.server.address()).await.unwrap();
            let request = format!("GET {PROFILE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
            connection.write_all(request.as_bytes()).await.unwrap();
            until(async || places() < all).await;
            world.provider.asked_more_often_than(before).await;
            drop(connection);
            // The server has noticed: the request is no longer in flight.
            until(async || places() == all).await;
        }
        // One that stays gets its answer when the fetch that the first one started has timed out. Had that ended with its
        // client, this one would have waited for a fetch of its own.
        let invented = Key::p256("invented and patient").token("ES256", &world.claims());
        assert_eq!(world.read(&invented).await.status, 503);
        assert_eq!(world.provider.asked_for_keys(), before + 1);
    });
}

#[test]
fn keys_change_under_load_without_one_wrong_answer() {
    on_sqlite(async |database| {
        let world = Arc::new(World::start(database).await);
        let current = Arc::new(Mutex::new(world.token()));
        let (answers, mut answered) = tokio::sync::mpsc::channel(64);
        let mut clients = JoinSet::new();
        for _ in 0..6 {
            let (world, current, answers) = (world.clone(), current.clone(), answers.clone());
            clients.spawn(async move {
                loop {
                    let token = current.lock().unwrap().clone();
                    let answer = world.read(&token).await;
                    if answers.send((token, answer)).await.is_err() {
                        return;
                    }
                }
            });
        }
        let mut last = world.p256.jwk();
        for round in 0..8 {
            let fresh = Key::p256(&format!("round {round}"));
            // Published before use: a server cannot know a key earlier.
            world.provider.publish(vec![last, fresh.jwk()]);
            world.server.pass(Duration::from_secs(5));
            let token = fresh.token("ES256", &world.claims());
            *current.lock().unwrap() = token.clone();
            last = fresh.jwk();
            let mut with_fresh = 0;
            while with_fresh < 40 {
                let (used, answer) = answered.recv().await.unwrap();
                assert_eq!(answer.status, 200, "round {round}: {answer}");
                with_fresh += usize::from(used == token);
            }
        }
        assert!(world.provider.asked_for_keys() >= 8, "the keys were not asked for");
        clients.shutdown().await;
    });
}

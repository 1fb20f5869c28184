//! The issuer is unavailable or returns errors: tokens with known keys stay valid, all others are refused in time, and the
//! server recovers when the issuer does.

use std::time::Duration;

use super::*;
use crate::support::provider::Reply;

/// Longer than the pause between two fetches for unknown keys.
const PAUSE: Duration = Duration::from_secs(2);
/// Time limit for a refusal that waits for the issuer.
const IN_TIME: Duration = Duration::from_secs(3);
const HOURS: Duration = Duration::from_secs(60 * 60);
const UNAVAILABLE: &str = r#"503 Service Unavailable
content-language: en
content-type: application/json
retry-after: 1
vary: Accept-Language

{"success":false,"code":"5030","message":"Service temporarily unavailable"}"#;

async fn read_in_time(world: &World, token: &str) -> Answer {
    tokio::time::timeout(IN_TIME, world.read(token)).await.expect("the answer came too late")
}

/// Runs through an outage of the provider. `begin` receives its key set, which contains a new key.
async fn live_through(
    world: &mut World,
    begin: impl AsyncFnOnce(&mut Provider, String),
    end: impl FnOnce(&mut Provider),
) {
    let fresh = Key::p256("fresh");
    assert_eq!(world.read(&world.token()).await.status, 200);
    world.provider.publish(vec![world.p256.jwk(), fresh.jwk()]);
    let keys = json!({"keys": [world.p256.jwk(), fresh.jwk()]}).to_string();
    begin(&mut world.provider, keys).await;

    world.server.pass(2 * HOURS);
    tokio::time::timeout(IN_TIME, fetch_keys(&world.server)).await.expect("fetching took too long");
    assert_eq!(world.read(&world.token()).await.status, 200, "a valid token with a known key was refused");
    world.server.pass(PAUSE);
    let unknown = read_in_time(world, &fresh.token("ES256", &world.claims())).await;
    assert_eq!(unknown.to_string(), UNAVAILABLE, "a token with an unknown key was not answered as unavailable");
    assert_eq!(read_in_time(world, &world.token()).await.status, 200, "a valid token with a known key was refused");
    let forged = Key::p256("p256").token("ES256", &world.claims());
    assert_eq!(read_in_time(world, &forged).await.to_string(), REFUSED);

    end(&mut world.provider);
    world.server.pass(PAUSE);
    assert_eq!(
        world.read(&fresh.token("ES256", &world.claims())).await.status,
        200,
        "a valid token with the new key was refused"
    );
}

fn lives_through(fault: impl AsyncFnOnce(&mut Provider, String)) {
    on_sqlite(async |database| {
        let mut world = World::start(database).await;
        live_through(&mut world, fault, |provider| {
            provider.discovery(Reply::Honest);
            provider.jwks(Reply::Honest);
        })
        .await;
    });
}

fn responds(status: &'static str, body: impl Into<String>) -> Reply {
    Reply::Says(status, Vec::new(), body.into())
}

#[test]
fn known_keys_survive_a_stopped_issuer() {
    on_sqlite(async |database| {
        let mut world = World::start(database).await;
        live_through(&mut world, async |provider, _| provider.stop().await, Provider::start_again).await;
    });
}

#[test]
fn known_keys_survive_an_issuer_whose_metadata_hangs() {
    lives_through(async |provider, _| provider.discovery(Reply::Hang));
}

#[test]
fn known_keys_survive_an_issuer_whose_keys_hang() {
    lives_through(async |provider, _| provider.jwks(Reply::Hang));
}

#[test]
fn known_keys_survive_an_issuer_whose_keys_break_off() {
    lives_through(async |provider, _| provider.jwks(Reply::Stall));
}

#[test]
fn known_keys_survive_an_issuer_whose_metadata_breaks_off() {
    lives_through(async |provider, _| provider.discovery(Reply::Stall));
}

#[test]
fn known_keys_survive_an_issuer_with_broken_keys() {
    lives_through(async |provider, keys| provider.jwks(responds("200 OK", &keys[..keys.len() - 2])));
}

#[test]
fn known_keys_survive_an_issuer_with_a_page_for_people_instead_of_keys() {
    lives_through(async |provider, _| provider.jwks(responds("200 OK", "<html>Maintenance</html>")));
}

#[test]
fn known_keys_survive_an_issuer_with_nothing_instead_of_keys() {
    lives_through(async |provider, _| provider.jwks(responds("200 OK", "")));
}

#[test]
fn known_keys_survive_an_issuer_with_an_empty_set_of_keys() {
    lives_through(async |provider, _| provider.jwks(responds("200 OK", r#"{"keys":[]}"#)));
}

#[test]
fn known_keys_survive_an_issuer_with_invalid_keys() {
    lives_through(async |provider, _| {
        let broken = json!({"kty": "EC", "kid": "p256", "crv": "P-256", "x": "AAAA", "y": "AAAA"});
        provider.jwks(responds("200 OK", json!({"keys": [broken]}).to_string()));
    });
}

#[test]
fn known_keys_survive_an_issuer_with_a_huge_set_of_keys() {
    lives_through(async |provider, keys| provider.jwks(responds("200 OK", keys + &" ".repeat(512 * 1024))));
}

#[test]
fn known_keys_survive_an_issuer_with_huge_metadata() {
    lives_through(async |provider, _| {
        let (issuer, jwks_uri) = (provider.issuer(), provider.url("/keys"));
        let metadata = json!({"issuer": issuer, "jwks_uri": jwks_uri}).to_string();
        provider.discovery(responds("200 OK", metadata + &" ".repeat(512 * 1024)));
    });
}

#[test]
fn known_keys_survive_an_issuer_with_an_error() {
    lives_through(async |provider, keys| provider.jwks(responds("500 Internal Server Error", keys)));
}

#[test]
fn known_keys_survive_an_issuer_that_redirects_to_other_keys() {
    on_sqlite(async |database| {
        let mut world = World::start(database).await;
        let elsewhere = Provider::start(vec![world.p256.jwk()]).await;
        let location = format!("location: {}", elsewhere.url("/keys"));
        let redirect = async |provider: &mut Provider, keys| {
            provider.jwks(Reply::Says("302 Found", vec![location], keys));
        };
        live_through(&mut world, redirect, |provider| provider.jwks(Reply::Honest)).await;
        assert_eq!(elsewhere.connections(), 0);
    });
}

#[test]
fn known_keys_survive_an_issuer_with_the_metadata_of_another() {
    lives_through(async |provider, _| {
        let metadata = json!({"issuer": "https://other.example", "jwks_uri": provider.url("/keys")});
        provider.discovery(responds("200 OK", metadata.to_string()));
    });
}

#[test]
fn known_keys_survive_an_issuer_whose_metadata_names_no_keys() {
    lives_through(async |provider, _| {
        provider.discovery(responds("200 OK", json!({"issuer": provider.issuer()}).to_string()));
    });
}

#[test]
fn keys_that_cannot_be_fetched_again_are_trusted_for_a_limited_time() {
    on_sqlite(async |database| {
        let mut world = World::start(database).await;
        world.provider.stop().await;
        world.server.pass(24 * HOURS - PAUSE);
        fetch_keys(&world.server).await;
        assert_eq!(world.read(&world.token()).await.status, 200);
        let remembered = world.p256.token("ES256", &world.claiming("exp", json!(4_000_000_000_i64)));
        assert_eq!(world.read(&remembered).await.status, 200);
        world.server.pass(PAUSE);
        assert_eq!(read_in_time(&world, &world.token()).await.to_string(), UNAVAILABLE);
        assert_eq!(read_in_time(&world, &remembered).await.to_string(), UNAVAILABLE);
        world.provider.start_again();
        world.server.pass(PAUSE);
        assert_eq!(world.read(&remembered).await.status, 200);
    });
}

#[test]
fn a_server_starts_while_the_issuer_is_away() {
    on_sqlite(async |database| {
        let key = Key::p256("p256");
        let mut provider = Provider::start(vec![key.jwk()]).await;
        provider.stop().await;
        let server = Server::with(database, &borrowed(&trust("MAIN", provider.issuer(), &[]))).await;
        let account = server.person(&[]).await;
        link(&server, &account, provider.issuer(), "alice").await;
        let token = key.token("ES256", &claims(&server, provider.issuer(), "alice"));
        let read = async || server.request("GET", PROFILE).bearer(&token).send().await;
        assert_eq!(read().await.to_string(), UNAVAILABLE);
        provider.start_again();
        server.pass(PAUSE);
        assert_eq!(read().await.status, 200);
    });
}

#[test]
fn an_issuer_that_is_away_does_not_stop_the_others() {
    on_sqlite(async |database| {
        let key = Key::p256("p256");
        let (hanging, good) = (Provider::start(vec![key.jwk()]).await, Provider::start(vec![key.jwk()]).await);
        hanging.discovery(Reply::Hang);
        let settings = [trust("HANGING", hanging.issuer(), &[]), trust("GOOD", good.issuer(), &[])].concat();
        let server = Server::with(database, &borrowed(&settings)).await;
        let account = server.person(&[]).await;
        link(&server, &account, good.issuer(), "alice").await;
        let read = async |issuer: &str| {
            let token = key.token("ES256", &claims(&server, issuer, "alice"));
            tokio::time::timeout(IN_TIME, server.request("GET", PROFILE).bearer(&token).send()).await.unwrap()
        };
        let (hangs, goes) = tokio::join!(read(hanging.issuer()), read(good.issuer()));
        assert_eq!((hangs.status.as_u16(), goes.status.as_u16()), (503, 200));
    });
}

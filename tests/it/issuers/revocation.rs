//! A token of another issuer ends when it expires, is revoked, or loses its key, even if its signature is cached.

use std::process::{Command, Output};
use std::time::Duration;

use super::*;

/// Runs the program on the server's installation.
pub(super) fn run(server: &Server, settings: &[(String, String)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfsame"));
    command.env_clear().envs(settings.iter().map(|(name, value)| (name, value)));
    command.env("SELFSAME__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
    command.args(arguments).arg("--data").arg(server.data()).args(["--database", server.database().url()]);
    command.output().unwrap()
}

fn selfsame(world: &World, arguments: &[&str]) -> Output {
    run(&world.server, &trust("MAIN", world.provider.issuer(), &[]), arguments)
}

on_both_databases!(
    async fn a_revoked_token_of_another_issuer_is_refused(world: World) {
        let token = world.p256.token("ES256", &world.claiming("jti", json!("token-1")));
        assert_eq!(world.read(&token).await.status, 200);
        let issuer = world.provider.issuer().to_owned();
        let revoked = selfsame(&world, &["token", "revoke", "--jti", "token-1", "--issuer", &issuer]);
        assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_of_another_issuer_can_be_revoked_for_its_account(world: World) {
        let token = world.p256.token("ES256", &world.claiming("jti", json!("token-1")));
        let other = world.server.person(&[]).await;
        let issuer = world.provider.issuer().to_owned();
        let revoke = |account: &Account| {
            let id = account.id.to_string();
            let all = ["token", "revoke", "--jti", "token-1", "--issuer", &issuer, "--account", &id];
            let revoked = selfsame(&world, &all);
            assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
        };
        revoke(&other);
        assert_eq!(world.read(&token).await.status, 200, "revoked for another account");
        revoke(&world.alice);
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    }
);

/// A token without the scope for claims is checked before its account is read.
#[test]
fn a_token_that_is_revoked_for_its_account_is_refused_whatever_its_scope() {
    on_sqlite(async |database| {
        let world = World::with(database, &[("CONTRACTS", "ciam")]).await;
        let token = world.p256.token("ES256", &world.claiming("jti", json!("token-1")));
        let show = async || world.server.request("GET", "/userinfo").bearer(&token).send().await.status;
        assert_eq!(show().await, 403);
        let (app, issuer) = (&world.server.app, world.provider.issuer());
        let revocation = app.keys().revocation(issuer, "token-1");
        app.store().revoke_token(Some(world.alice.id), revocation, jiff::Timestamp::MAX).await.unwrap();
        assert_eq!(show().await, 401);
    });
}

#[test]
fn a_token_of_a_distributed_installation_is_revoked_with_its_account() {
    crate::support::run(Database::postgres, async |database: Database| {
        let world = World::start(database).await;
        let token = world.p256.token("ES256", &world.claiming("jti", json!("token-1")));
        let issuer = world.provider.issuer().to_owned();
        let mut settings = trust("MAIN", &issuer, &[]);
        settings.push(("SELFSAME__DATABASE__DISTRIBUTED".to_owned(), "true".to_owned()));
        let revoke = ["token", "revoke", "--jti", "token-1", "--issuer", &issuer];
        let refused = run(&world.server, &settings, &revoke);
        assert!(!refused.status.success());
        insta::assert_snapshot!(String::from_utf8_lossy(&refused.stderr), @"selfsame: account: with database.distributed a token is revoked for its account; give --account ID too, or --account alone to revoke every token of the account");
        assert_eq!(world.read(&token).await.status, 200);
        let id = world.alice.id.to_string();
        let with_account = [&revoke[..], &["--account", &id]].concat();
        assert!(run(&world.server, &settings, &with_account).status.success());
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
    });
}

#[test]
fn an_identifier_revokes_only_the_tokens_of_its_issuer() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let token = world.p256.token("ES256", &world.claiming("jti", json!("token-1")));
        assert!(selfsame(&world, &["token", "revoke", "--jti", "token-1"]).status.success());
        assert_eq!(world.read(&token).await.status, 200);
    });
}

#[test]
fn a_token_of_an_untrusted_issuer_cannot_be_revoked() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let refused = selfsame(&world, &["token", "revoke", "--jti", "token-1", "--issuer", "https://typo.example"]);
        assert!(!refused.status.success());
        insta::assert_snapshot!(String::from_utf8_lossy(&refused.stderr), @"selfsame: issuer https://typo.example is not trusted; give it exactly as a [trusted_issuer.NAME] section of the configuration does");
    });
}

#[test]
fn an_issuer_is_given_only_with_a_token_identifier() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let (account, issuer) = (world.alice.id.to_string(), world.provider.issuer().to_owned());
        assert!(!selfsame(&world, &["token", "revoke", "--account", &account, "--issuer", &issuer]).status.success());
        assert!(!selfsame(&world, &["token", "revoke", "--issuer", &issuer]).status.success());
    });
}

/// The server does not know the lifetime of another issuer's tokens.
#[test]
fn a_revocation_outlives_the_longest_token() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let mut claims = world.claiming("jti", json!("token-1"));
        claims["exp"] = json!(world.server.app.now().as_second() + 10 * 365 * 86_400);
        let token = world.p256.token("ES256", &claims);
        let issuer = world.provider.issuer().to_owned();
        assert!(selfsame(&world, &["token", "revoke", "--jti", "token-1", "--issuer", &issuer]).status.success());
        world.server.pass(Duration::from_secs(5 * 365 * 86_400));
        fetch_keys(&world.server).await;
        world.server.app.store().forget_expired(world.server.app.now()).await.unwrap();
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        claims["jti"] = json!("token-2");
        assert_eq!(world.read(&world.p256.token("ES256", &claims)).await.status, 200);
    });
}

on_both_databases!(
    async fn all_tokens_of_an_account_can_be_revoked(world: World) {
        let token = world.token();
        assert_eq!(world.read(&token).await.status, 200);
        world.server.pass(Duration::from_secs(1));
        let now = world.server.app.now();
        world.server.app.store().revoke_tokens_before(world.alice.id, now).await.unwrap();
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    }
);

#[test]
fn a_token_without_an_issue_time_is_revoked_with_its_account() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let token = world.p256.token("ES256", &world.without("iat"));
        assert_eq!(world.read(&token).await.status, 200);
        let now = world.server.app.now();
        world.server.app.store().revoke_tokens_before(world.alice.id, now).await.unwrap();
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
    });
}

#[test]
fn a_cached_token_expires() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let token = world.token();
        assert_eq!(world.read(&token).await.status, 200);
        world.server.pass(Duration::from_secs(600 + 59));
        assert_eq!(world.read(&token).await.status, 200);
        world.server.pass(Duration::from_secs(1));
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
    });
}

#[test]
fn a_cached_token_is_refused_when_its_key_is_gone() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let lasting = world.claiming("exp", json!(world.server.app.now().as_second() + 86_400));
        let (going, staying) = (world.p256.token("ES256", &lasting), world.p384.token("ES384", &lasting));
        assert_eq!(world.read(&going).await.status, 200);
        assert_eq!(world.read(&staying).await.status, 200);
        world.provider.publish(vec![world.p384.jwk()]);
        world.server.pass(Duration::from_secs(3600));
        fetch_keys(&world.server).await;
        assert_eq!(world.read(&going).await.to_string(), REFUSED);
        assert_eq!(world.read(&staying).await.status, 200);
    });
}

#[test]
fn a_cached_token_is_refused_when_its_key_is_replaced_under_the_same_name() {
    on_sqlite(async |database| {
        let world = World::start(database).await;
        let lasting = world.claiming("exp", json!(world.server.app.now().as_second() + 86_400));
        let token = world.p256.token("ES256", &lasting);
        assert_eq!(world.read(&token).await.status, 200);
        let replaced = Key::p256("p256");
        world.provider.publish(vec![replaced.jwk()]);
        world.server.pass(Duration::from_secs(3600));
        fetch_keys(&world.server).await;
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(world.read(&replaced.token("ES256", &lasting)).await.status, 200);
    });
}

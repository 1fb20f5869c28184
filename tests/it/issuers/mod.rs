//! Tokens of trusted external issuers: which accounts they open, which are refused, and what happens when the issuer is
//! unavailable or changes its keys.

pub(crate) mod accounts;
mod claims;
mod copied;
mod families;
mod forms;
mod headers;
mod key_sets;
mod links;
mod outages;
mod own_names;
mod peer;
mod plain_keys;
mod revocation;
mod rotation;

pub(crate) use key_sets::publish;

use selfsame::account::Account;
use selfsame::store::{Identity, Link};
use serde_json::{Value, json};

use crate::support::provider::Provider;
use crate::support::signing::Key;
use crate::support::{Answer, Database, OnDatabase, Server};

/// The audience of tokens.
pub(crate) const AUDIENCE: &str = "https://selfsame.example";
const PROFILE: &str = "/web/v1/system/profile";
/// The contract's exact response to an invalid token.
pub(crate) const REFUSED: &str = r#"401 Unauthorized
content-language: en
content-type: application/json
vary: Accept-Language
www-authenticate: Bearer realm="system", error="invalid_token"

{"success":false,"code":"4010","message":"Invalid or expired token"}"#;

/// A server that trusts one provider, and a person of that provider, `alice`, who has an account.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) provider: Provider,
    pub(crate) rsa: Key,
    pub(crate) p256: Key,
    p384: Key,
    ed25519: Key,
    pub(crate) alice: Account,
}

impl OnDatabase for World {
    async fn start(database: Database) -> World {
        World::with(database, &[]).await
    }
}

impl World {
    /// Starts with settings of the issuer that differ from the tests' defaults.
    pub(crate) async fn with(database: Database, settings: &[(&str, &str)]) -> World {
        World::with_server(database, settings, &[]).await
    }

    /// Starts with settings of the issuer, and with others.
    pub(crate) async fn with_server(database: Database, settings: &[(&str, &str)], others: &[(&str, &str)]) -> World {
        let (rsa, p256) = (Key::rsa("rsa"), Key::p256("p256"));
        let (p384, ed25519) = (Key::p384("p384"), Key::ed25519("ed25519"));
        let provider = Provider::start(vec![rsa.jwk(), p256.jwk(), p384.jwk(), ed25519.jwk()]).await;
        let trust = trust("MAIN", provider.issuer(), settings);
        let server = Server::with(database, &[&borrowed(&trust), others].concat()).await;
        let alice = server.person(&[]).await;
        link(&server, &alice, provider.issuer(), "alice").await;
        // Background maintenance fetches the keys at its own time as well; after this fetch it has no need to.
        fetch_keys(&server).await;
        World { server, provider, rsa, p256, p384, ed25519, alice }
    }

    /// The claims of a valid token of alice.
    pub(crate) fn claims(&self) -> Value {
        claims(&self.server, self.provider.issuer(), "alice")
    }

    /// The claims of a valid token with one added or replaced.
    pub(crate) fn claiming(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    /// The claims of a valid token without one of them.
    fn without(&self, name: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        claims
    }

    /// A valid token.
    pub(crate) fn token(&self) -> String {
        self.p256.token("ES256", &self.claims())
    }

    pub(crate) async fn read(&self, token: &str) -> Answer {
        self.server.request("GET", PROFILE).bearer(token).send().await
    }
}

/// Runs a test that does not depend on the database.
pub(crate) fn on_sqlite(body: impl AsyncFnOnce(Database)) {
    crate::support::run(Database::sqlite, body);
}

/// Proves that a token is refused because of the attack: the same server accepts a valid one.
fn refused(attack: impl FnOnce(&World) -> String) {
    refused_of(&[], attack);
}

pub(crate) fn refused_of(settings: &[(&str, &str)], attack: impl FnOnce(&World) -> String) {
    on_sqlite(async |database| {
        let world = World::with(database, settings).await;
        assert_eq!(world.read(&world.token()).await.status, 200);
        assert_eq!(world.read(&attack(&world)).await.to_string(), REFUSED);
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

/// Proves that an otherwise valid token with these claims is refused.
fn claims_refused(attack: impl FnOnce(&World) -> Value) {
    refused(|world| world.p256.token("ES256", &attack(world)));
}

/// Proves that a token is accepted.
pub(crate) fn taken(make: impl FnOnce(&World) -> String) {
    taken_of(&[], make);
}

pub(crate) fn taken_of(settings: &[(&str, &str)], make: impl FnOnce(&World) -> String) {
    on_sqlite(async |database| {
        let world = World::with(database, settings).await;
        assert_eq!(world.read(&make(&world)).await.status, 200);
    });
}

/// The settings of a trusted issuer, as environment variables.
fn trust(name: &str, issuer: &str, settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let defaults = [
        ("ISSUER", issuer),
        ("AUDIENCE", AUDIENCE),
        ("ALGORITHMS", "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,EdDSA"),
        ("TENANT", "demo"),
        ("CONTRACTS", "system"),
    ];
    let section = defaults.iter().filter(|(name, _)| settings.iter().all(|(other, _)| name != other)).chain(settings);
    let section = section.map(|(key, value)| (format!("SELFSAME__TRUSTED_ISSUER__{name}__{key}"), (*value).to_owned()));
    let common = [("SYSTEM__CLIENT_HASH", "optional"), ("RATE_LIMIT__ADDRESS", "0"), ("RATE_LIMIT__SYSTEM", "0")];
    section.chain(common.map(|(key, value)| (format!("SELFSAME__{key}"), value.to_owned()))).collect()
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The claims of a valid token with a lifetime of ten minutes.
fn claims(server: &Server, issuer: &str, subject: &str) -> Value {
    let now = server.app.now().as_second();
    json!({
        "iss": issuer,
        "sub": subject,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 600,
        "jti": server.app.new_id(),
        "scope": "profile",
    })
}

/// Binds a person of a provider to an account.
pub(crate) async fn link(server: &Server, account: &Account, issuer: &str, subject: &str) {
    let identity = Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
    let link = Link { key: server.app.keys().subject(subject), identity };
    server.app.store().link(account.id, &link, server.app.now()).await.unwrap();
}

/// Refreshes the keys of all issuers, as background maintenance does.
async fn fetch_keys(server: &Server) {
    for trusted in server.app.authenticator().all_trusted() {
        trusted.keep_fresh(server.app.now()).await;
    }
}

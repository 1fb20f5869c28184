//! Access tokens of widely used providers, with their claims as documented or publicly reported, and the table of
//! `docs/issuers.md` with the settings that they need.

use serde_json::{Value, json};

use super::refused_alone;
use crate::issuers::{World, refused_of, taken_of};

/// What a provider writes.
struct Provider {
    /// Its name in the table.
    name: &'static str,
    /// Where its claims are documented or reported.
    source: &'static str,
    /// The settings that it needs besides those that every section has, and their value in the tests.
    settings: &'static [(&'static str, &'static str)],
    /// The header of a token, besides `alg` and `kid`.
    header: fn() -> Value,
    /// The claims of an access token, besides `iss`, `sub`, `iat` and `exp`; `AUDIENCE` stands for the one that names
    /// selfsame.
    access_token: fn() -> Value,
    /// The claims of an ID token for an application that has that audience.
    id_token: fn() -> Value,
}

/// The audience in the claims below.
const AUDIENCE: &str = "https://selfsame.example";

const PROVIDERS: [Provider; 8] = [
    Provider {
        name: "Keycloak before 25",
        source: "https://www.keycloak.org/docs/latest/upgrading/#migrating-to-25-0-0",
        settings: &[],
        header: || json!({"typ": "JWT"}),
        access_token: || {
            json!({
                "auth_time": 1_700_000_000, "jti": "f0b3a8a3-6a1b-4c9b-8c8f-0a5f3e4d5c6b", "aud": [AUDIENCE, "account"],
                "typ": "Bearer", "azp": "app", "nonce": "0f1e2d3c", "session_state": "5c0f6f04-0a0e-4a0a-9d53-0a8b0f2b1b1a",
                "acr": "1", "allowed-origins": ["https://app.example.com"],
                "realm_access": {"roles": ["offline_access", "uma_authorization"]},
                "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}},
                "scope": "openid profile email", "sid": "5c0f6f04-0a0e-4a0a-9d53-0a8b0f2b1b1a", "email_verified": true,
                "name": "Alice Liddell", "preferred_username": "alice", "given_name": "Alice", "family_name": "Liddell",
                "email": "alice@example.com",
            })
        },
        id_token: || {
            json!({
                "auth_time": 1_700_000_000, "jti": "a", "aud": AUDIENCE, "typ": "ID", "azp": AUDIENCE, "nonce": "0f1e2d3c",
                "session_state": "5c0f6f04", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "acr": "1", "sid": "5c0f6f04",
                "email_verified": true, "preferred_username": "alice",
            })
        },
    },
    Provider {
        name: "Keycloak 25 and later",
        source: "https://www.keycloak.org/docs/latest/upgrading/#migrating-to-25-0-0",
        settings: &[],
        header: || json!({"typ": "JWT"}),
        access_token: || {
            json!({
                "auth_time": 1_700_000_000, "jti": "onrtac:f0b3a8a3-6a1b-4c9b-8c8f-0a5f3e4d5c6b", "aud": AUDIENCE,
                "typ": "Bearer", "azp": "app", "sid": "5c0f6f04-0a0e-4a0a-9d53-0a8b0f2b1b1a", "acr": "1",
                "scope": "openid profile", "name": "Alice Liddell", "preferred_username": "alice",
            })
        },
        id_token: || {
            json!({
                "auth_time": 1_700_000_000, "jti": "a", "aud": AUDIENCE, "typ": "ID", "azp": AUDIENCE, "nonce": "0f1e2d3c",
                "sid": "5c0f6f04", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "acr": "1",
            })
        },
    },
    Provider {
        name: "authentik",
        source: "https://github.com/goauthentik/authentik/blob/main/authentik/providers/oauth2/id_token.py",
        settings: &[("ACCESS_TOKEN_CLAIM", "uid")],
        header: || json!({"typ": "JWT"}),
        access_token: || {
            json!({
                "aud": AUDIENCE, "auth_time": 1_700_000_000, "acr": "goauthentik.io/providers/oauth2/default",
                "amr": ["pwd"], "nonce": "0f1e2d3c", "sid": "9f86d081884c7d65", "email": "alice@example.com",
                "email_verified": true, "name": "Alice Liddell", "given_name": "Alice", "preferred_username": "alice",
                "nickname": "alice", "groups": ["readers"], "azp": AUDIENCE, "uid": "hT2dN5cVbXqPzRk8",
            })
        },
        id_token: || {
            json!({
                "aud": AUDIENCE, "auth_time": 1_700_000_000, "acr": "goauthentik.io/providers/oauth2/default",
                "amr": ["pwd"], "nonce": "0f1e2d3c", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "sid": "9f86d081884c7d65",
            })
        },
    },
    Provider {
        name: "Auth0",
        source: "https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
        settings: &[],
        header: || json!({"typ": "JWT"}),
        access_token: || {
            json!({
                "aud": [AUDIENCE, "https://example.eu.auth0.com/userinfo"], "azp": "my_client_id",
                "scope": "openid profile email", "permissions": ["read:profile"],
            })
        },
        id_token: || json!({"aud": AUDIENCE, "nonce": "0f1e2d3c", "sid": "s", "nickname": "alice", "name": "Alice"}),
    },
    Provider {
        name: "Auth0, RFC 9068 profile",
        source: "https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
        settings: &[],
        header: || json!({"typ": "at+jwt"}),
        access_token: || {
            json!({
                "aud": AUDIENCE, "jti": "y7l3u8dNfXgDqPqW5rTzKv", "client_id": "my_client_id", "scope": "openid profile",
            })
        },
        id_token: || json!({"aud": AUDIENCE, "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "token_use": "id"}),
    },
    Provider {
        name: "Entra ID",
        source: "https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference",
        settings: &[],
        header: || json!({"typ": "JWT"}),
        access_token: || {
            json!({
                "aud": AUDIENCE, "nbf": 1_700_000_000, "aio": "AWQAm/8TAAAA", "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
                "azpacr": "0", "name": "Alice Liddell", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
                "preferred_username": "alice@example.com", "rh": "0.ARwA", "scp": "access_as_user",
                "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
                "roles": null, "email": "",
            })
        },
        id_token: || {
            json!({
                "aud": AUDIENCE, "nbf": 1_700_000_000, "nonce": "0f1e2d3c", "aio": "AWQAm/8TAAAA", "name": "Alice Liddell",
                "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
            })
        },
    },
    Provider {
        name: "Amazon Cognito",
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html",
        settings: &[("AUDIENCE_CLAIM", "client_id")],
        header: || json!({}),
        access_token: || {
            json!({
                "cognito:groups": ["readers"], "version": 2, "client_id": AUDIENCE, "origin_jti": "b2f3", "jti": "c3d4",
                "event_id": "64f513be-32db-42b0-b78e-b02127b4f463", "token_use": "access",
                "scope": "openid profile email", "auth_time": 1_700_000_000, "username": "alice",
            })
        },
        id_token: || {
            json!({
                "aud": AUDIENCE, "client_id": AUDIENCE, "token_use": "id", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
                "email_verified": "true", "cognito:username": "alice", "email": "alice@example.com", "nonce": "0f1e",
            })
        },
    },
    Provider {
        name: "Okta",
        source: "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/",
        settings: &[],
        header: || json!({}),
        access_token: || {
            json!({
                "ver": 1, "jti": "AT.MNAoEQ_jbKqoinrQo1D0XKjMX28U5d7ZszBceot7", "aud": AUDIENCE, "cid": "0oa1gjh63g214q0Hq0g4",
                "uid": "00u1gjh63g214q0Hq0g4", "scp": ["openid", "profile", "email"], "auth_time": 1_700_000_000,
            })
        },
        id_token: || {
            json!({
                "ver": 1, "jti": "ID.radCQMOQUmyvcTBmmIL0J6BaS60apUEiC7", "aud": AUDIENCE, "amr": ["pwd"],
                "idp": "00o1gjh63g214q0Hq0g4", "preferred_username": "alice@example.com", "auth_time": 1_700_000_000,
                "at_hash": "fPlsvVszI29LU2UhDyJ9vg",
            })
        },
    },
];

impl Provider {
    /// A token of alice with these claims.
    fn token(&self, world: &World, more: Value) -> String {
        let mut header = (self.header)();
        (header["alg"], header["kid"]) = (json!("RS256"), json!("rsa"));
        let mut claims = world.claims();
        for name in ["aud", "scope", "jti"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.rsa.token_of(&header.to_string(), &claims.to_string())
    }

    /// Its row in the table of the documentation.
    fn row(&self) -> String {
        let settings = self.settings.iter().map(|(name, value)| format!("`{} = \"{value}\"`", name.to_lowercase()));
        let settings: Vec<String> = settings.collect();
        let settings = if settings.is_empty() { "none".to_owned() } else { settings.join(", ") };
        format!("| {} | yes | {settings} | [claims]({}) |", self.name, self.source)
    }
}

#[test]
fn access_tokens_of_each_provider_are_taken_with_the_settings_in_the_table() {
    for provider in &PROVIDERS {
        taken_of(provider.settings, |world| provider.token(world, (provider.access_token)()));
    }
}

#[test]
fn access_tokens_of_a_provider_that_needs_a_setting_are_refused_without_it() {
    for provider in PROVIDERS.iter().filter(|provider| !provider.settings.is_empty()) {
        refused_of(&[], |world| provider.token(world, (provider.access_token)()));
    }
}

#[test]
fn id_tokens_of_each_provider_are_refused() {
    for provider in &PROVIDERS {
        refused_of(&[], |world| provider.token(world, (provider.id_token)()));
        refused_alone(provider.settings, |world| provider.token(world, (provider.id_token)()));
    }
}

#[test]
fn the_documentation_lists_each_provider_with_its_settings() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/issuers.md")).unwrap();
    let heading = "| Provider | accepted | settings besides the four required ones | source |";
    let listed = page.lines().skip_while(|line| *line != heading).skip(2).take_while(|line| line.starts_with('|'));
    assert_eq!(listed.collect::<Vec<_>>(), PROVIDERS.iter().map(Provider::row).collect::<Vec<_>>());
}

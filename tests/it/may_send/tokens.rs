//! Access tokens as identity providers write them.

use selfsame::account::{Field, Kind};
use serde_json::{Value, json};

use super::refused_alone;
use crate::issuers::accounts::Believing;
use crate::issuers::{AUDIENCE, REFUSED, World, link, on_sqlite, publish, refused_of, taken, taken_of};
use crate::support::signing::Key;
use crate::support::{Log, patch};

/// A valid token of alice with these claims in place of its own; `None` leaves one out.
fn with(world: &World, changes: &[(&str, Option<Value>)]) -> String {
    let mut claims = world.claims();
    for (name, value) in changes {
        match value {
            Some(value) => claims[*name] = value.clone(),
            None => drop(claims.as_object_mut().unwrap().remove(*name)),
        }
    }
    // A type that every provider writes, for ID tokens too.
    world.p256.token_of(&json!({"alg": "ES256", "typ": "JWT", "kid": "p256"}).to_string(), &claims.to_string())
}

#[test]
fn a_nonce_or_an_authorized_party_beside_a_sign_of_an_access_token_is_taken() {
    for sign in ["scope", "scp", "typ", "token_use"] {
        taken(|world| {
            let value = match sign {
                "typ" => json!("Bearer"),
                "token_use" => json!("access"),
                _ => json!("openid profile"),
            };
            with(
                world,
                &[
                    ("scope", None),
                    (sign, Some(value)),
                    ("nonce", Some(json!("n-0S6_WzA2Mj"))),
                    ("azp", Some(json!("app"))),
                    ("at_hash", Some(json!("77QmUPtjPfzWtF2AnpK9RQ"))),
                ],
            )
        });
    }
}

#[test]
fn the_type_at_jwt_is_a_sign_of_an_access_token() {
    taken(|world| {
        let mut claims = world.claiming("azp", json!("app"));
        claims.as_object_mut().unwrap().remove("scope").unwrap();
        let header = json!({"alg": "ES256", "typ": "application/at+jwt", "kid": "p256"});
        world.p256.token_of(&header.to_string(), &claims.to_string())
    });
}

#[test]
fn an_id_token_without_such_a_sign_stays_refused() {
    for claim in ["nonce", "at_hash", "azp"] {
        refused_of(&[], |world| with(world, &[("scope", None), (claim, Some(json!("x")))]));
        refused_of(&[], |world| with(world, &[("scope", Some(Value::Null)), (claim, Some(json!("x")))]));
    }
    for (name, value) in [("typ", "ID"), ("token_use", "id")] {
        refused_of(&[], |world| with(world, &[(name, Some(json!(value)))]));
    }
}

#[test]
fn a_provider_may_mark_its_access_tokens_by_a_claim_of_its_own() {
    let unmarked = [("scope", None), ("azp", Some(json!("app")))];
    let marked = [&unmarked[..], &[("uid", Some(json!("7")))]].concat();
    for setting in ["uid", "uid=7"] {
        taken_of(&[("ACCESS_TOKEN_CLAIM", setting)], |world| with(world, &marked));
        refused_of(&[("ACCESS_TOKEN_CLAIM", setting)], |world| with(world, &unmarked));
    }
    refused_of(&[("ACCESS_TOKEN_CLAIM", "uid=8")], |world| with(world, &marked));
    refused_of(&[("ACCESS_TOKEN_CLAIM", "uid")], |world| {
        with(world, &[&marked[..], &[("typ", Some(json!("ID")))]].concat())
    });
}

#[test]
fn claims_that_are_null_or_empty_are_absent() {
    for absent in [Value::Null, json!("")] {
        taken(|world| {
            let names =
                ["nbf", "iat", "jti", "sid", "client_hash", "portal", "nonce", "azp", "at_hash", "scope", "scp"];
            let changes: Vec<_> = names.iter().map(|name| (*name, Some(absent.clone()))).collect();
            with(world, &changes)
        });
        for required in ["iss", "sub", "aud", "exp"] {
            refused_of(&[], |world| with(world, &[(required, Some(absent.clone()))]));
        }
    }
    refused_of(&[], |world| with(world, &[("sub", Some(json!(7)))]));
    refused_of(&[], |world| with(world, &[("exp", Some(json!("1900000000")))]));
}

#[test]
fn the_audience_may_be_in_another_claim() {
    let cognito = [("AUDIENCE_CLAIM", "client_id"), ("AUDIENCE", "7abc")];
    taken_of(&cognito, |world| with(world, &[("aud", None), ("client_id", Some(json!("7abc")))]));
    refused_alone(&cognito, |world| with(world, &[("aud", None), ("client_id", Some(json!("8def")))]));
    refused_alone(&cognito, |world| with(world, &[("aud", Some(json!("7abc")))]));
    refused_alone(&cognito, |world| with(world, &[("client_id", Some(json!("a\0b")))]));
}

#[test]
fn a_token_with_150_groups_fits_and_the_limit_is_a_setting() {
    let groups: Vec<String> = (0..150).map(|group| format!("7f9f5cd3-0e0a-4f6b-9a39-{group:012}")).collect();
    let token = |world: &World| with(world, &[("groups", Some(json!(groups)))]);
    taken(token);
    on_sqlite(async |database| {
        let world = World::with_server(database, &[], &[("SELFSAME__SERVER__MAX_TOKEN_BYTES", "4096")]).await;
        assert_logged(&world, &token(&world), "unknown", "length").await;
        assert_eq!(world.read(&world.token()).await.status, 200);
    });
}

#[test]
fn each_of_four_keys_under_one_kid_is_tried() {
    on_sqlite(async |database| {
        let world = World::with(database, &[]).await;
        let keys: Vec<Key> = (0..5).map(|_| Key::p256("same")).collect();
        publish(&world, keys.iter().map(Key::jwk).collect()).await;
        for key in &keys[..4] {
            assert_eq!(world.read(&key.token("ES256", &world.claims())).await.status, 200);
        }
        let fifth = world.read(&keys[4].token("ES256", &world.claims())).await;
        assert_eq!(fifth.to_string(), REFUSED, "a fifth signature was computed");
        let stranger = Key::p256("same").token("ES256", &world.claims());
        assert_eq!(world.read(&stranger).await.to_string(), REFUSED);
    });
}

on_both_databases!(
    async fn an_address_that_the_text_true_marks_is_verified(believing: Believing) {
        let Believing(world) = believing;
        let marks = [("true", true), ("false", false), ("True", false), ("1", false)];
        for (index, (mark, expected)) in marks.into_iter().enumerate() {
            let claims = [
                ("email", json!(format!("bob{index}@example.com"))),
                ("email_verified", json!(mark)),
                ("phone_number", json!(format!("+1415555012{index}"))),
                ("phone_number_verified", json!(mark)),
            ];
            let bob = world.make(&format!("bob{index}"), &claims).await;
            assert_eq!((bob.email_verified, bob.phone_verified), (expected, expected), "{mark}");
        }
    }
);

/// The issuer and the rule of each refused token that the test's log has.
fn refusals() -> Vec<(String, String)> {
    let lines = Log::of_this_test().at("INFO").into_iter().filter(|line| line["message"] == "token refused");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines.map(|line| (text(&line["issuer"]), text(&line["rule"]))).collect()
}

/// Proves that a token is refused, with one line in the log that names its issuer and the rule that it breaks.
async fn assert_logged(world: &World, token: &str, issuer: &str, rule: &str) {
    let before = refusals().len();
    assert_eq!(world.read(token).await.to_string(), REFUSED, "{rule}");
    assert_eq!(refusals()[before..], [(issuer.to_owned(), rule.to_owned())]);
}

#[test]
fn a_refused_token_is_logged_with_its_issuer_and_the_rule_that_it_breaks() {
    on_sqlite(async |database| {
        let world = World::with(database, &[]).await;
        let now = world.server.app.now().as_second();
        let header = |header: Value| world.p256.token_of(&header.to_string(), &world.claims().to_string());
        let cases = [
            ("form", "no-token".to_owned()),
            ("header", header(json!({"alg": "ES256", "kid": "p256", "jku": "https://evil.example/keys"}))),
            ("issuer", with(&world, &[("iss", Some(json!("https://evil.example")))])),
            ("type", header(json!({"alg": "ES256", "kid": "p256", "typ": "dpop+jwt"}))),
            ("key", header(json!({"alg": "ES256", "kid": "other"}))),
            ("signature", format!("{}AA", &world.token()[..world.token().len() - 2])),
            ("claims", with(&world, &[("sub", Some(json!(7)))])),
            ("kind", with(&world, &[("typ", Some(json!("ID")))])),
            ("audience", with(&world, &[("aud", Some(json!("other")))])),
            ("time", with(&world, &[("exp", Some(json!(now - 3600)))])),
            ("account", with(&world, &[("sub", Some(json!("stranger")))])),
        ];
        for (rule, token) in &cases {
            let is_unknown = ["form", "header", "issuer"].contains(rule);
            let issuer = if is_unknown { "unknown" } else { world.provider.issuer() };
            assert_logged(&world, token, issuer, rule).await;
        }
        let lines: String = Log::of_this_test().lines().iter().map(Value::to_string).collect();
        assert!(!lines.contains("evil.example") && !lines.contains("stranger"), "{lines}");
        assert!(cases.iter().all(|(_, token)| !lines.contains(token)), "{lines}");
        assert_eq!(world.read(&world.token()).await.status, 200);
        assert_eq!(refusals().len(), cases.len());
        world.server.app.store().revoke_tokens_before(world.alice.id, world.server.app.now()).await.unwrap();
        let earlier = with(&world, &[("iat", Some(json!(now - 5)))]);
        assert_logged(&world, &earlier, world.provider.issuer(), "revocation").await;
    });
}

#[test]
fn a_token_of_an_issuer_whose_tenant_does_not_exist_breaks_the_rule_tenant() {
    for provision in ["refuse", "create"] {
        on_sqlite(async |database| {
            let world = World::with(database, &[("TENANT", "absent"), ("PROVISION", provision)]).await;
            let stranger = with(&world, &[("sub", Some(json!("stranger")))]);
            for token in [world.token(), stranger] {
                assert_logged(&world, &token, world.provider.issuer(), "tenant").await;
            }
        });
    }
}

#[test]
fn userinfo_shows_the_claims_of_the_scopes_to_clients_that_are_no_application() {
    on_sqlite(async |database| {
        let world = with_jane(World::with(database, &[("CONTRACTS", "ciam")]).await).await;
        assert_eq!(userinfo(&world, "openid").await, json!({"sub": "jane"}));
        assert_eq!(
            userinfo(&world, "openid profile email phone").await,
            json!({
                "sub": "jane", "email": "jane@example.com", "name": "Jane", "nickname": "J", "zoneinfo": "Europe/Paris",
                "locale": "fr", "phone_number": "+33123456789", "email_verified": true, "phone_number_verified": true,
                "username": "jane"
            })
        );
        assert_eq!(userinfo(&world, "openid email").await["email"], "jane@example.com");
        assert_eq!(userinfo(&world, "openid email").await["name"], Value::Null);
        // A client that is an application has the claims that it was created with, whatever the scopes.
        let client = world.server.client(Kind::Web, &["nickname"]).await;
        let token = jane(&world, json!([AUDIENCE, client.application.id]), "openid profile email phone");
        let shown = world.server.request("GET", "/userinfo").bearer(&token).send().await;
        assert_eq!(serde_json::from_str::<Value>(&shown.body).unwrap(), json!({"sub": "jane", "nickname": "J"}));
    });
}

#[test]
fn userinfo_shows_the_claims_that_the_operator_chose_for_the_issuer() {
    on_sqlite(async |database| {
        let settings = [("CONTRACTS", "ciam"), ("USERINFO_CLAIMS", "name,locale")];
        let world = with_jane(World::with(database, &settings).await).await;
        let shown = userinfo(&world, "openid email").await;
        assert_eq!(shown, json!({"sub": "jane", "name": "Jane", "locale": "fr"}));
    });
}

/// Adds jane, whose account is complete.
async fn with_jane(world: World) -> World {
    let mut complete = patch(&[
        (Field::DisplayName, "Jane"),
        (Field::Nickname, "J"),
        (Field::Username, "jane"),
        (Field::Email, "jane@example.com"),
        (Field::Phone, "+33123456789"),
        (Field::Language, "fr"),
        (Field::TimeZone, "Europe/Paris"),
    ]);
    (complete.email_verified, complete.phone_verified) = (Some(true), Some(true));
    let account = world.server.person_with(&world.server.tenant, complete).await;
    link(&world.server, &account, world.provider.issuer(), "jane").await;
    world
}

/// What `/userinfo` shows about jane for a token with a scope.
async fn userinfo(world: &World, scope: &str) -> Value {
    let answer = world.server.request("GET", "/userinfo").bearer(&jane(world, json!(AUDIENCE), scope)).send().await;
    assert_eq!(answer.status, 200, "{answer}");
    serde_json::from_str(&answer.body).unwrap()
}

/// A token of jane.
fn jane(world: &World, audience: Value, scope: &str) -> String {
    with(world, &[("sub", Some(json!("jane"))), ("aud", Some(audience)), ("scope", Some(json!(scope)))])
}

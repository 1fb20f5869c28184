//! Attacks through the claims of a token with a valid signature.

use super::*;

/// A token with exactly this text as its claims.
fn texted(world: &World, claims: &str) -> String {
    world.p256.token_of(&json!({"alg": "ES256", "typ": "at+jwt", "kid": "p256"}).to_string(), claims)
}

/// The text of valid claims with more members at their end.
fn followed_by(world: &World, more: &str) -> String {
    let claims = world.claims().to_string();
    format!("{},{more}}}", claims.strip_suffix('}').unwrap())
}

fn now(world: &World) -> i64 {
    world.server.app.now().as_second()
}

#[test]
fn an_id_token_is_not_an_access_token() {
    for (name, value) in [("nonce", "n-0S6_WzA2Mj"), ("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")] {
        refused(|world| {
            let mut claims = world.without("scope");
            claims[name] = json!(value);
            world.p256.token_of(&json!({"alg": "ES256", "typ": "JWT", "kid": "p256"}).to_string(), &claims.to_string())
        });
    }
    claims_refused(|world| world.claiming("token_use", json!("id")));
    claims_refused(|world| world.claiming("typ", json!("ID")));
}

#[test]
fn an_authorized_party_without_scope_is_an_id_token() {
    refused(|world| {
        let mut claims = world.without("scope");
        claims["azp"] = json!("client");
        world.p256.token_of(&json!({"alg": "ES256", "typ": "JWT", "kid": "p256"}).to_string(), &claims.to_string())
    });
}

#[test]
fn an_authorized_party_with_scope_is_an_access_token() {
    taken(|world| world.p256.token("ES256", &world.claiming("azp", json!("client"))));
}

#[test]
fn an_authorized_party_with_scp_is_an_access_token() {
    for scp in [json!("access_as_user"), json!(["openid", "profile"])] {
        taken(|world| {
            let mut claims = world.without("scope");
            claims["azp"] = json!("client");
            claims["scp"] = scp;
            world.p256.token("ES256", &claims)
        });
    }
}

#[test]
fn a_token_without_exp_is_refused() {
    claims_refused(|world| world.without("exp"));
}

#[test]
fn an_exp_that_is_text_is_refused() {
    claims_refused(|world| world.claiming("exp", json!((now(world) + 600).to_string())));
}

#[test]
fn an_exp_that_is_not_a_number_is_refused() {
    for end in [Value::Null, json!(true), json!([1_900_000_000]), json!({})] {
        claims_refused(|world| world.claiming("exp", end));
    }
}

#[test]
fn a_negative_exp_is_refused() {
    claims_refused(|world| world.claiming("exp", json!(-1)));
    refused(|world| texted(world, &world.claims().to_string().replace("\"exp\":", "\"exp\":-")));
}

#[test]
fn an_exp_beyond_every_calendar_is_refused() {
    for end in ["1e300", "1e999", "99999999999999999999", "253402300800"] {
        refused(|world| {
            let claims = world.without("exp").to_string();
            texted(world, &format!("{},\"exp\":{end}}}", claims.strip_suffix('}').unwrap()))
        });
    }
}

#[test]
fn a_fraction_of_a_second_is_cut_off() {
    taken(|world| world.p256.token("ES256", &world.claiming("exp", json!(now(world) as f64 + 0.5))));
    claims_refused(|world| world.claiming("exp", json!((now(world) - 60) as f64 + 0.5)));
}

#[test]
fn an_expired_token_is_accepted_within_the_leeway() {
    taken(|world| world.p256.token("ES256", &world.claiming("exp", json!(now(world) - 59))));
}

#[test]
fn an_expired_token_is_refused_beyond_the_leeway() {
    claims_refused(|world| world.claiming("exp", json!(now(world) - 60)));
}

#[test]
fn the_leeway_is_configured_for_each_issuer() {
    refused_of(&[("LEEWAY", "0s")], |world| world.p256.token("ES256", &world.claiming("exp", json!(now(world)))));
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused() {
    claims_refused(|world| world.claiming("nbf", json!(now(world) + 61)));
    taken(|world| world.p256.token("ES256", &world.claiming("nbf", json!(now(world) + 60))));
}

#[test]
fn a_token_from_the_future_is_refused() {
    claims_refused(|world| world.claiming("iat", json!(now(world) + 61)));
    taken(|world| world.p256.token("ES256", &world.claiming("iat", json!(now(world) + 60))));
}

#[test]
fn a_list_of_issuers_is_refused() {
    claims_refused(|world| world.claiming("iss", json!([world.provider.issuer()])));
}

#[test]
fn an_issuer_that_differs_by_a_slash_is_refused() {
    claims_refused(|world| world.claiming("iss", json!(format!("{}/", world.provider.issuer()))));
}

#[test]
fn an_issuer_in_other_case_is_refused() {
    claims_refused(|world| world.claiming("iss", json!(world.provider.issuer().replace("http", "HTTP"))));
}

#[test]
fn an_issuer_on_another_port_is_refused() {
    claims_refused(|world| world.claiming("iss", json!(format!("{}0", world.provider.issuer()))));
    claims_refused(|world| world.claiming("iss", json!("http://127.0.0.1")));
}

#[test]
fn an_issuer_with_more_around_it_is_refused() {
    for (before, after) in [(" ", ""), ("", " "), ("", "\0"), ("", "?"), ("", "#"), ("x@", "")] {
        claims_refused(|world| world.claiming("iss", json!(format!("{before}{}{after}", world.provider.issuer()))));
    }
}

#[test]
fn a_token_without_issuer_is_refused() {
    claims_refused(|world| world.without("iss"));
}

#[test]
fn a_provider_cannot_issue_tokens_of_the_embedded_issuer() {
    claims_refused(|world| {
        let mut claims = world.claiming("iss", json!(world.server.app.issuer().name()));
        claims["sub"] = json!(world.alice.id.to_string());
        claims["aud"] = json!("system");
        claims
    });
}

#[test]
fn a_token_without_subject_is_refused() {
    claims_refused(|world| world.without("sub"));
    for subject in [json!(""), json!(7), json!(["alice"]), Value::Null] {
        claims_refused(|world| world.claiming("sub", subject));
    }
}

#[test]
fn a_subject_in_other_case_is_another_person() {
    claims_refused(|world| world.claiming("sub", json!("Alice")));
    claims_refused(|world| world.claiming("sub", json!("alice ")));
}

#[test]
fn an_account_identifier_is_not_a_subject_of_a_provider() {
    claims_refused(|world| world.claiming("sub", json!(world.alice.id.to_string())));
}

#[test]
fn a_token_without_audience_is_refused() {
    claims_refused(|world| world.without("aud"));
    claims_refused(|world| world.claiming("aud", json!([])));
    claims_refused(|world| world.claiming("aud", json!("")));
}

#[test]
fn an_audience_that_only_resembles_the_configured_one_is_refused() {
    for audience in [
        "https://selfsame.exampl",
        "https://selfsame.example/",
        "https://selfsame.example.evil.example",
        "selfsame.example",
        "x https://selfsame.example",
    ] {
        claims_refused(|world| world.claiming("aud", json!(audience)));
    }
}

#[test]
fn an_audience_in_other_case_is_refused() {
    claims_refused(|world| world.claiming("aud", json!(AUDIENCE.to_uppercase())));
}

#[test]
fn audiences_without_the_configured_one_are_refused() {
    claims_refused(|world| world.claiming("aud", json!(["https://one.example", "https://two.example"])));
    claims_refused(|world| world.claiming("aud", json!([[AUDIENCE]])));
    claims_refused(|world| world.claiming("aud", json!([AUDIENCE, 1])));
}

#[test]
fn audiences_with_the_configured_one_are_accepted() {
    taken(|world| world.p256.token("ES256", &world.claiming("aud", json!(["https://one.example", AUDIENCE]))));
}

#[test]
fn an_audience_that_is_an_object_is_refused() {
    claims_refused(|world| world.claiming("aud", json!({ AUDIENCE: AUDIENCE })));
}

#[test]
fn duplicate_claims_are_refused() {
    for twice in [
        r#""sub":"alice""#,
        r#""exp":9999999999"#,
        r#""aud":"https://selfsame.example""#,
        r#""address":{"country":"US","country":"GB"}"#,
    ] {
        refused(|world| texted(world, &followed_by(world, twice)));
    }
}

#[test]
fn a_lone_surrogate_in_a_claim_is_refused() {
    refused(|world| texted(world, &followed_by(world, r#""name":"\ud800""#)));
    refused(|world| texted(world, &followed_by(world, r#""\udfff":1"#)));
}

#[test]
fn claims_that_are_nested_deep_are_refused() {
    refused(|world| {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        texted(world, &followed_by(world, &format!(r#""deep":{deep}"#)))
    });
    // So deep that a recursive parser would overflow its stack.
    refused(|world| texted(world, &followed_by(world, &format!(r#""deep":{}"#, "[".repeat(5000)))));
}

#[test]
fn claims_that_are_not_an_object_are_refused() {
    for claims in ["[]", "null", "\"alice\"", "{", "", "{}x", "\u{feff}{}"] {
        refused(|world| texted(world, claims));
    }
}

on_both_databases!(
    async fn a_token_with_u0000_in_a_claim_that_decides_or_in_its_header_is_invalid(database: Database) {
        let settings = [("CONTRACTS", "system,ciam"), ("PROVISION", "create")];
        let world = World::with(database, &settings).await;
        let nul = "a\0b";
        for (name, value) in [
            ("aud", json!([AUDIENCE, nul])),
            ("aud", json!([nul, AUDIENCE])),
            ("sub", json!(nul)),
            ("jti", json!(nul)),
            ("sid", json!(nul)),
            ("scope", json!(format!("openid {nul}"))),
            ("scope", json!(["openid", nul])),
            ("client_hash", json!(nul)),
            ("portal", json!(nul)),
            ("scp", json!(nul)),
        ] {
            let mut claims = world.claiming(name, value.clone());
            if name != "scope" {
                claims["scope"] = json!("openid profile");
            }
            let token = world.p256.token("ES256", &claims);
            assert_eq!(world.read(&token).await.to_string(), REFUSED, "{name:?}: {value}");
            let userinfo = world.server.request("GET", "/userinfo").bearer(&token).send().await;
            assert_eq!(userinfo.status, 401, "{name:?}: {value}");
        }
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": nul}).to_string();
        let token = world.p256.token_of(&header, &world.claims().to_string());
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        for (name, value) in [("name", json!(nul)), ("other", json!({"deep": [{"a": nul}]})), (nul, json!(true))] {
            let mut claims = world.claiming(name, value);
            claims["scope"] = json!("openid profile");
            let token = world.p256.token("ES256", &claims);
            assert_eq!(world.read(&token).await.status, 200, "{name:?}");
            let userinfo = world.server.request("GET", "/userinfo").bearer(&token).send().await;
            assert_eq!(userinfo.status, 200, "{name:?}");
        }
    }
);

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::with_account;
use crate::support::{Installation, Request};

on_both_databases!(
    async fn a_token_contains_what_it_was_issued_for(installation: Installation) {
        let id = with_account(&installation);
        let issue = ["token", "issue", "--account", &id, "--contract", "system", "--ttl", "5m", "--json"];
        let more = ["--scope", "profile email", "--client-hash", "h"];
        let issued = installation.json(&[&issue[..], &more].concat());
        let claims = claims(issued["token"].as_str().unwrap());
        assert_eq!(
            (&claims["sub"], &claims["aud"], &claims["jti"]),
            (&id.as_str().into(), &"system".into(), &issued["jti"])
        );
        assert_eq!((&claims["scope"], &claims["client_hash"]), (&"profile email".into(), &"h".into()));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        let plain = installation.print(&["token", "issue", "--account", &id, "--contract", "rivergen"]);
        assert_eq!((plain.lines().count(), &self::claims(plain.trim())["aud"]), (1, &"rivergen".into()));
    }
);

// The server and the command line are two processes on one database.
on_both_databases!(
    async fn tokens_are_issued_and_revoked_beside_a_running_server(installation: Installation) {
        let id = with_account(&installation);
        let (_program, address) = installation.serve();
        let client = reqwest::Client::new();
        let status = async |token: &Value| {
            let read = Request::new(&client, "GET", &format!("http://{address}/web/v1/system/profile"));
            read.bearer(token.as_str().unwrap()).header("X-Client-Hash", "h").send().await.status.as_u16()
        };
        let issue = || installation.json(&["token", "issue", "--account", &id, "--contract", "system", "--json"]);
        let (first, second) = (issue(), issue());
        assert_eq!((status(&first["token"]).await, status(&second["token"]).await), (200, 200));

        installation.print(&["token", "revoke", "--jti", first["jti"].as_str().unwrap()]);
        assert_eq!((status(&first["token"]).await, status(&second["token"]).await), (401, 200));
        let third = issue();
        let other = installation.json(&["account", "create", "--tenant", "demo", "--json"]);
        let other = other["id"].as_str().unwrap();
        let third_jti = third["jti"].as_str().unwrap();
        installation.print(&["token", "revoke", "--jti", third_jti, "--account", other]);
        assert_eq!(status(&third["token"]).await, 200, "revoked for another account");
        installation.print(&["token", "revoke", "--jti", third_jti, "--account", &id]);
        assert_eq!((status(&third["token"]).await, status(&second["token"]).await), (401, 200));
        installation.print(&["token", "revoke", "--account", &id]);
        assert_eq!(status(&second["token"]).await, 401);
        assert_eq!(status(&issue()["token"]).await, 200);

        installation.print(&["issuer", "rotate"]);
        assert_eq!(status(&issue()["token"]).await, 200);
        installation.print(&["account", "set-status", &id, "SUSPENDED"]);
        assert_eq!(status(&issue()["token"]).await, 403);
    }
);

#[test]
fn a_rotation_prints_the_key_that_signs_from_now_on() {
    let installation = Installation::new();
    let id = with_account(&installation);
    let key = installation.print(&["issuer", "rotate"]);
    let token = installation.print(&["token", "issue", "--account", &id, "--contract", "system"]);
    let header: Value = part(&token, 0);
    assert_eq!(header["kid"], key.trim());
}

#[test]
fn invalid_arguments_are_refused_in_one_line() {
    let installation = Installation::new();
    let id = with_account(&installation);
    let issue = |contract, ttl| vec!["token", "issue", "--account", &id, "--contract", contract, ttl];
    let refused = [
        issue("cl2d", "--ttl=1h"),
        issue("system", "--ttl=5"),
        issue("system", "--ttl=-5m"),
        issue("system", "--ttl=0s"),
        issue("system", "--ttl=721h"),
        vec!["token", "issue", "--account", "00000000-0000-0000-0000-000000000000", "--contract", "system"],
        vec!["token", "revoke", "--account", "00000000-0000-0000-0000-000000000000"],
        vec!["token", "revoke", "--jti", "a", "--account", "00000000-0000-0000-0000-000000000000"],
    ];
    let lines: Vec<String> = refused.iter().map(|arguments| installation.refusal(arguments)).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    selfsame: invalid value 'cl2d' for '--contract <CONTRACT>': expected one of system, rivergen
    selfsame: invalid value '5' for '--ttl <DURATION>': expected a duration such as 90d, 12h or 30m
    selfsame: invalid value '-5m' for '--ttl <DURATION>': expected a duration such as 90d, 12h or 30m
    selfsame: invalid value '0s' for '--ttl <DURATION>': expected a duration such as 90d, 12h or 30m
    selfsame: ttl: must be at most issuer.max_token_lifetime, 720h
    selfsame: no account has the id ID; see `selfsame account list`
    selfsame: no account has the id ID; see `selfsame account list`
    selfsame: no account has the id ID; see `selfsame account list`
    ");
}

fn claims(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, number: usize) -> Value {
    let encoded = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

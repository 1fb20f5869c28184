//! A refusal with a status below 500 writes nothing: every row of every table is compared, for each contract and each kind of
//! refusal. The exceptions are declared one by one, and an exception that a refusal does not need fails too.

use std::collections::BTreeSet;

use selfsame::account::{Account, Contract, Field, Kind, Patch, Status};
use serde_json::{Value, json};

use super::suspension;
use crate::rivergen::PIXEL;
use crate::support::applications::{Client, basic};
use crate::support::secure_channel::{CHANNEL, ServerKey, jwe};
use crate::support::{Database, Person, Request, Server, patch};

/// No interval between codes, so that no time has to pass, and nothing expires meanwhile.
const SETTINGS: [(&str, &str); 3] = [
    ("SELFSAME__CODES__LOGIN__INTERVAL", "0s"),
    ("SELFSAME__CODES__UPDATE_USERINFO__INTERVAL", "0s"),
    ("SELFSAME__CODES__CHANGE_EMAIL__INTERVAL", "0s"),
];
const PROFILE: &str = "/web/v1/system/profile";
const UPDATE: &str = "/web/v1/system/profile/update";
const USER: &str = "/v1/cl2c/user";
const ME: &str = "/api/v1/auth/me";
const OWN: &str = "/api/v1/auth/me/profile";
const ASK: &str = "/api/v1/auth/me/email/request";
const VERIFY: &str = "/api/v1/auth/me/email/verify";
const USERINFO: &str = "/userinfo";
const SEND: &str = "/otp/send";
const TOKEN: &str = "/oauth2/token";
const REVOKE: &str = "/oauth2/revoke";
const EMAIL_GRANT: &str = "http://tencentciam.com/oauth2/grant-type/otp/email";

/// Each try of a code is counted before the comparison.
const TRIES: &[&str] = &["one_time_code"];
/// A refresh token that is presented after its grace period was stolen: it ends its sign-in and revokes its access tokens.
const STOLEN: &[&str] = &["revoked_token", "sign_in"];

/// A request, the status that refuses it, and the tables that it changes all the same.
type Refused = (u16, Request, &'static [&'static str]);

/// The rows of every table. Only the time of an API key's last use is left out: it is written in the background.
async fn rows(server: &Server) -> BTreeSet<String> {
    let database = server.database();
    let mut rows = database.all_rows().await;
    rows.retain(|row| !row.starts_with("api_key "));
    let keys = "SELECT id, tenant_id, account_id, name, created_at, expires_at, revoked_at FROM api_key";
    rows.extend(database.rows(keys).await.into_iter().map(|row| format!("api_key {row}")));
    rows.into_iter().collect()
}

/// Sends each request, and checks that it is refused and changes exactly the tables that are declared.
async fn refuse(server: &Server, refused: Vec<Refused>) {
    for (number, (status, request, declared)) in refused.into_iter().enumerate() {
        let before = rows(server).await;
        let answer = request.send().await;
        let after = rows(server).await;
        assert_eq!(answer.status, status, "{number}: {answer}");
        let differing = before.symmetric_difference(&after).map(|row| row.split(' ').next().unwrap());
        let changed: BTreeSet<&str> = differing.collect();
        assert_eq!(changed, declared.iter().copied().collect(), "{number}: the tables that changed; {answer}");
    }
}

/// A person with a verified address, whose rows of the first request exist already.
async fn person(server: &Server) -> Person<'_> {
    let mut patch = patch(&[
        (Field::DisplayName, "Jane"),
        (Field::GivenName, "Jane"),
        (Field::FamilyName, "Roe"),
        (Field::Email, "jane@example.com"),
    ]);
    patch.email_verified = Some(true);
    let person = Person::new(server, patch).await;
    assert_eq!(person.system("GET", PROFILE, None).await.status, 200);
    person
}

/// Another account, with a verified address and number.
async fn neighbour(server: &Server) -> Account {
    let mut patch = patch(&[(Field::Email, "jo@example.com"), (Field::Phone, "+8613800138000")]);
    (patch.email_verified, patch.phone_verified) = (Some(true), Some(true));
    server.person_with(&server.tenant, patch).await
}

/// Bodies that no contract accepts, with the status of each.
fn bodies(request: impl Fn() -> Request, malformed: u16, limit: usize) -> Vec<Refused> {
    vec![
        (malformed, request().json(""), &[]),
        (malformed, request().json("{"), &[]),
        (malformed, request().json("[]"), &[]),
        (malformed, request().json(r#"{"member":"\u0000"}"#), &[]),
        (413, request().json("x".repeat(limit + 1)), &[]),
        (415, request().body("{}"), &[]),
        (415, request().header("Content-Encoding", "gzip").json("{}"), &[]),
    ]
}

on_both_databases!(
    async fn a_refusal_of_system_writes_nothing(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let person = person(&server).await;
        let suspended = server.person(&[]).await;
        let of_suspended = server.token(&suspended, Contract::System).await;
        server.operate(&suspended, suspension()).await;
        let key = ServerKey::of(&server).await;
        let bearer = |method, path, token: &str| server.request(method, path).bearer(token);
        let post = || bearer("POST", UPDATE, &person.token).header("X-Client-Hash", "d1");
        let sealed = |header: &Value| jwe(&key, header, r#"{"accountName":"Jo"}"#);
        let header = json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.id});
        let mut refused: Vec<Refused> = vec![
            (401, server.request("GET", PROFILE), &[]),
            (401, bearer("GET", PROFILE, "none").header("X-Client-Hash", "d1"), &[]),
            (400, bearer("POST", UPDATE, &person.token).json(r#"{"accountName":"Jo"}"#), &[]),
            (403, bearer("POST", UPDATE, &person.token).header("X-Client-Hash", "d2").json("{}"), &[]),
            (403, bearer("POST", UPDATE, &person.river).header("X-Client-Hash", "d1").json("{}"), &[]),
            (403, bearer("POST", UPDATE, &of_suspended).header("X-Client-Hash", "d1").json("{}"), &[]),
            (404, bearer("GET", "/web/v1/system/none", &person.token), &[]),
            (405, bearer("DELETE", PROFILE, &person.token), &[]),
            (400, post().json(r#"{"accountName":1}"#), &[]),
            (400, post().json(format!(r#"{{"accountName":"Jo","accountPhone":"{}"}}"#, "1".repeat(26))), &[]),
            (400, post().header("Content-Type", "application/jose").body(sealed(&header)), &[]),
            (400, post().header("Content-Type", "application/jose").body("a.b.c.d.e"), &[]),
            (400, post().header("X-SC-Session-Id", "none").json(r#"{"v":2,"p":"AAAA"}"#), &[]),
            (400, server.request("POST", &format!("{CHANNEL}/session")).json("{}"), &[]),
            (400, server.request("POST", &format!("{CHANNEL}/session/close")).json(r#"{"sessionId":7}"#), &[]),
        ];
        refused.extend(bodies(post, 400, 64 * 1024));
        refuse(&server, refused).await;
        assert_eq!(post().json(r#"{"accountName":"Jo"}"#).send().await.status, 200);
    }
);

on_both_databases!(
    async fn a_refusal_of_cl2c_writes_nothing(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let (person, neighbour) = (person(&server).await, neighbour(&server).await);
        let suspended = server.person(&[]).await;
        let of_suspended = server.back_end(&server.tenant, Some(suspended.id)).await;
        server.operate(&suspended, suspension()).await;
        let expired = server.back_end_until(&server.tenant, Some(person.account.id), Some(server.app.now())).await;
        let revoked = server.back_end(&server.tenant, Some(person.account.id)).await;
        revoked.revoke().await;
        let names = r#"{"firstName":"Jo","lastName":"Roe"}"#;
        let of_key = |method, path: &str, tenant: &str, key: &str| {
            server.request(method, path).header("tenant", tenant).header("X-API-Key", key)
        };
        let put = || of_key("PUT", USER, "demo", &person.key);
        let mut refused: Vec<Refused> = vec![
            (401, server.request("PUT", USER).json(names), &[]),
            (401, of_key("PUT", USER, "other", &person.key).json(names), &[]),
            (401, of_key("PUT", USER, "demo", "ssk_none").json(names), &[]),
            (401, expired.request("PUT", USER).json(names), &[]),
            (401, revoked.request("PUT", USER).json(names), &[]),
            (401, of_suspended.request("PUT", USER).json(names), &[]),
            (403, of_key("GET", &format!("/v1/cl2c/users/{}", neighbour.id), "demo", &person.key), &[]),
            (403, put().json(format!(r#"{{"id":"{}","firstName":"Jo","lastName":"Roe"}}"#, neighbour.id)), &[]),
            (404, of_key("GET", "/v1/cl2c/none", "demo", &person.key), &[]),
            (405, of_key("DELETE", USER, "demo", &person.key), &[]),
            (400, put().json(r#"{"firstName":"Jo"}"#), &[]),
            (400, put().json(r#"{"firstName":"Jo","lastName":"Roe","phoneNumber":"abc"}"#), &[]),
            (400, put().json(format!(r#"{{"firstName":"{}","lastName":"Roe"}}"#, "x".repeat(200))), &[]),
        ];
        refused.extend(bodies(put, 400, 64 * 1024));
        refuse(&server, refused).await;
        assert_eq!(put().json(names).send().await.status, 200);
    }
);

on_both_databases!(
    async fn a_refusal_of_rivergen_writes_nothing_but_a_counted_try(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let person = person(&server).await;
        neighbour(&server).await;
        let suspended = server.person(&[]).await;
        let of_suspended = server.token(&suspended, Contract::RiverGen).await;
        server.operate(&suspended, suspension()).await;
        let bearer = |method, path, token: &str| server.request(method, path).bearer(token);
        let put = || bearer("PUT", OWN, &person.river);
        let ask = |address: &str| bearer("POST", ASK, &person.river).json(json!({ "new_email": address }).to_string());
        let verify = |address: &str, code: &str| {
            let body = json!({ "new_email": address, "otp_code": code });
            bearer("POST", VERIFY, &person.river).json(body.to_string())
        };
        assert_eq!(ask("new@example.com").send().await.status, 200);
        let code = server.code_to("new@example.com");
        let wrong = if code == "000000" { "111111" } else { "000000" };
        let filled = json!({ "profile": { "bio": "x".repeat(64 * 1024) } }).to_string();
        let mut refused: Vec<Refused> = vec![
            (401, server.request("GET", ME), &[]),
            (401, bearer("PUT", OWN, "none").json("{}"), &[]),
            (403, bearer("PUT", OWN, &of_suspended).json(r#"{"display_name":"Jo"}"#), &[]),
            (403, bearer("PUT", OWN, &person.token).json(r#"{"display_name":"Jo"}"#), &[]),
            (404, bearer("GET", "/api/v1/auth/me/none", &person.river), &[]),
            (405, bearer("DELETE", ME, &person.river), &[]),
            (422, put().json(r#"{"display_name":" "}"#), &[]),
            (422, put().json(r#"{"display_name":"Jo","profile":[]}"#), &[]),
            (422, put().json(r#"{"profile_image_url":"jane.png"}"#), &[]),
            (400, put().json(r#"{"display_name":"Jo","profile_image_url":"data:image/png;base64,AAAA"}"#), &[]),
            (400, put().json(filled), &[]),
            (400, ask("jane@example.com"), &[]),
            (400, ask("jo@example.com"), &[]),
            (422, ask("jane"), &[]),
            (422, verify("new@example.com", "1"), &[]),
            (400, verify("other@example.com", &code), &[]),
            (400, verify("new@example.com", wrong), TRIES),
        ];
        refused.extend(bodies(put, 422, 3 * 1024 * 1024));
        refused.extend(bodies(|| bearer("POST", ASK, &person.river), 422, 64 * 1024));
        refused.extend(bodies(|| bearer("POST", VERIFY, &person.river), 422, 64 * 1024));
        refuse(&server, refused).await;
        // A picture that was stored before the change was refused is gone with its row.
        let schema = r#"{"type": "object", "properties": {"level": {"type": "integer"}}}"#;
        server.app.store().set_attribute_schema(server.tenant.id, Some(schema), server.app.now()).await.unwrap();
        let unfit = json!({ "profile_image_url": PIXEL, "profile": { "level": "gold" } }).to_string();
        refuse(&server, vec![(422, put().json(unfit), &[])]).await;
        assert_eq!(verify("new@example.com", &code).send().await.status, 200);
    }
);

on_both_databases!(
    async fn a_refusal_of_userinfo_writes_nothing_but_a_counted_try(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let person = person(&server).await;
        neighbour(&server).await;
        let of = async |status: Status| {
            let account = server.person(&[]).await;
            let token = person.client.token(&account).await;
            let mut patch = Patch::default();
            patch.status = Some(status);
            server.operate(&account, patch).await;
            token
        };
        let (of_suspended, of_closed) = (of(Status::Suspended).await, of(Status::Closed).await);
        let send = async |address: &str| {
            let token = person.client.otp_token(json!({"usage": "update_userinfo", "email": address})).await;
            (token, server.code_to(address))
        };
        let (proof, taken) = (send("new@example.com").await, send("jo@example.com").await);
        let wrong = if proof.1 == "000000" { "111111" } else { "000000" };
        let change = |token: &str, body: Value| server.request("PATCH", USERINFO).bearer(token).json(body.to_string());
        let patch = |body: Value| change(&person.claims, body);
        let prove = |address: &str, token: &str, code: &str| {
            patch(json!({"name": "Jo", "email": address, "email_otp_token": token, "email_otp": code}))
        };
        let mut refused: Vec<Refused> = vec![
            (400, server.request("GET", USERINFO), &[]),
            (401, change("none", json!({"name": "Jo"})), &[]),
            (401, change(&person.token, json!({"name": "Jo"})), &[]),
            (400, change(&of_suspended, json!({"name": "Jo"})), &[]),
            (404, change(&of_closed, json!({"name": "Jo"})), &[]),
            (404, server.request("GET", "/userinfo/none"), &[]),
            (405, server.request("DELETE", USERINFO), &[]),
            (400, patch(json!({"name": "Jo", "other": 1})), &[]),
            (400, patch(json!({"name": "Jo", "sub": "x"})), &[]),
            (400, patch(json!({"name": "Jo", "nickname": 1})), &[]),
            (400, patch(json!({"name": "Jo", "zoneinfo": "Mars"})), &[]),
            (400, patch(json!({"name": "Jo", "email": "x"})), &[]),
            (400, patch(json!({"name": "Jo", "phone_number": "13800138000"})), &[]),
            (400, prove("new@example.com", "none", &proof.1), &[]),
            (400, prove("other@example.com", &proof.0, &proof.1), &[]),
            (400, prove("new@example.com", &proof.0, wrong), TRIES),
            // The code is right, and another account has the address: the try is counted, the code stays valid.
            (400, prove("jo@example.com", &taken.0, &taken.1), TRIES),
        ];
        refused.extend(bodies(|| server.request("PATCH", USERINFO).bearer(&person.claims), 400, 64 * 1024));
        refuse(&server, refused).await;
        assert_eq!(prove("new@example.com", &proof.0, &proof.1).send().await.status, 200);
    }
);

/// Asks for tokens with a code that was sent to an address.
fn exchange(client: &Client<'_>, address: &str, token: &str, code: &str) -> Request {
    let body = json!({"grant_type": EMAIL_GRANT, "email": address, "otp_token": token, "otp": code});
    client.authenticated(client.server.request("POST", TOKEN)).json(body.to_string())
}

on_both_databases!(
    async fn a_refusal_of_an_application_writes_nothing_but_tries_and_stolen_sign_ins(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let person = person(&server).await;
        neighbour(&server).await;
        let (client, other) = (&person.client, server.client(Kind::Web, &[]).await);
        let asked = |path, body: Value| client.authenticated(server.request("POST", path)).json(body.to_string());
        let refresh =
            |token: &Option<String>| asked(TOKEN, json!({"grant_type": "refresh_token", "refresh_token": token}));
        let send = async |address: &str| {
            let token = client.otp_token(json!({"usage": "login", "email": address})).await;
            let mails = server.app.outbox().mailbox().unwrap().mails();
            // Without an account the answer is the same, and no message is sent.
            let is_sent = mails.iter().any(|mail| mail.to == address);
            (token, if is_sent { server.code_to(address) } else { String::new() })
        };
        let (own, unknown) = (send("jane@example.com").await, send("unknown@example.com").await);
        let wrong = if own.1 == "000000" { "111111" } else { "000000" };
        let tokens = client.tokens(&person.account).await;
        let stolen = client.tokens(&person.account).await.refresh_token;
        assert_eq!(refresh(&stolen).send().await.status, 200);
        server.pass(server.app.config().issuer.refresh_grace_period);
        let anybody = basic(&client.application.id, "ssc_other");
        let refused: Vec<Refused> = vec![
            (401, server.request("POST", SEND).json(r#"{"email":"jane@example.com"}"#), &[]),
            (401, server.request("POST", TOKEN).header("Authorization", &anybody).json("{}"), &[]),
            (404, server.request("GET", "/oauth2/none"), &[]),
            (405, server.request("GET", TOKEN), &[]),
            (400, asked(SEND, json!({"usage": "other", "email": "jane@example.com"})), &[]),
            (400, asked(SEND, json!({"email": "jane@example.com", "phone_number": "13800138000"})), &[]),
            (400, asked(SEND, json!({"phone_number": "1"})), &[]),
            (400, asked(SEND, json!({"usage": "signup", "email": "jo@example.com"})), &[]),
            (400, asked(SEND, json!({"usage": "signup", "phone_number": "13800138000"})), &[]),
            (400, asked(TOKEN, json!({})), &[]),
            (400, asked(TOKEN, json!({"grant_type": "password"})), &[]),
            (400, asked(TOKEN, json!({"grant_type": EMAIL_GRANT, "email": "jane@example.com"})), &[]),
            (400, exchange(client, "jane@example.com", "none", &own.1), &[]),
            (400, exchange(&other, "jane@example.com", &own.0, &own.1), &[]),
            (400, exchange(client, "jo@example.com", &own.0, &own.1), &[]),
            (400, exchange(client, "jane@example.com", &own.0, wrong), TRIES),
            (400, exchange(client, "unknown@example.com", &unknown.0, "000000"), TRIES),
            (400, refresh(&Some("ssr_none".to_owned())), &[]),
            (400, refresh(&stolen), STOLEN),
            (400, asked(REVOKE, json!({})), &[]),
            (
                401,
                other
                    .authenticated(server.request("POST", REVOKE))
                    .json(json!({"token": tokens.access_token}).to_string()),
                &[],
            ),
            (
                401,
                other
                    .authenticated(server.request("POST", REVOKE))
                    .json(json!({"token": tokens.refresh_token}).to_string()),
                &[],
            ),
        ];
        refuse(&server, refused).await;
        for path in [SEND, TOKEN, REVOKE] {
            refuse(&server, bodies(|| client.authenticated(server.request("POST", path)), 400, 64 * 1024)).await;
        }
        assert_eq!(exchange(client, "jane@example.com", &own.0, &own.1).send().await.status, 200);
        assert_eq!(refresh(&tokens.refresh_token).send().await.status, 200);
    }
);

on_both_databases!(
    async fn a_request_beyond_a_rate_limit_writes_nothing(database: Database) {
        let limits = ["SYSTEM", "DEFAULT", "RIVERGEN"].map(|limit| format!("SELFSAME__RATE_LIMIT__{limit}"));
        let limits: Vec<(&str, &str)> = limits.iter().map(|limit| (limit.as_str(), "1")).collect();
        let server = Server::with(database, &limits).await;
        let person = person(&server).await;
        let changes = || {
            let request = |method, path, token: &str| server.request(method, path).bearer(token);
            let back_end = server.request("PUT", USER).header("tenant", "demo").header("X-API-Key", &person.key);
            [
                request("POST", UPDATE, &person.token).header("X-Client-Hash", "d1").json(r#"{"accountName":"Jo"}"#),
                back_end.json(r#"{"firstName":"Jo","lastName":"Roe"}"#),
                request("PUT", OWN, &person.river).json(r#"{"display_name":"Joe"}"#),
                request("PATCH", USERINFO, &person.claims).json(r#"{"name":"Jona"}"#),
            ]
        };
        for request in changes() {
            request.send().await;
        }
        refuse(&server, changes().map(|request| (429, request, &[][..])).into()).await;
    }
);

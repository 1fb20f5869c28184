//! The successful answers of CIAM match the schemas of its document: of every operation, with every claim and grant.

use selfsame::account::{Account, Field, Kind};
use serde_json::{Value, json};

use super::Document;
use super::answers::check;
use crate::ciam::ALL;
use crate::support::applications::Client;
use crate::support::{Answer, Database, Request, Server, patch};

const USERINFO: &str = "/userinfo";
const SEND: &str = "/otp/send";
const TOKEN: &str = "/oauth2/token";
const REVOKE: &str = "/oauth2/revoke";
const KEYS: &str = "/oauth2/jwks";
const CONFIGURATION: &str = "/.well-known/openid-configuration";
const PHONE: &str = "13800138000";
const EMAIL: &str = "jane@example.com";
/// Attributes that the tenant's schema defines.
const ATTRIBUTES: [&str; 2] = ["level", "tags"];

/// Every built-in claim, and these attributes.
fn claims() -> Vec<&'static str> {
    [&ALL[..], &ATTRIBUTES].concat()
}
const SCHEMA: &str = r#"{"type": "object", "properties": {"level": {"type": "integer"}, "tags": {"type": "array"}}}"#;
const SETTINGS: [(&str, &str); 4] = [
    ("SELFSAME__CODES__LOGIN__INTERVAL", "0s"),
    ("SELFSAME__CODES__SIGNUP__INTERVAL", "0s"),
    ("SELFSAME__CODES__UPDATE_USERINFO__INTERVAL", "0s"),
    ("SELFSAME__CODES__RESET_PASSWORD__INTERVAL", "0s"),
];

/// An account with every field that is a claim.
async fn jane(server: &Server) -> Account {
    let mut fields = patch(&[
        (Field::DisplayName, "Jane"),
        (Field::Nickname, "Jay"),
        (Field::Username, "jane_roe"),
        (Field::Email, EMAIL),
        (Field::Phone, &format!("+86{PHONE}")),
        (Field::Language, "zh-Hant-TW"),
        (Field::TimeZone, "Asia/Shanghai"),
        (Field::Picture, "https://example.com/a.png"),
        (Field::Attributes, r#"{"level":7,"tags":["a",null,{"b":1.5}]}"#),
    ]);
    (fields.email_verified, fields.phone_verified) = (Some(true), Some(true));
    let account = server.person_with(&server.tenant, fields).await;
    server.app.store().set_attribute_schema(server.tenant.id, Some(SCHEMA), server.app.now()).await.unwrap();
    account
}

/// The newest code, and the members that give it back.
async fn proof(client: &Client<'_>, usage: &str, name: &str, address: &str) -> (String, String) {
    let token = client.otp_token(json!({"usage": usage, name: address})).await;
    let to = if name == "email" { address.to_owned() } else { format!("+86{address}") };
    (token, client.server.code_to(&to))
}

/// Sends a request and checks that the answer is 200 and as documented.
async fn accepted(document: &Document, method: &str, path: &str, request: Request) -> Answer {
    let answer = request.send().await;
    check(document, method, path, 200, &answer);
    answer
}

on_both_databases!(
    async fn every_claim_that_ciam_shows_is_in_the_schema_of_its_document(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let document = Document::of("ciam");
        let account = jane(&server).await;
        let (all, none) = (server.client(Kind::Web, &claims()).await, server.client(Kind::Web, &[]).await);
        for (client, claims) in [(&all, claims().len()), (&none, 0)] {
            let token = client.token(&account).await;
            for method in ["GET", "POST"] {
                let request = server.request(method, USERINFO).bearer(&token);
                let shown = accepted(&document, method, USERINFO, request).await.json();
                assert_eq!(shown.as_object().unwrap().len(), 1 + claims, "{shown}");
            }
            accepted(&document, "HEAD", USERINFO, server.request("HEAD", USERINFO).bearer(&token)).await;
        }
        let token = all.token(&server.person(&[]).await).await;
        accepted(&document, "GET", USERINFO, server.request("GET", USERINFO).bearer(&token)).await;
    }
);

on_both_databases!(
    async fn every_change_that_ciam_makes_is_answered_as_documented(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let document = Document::of("ciam");
        let account = jane(&server).await;
        let client = server.client(Kind::Web, &claims()).await;
        let token = client.token(&account).await;
        let change = async |body: Value| {
            let request = server.request("PATCH", USERINFO).bearer(&token).json(body.to_string());
            accepted(&document, "PATCH", USERINFO, request).await.json()
        };
        change(json!({})).await;
        change(json!({"name": "Jo", "nickname": "J", "zoneinfo": "Europe/Paris", "locale": "fr_FR"})).await;
        change(json!({"level": 8})).await;
        for (name, address) in [("email", "jo@example.com"), ("phone_number", "13700137000")] {
            let (otp_token, code) = proof(&client, "update_userinfo", name, address).await;
            let body = json!({name: address, format!("{name}_otp_token"): otp_token, format!("{name}_otp"): code});
            assert_eq!(change(body).await[format!("{name}_verified")], true);
        }
        let cleared = change(json!({"name": "", "nickname": "", "zoneinfo": "", "locale": ""})).await;
        assert_eq!((&cleared["name"], &cleared["locale"]), (&Value::Null, &Value::Null));
    }
);

on_both_databases!(
    async fn every_grant_and_every_document_of_ciam_is_answered_as_documented(database: Database) {
        let server = Server::with(database, &SETTINGS).await;
        let document = Document::of("ciam");
        jane(&server).await;
        let (web, machine) = (server.client(Kind::Web, &claims()).await, server.client(Kind::M2m, &[]).await);
        let post = async |client: &Client<'_>, path: &str, body: Value| {
            let request = client.authenticated(server.request("POST", path)).json(body.to_string());
            accepted(&document, "POST", path, request).await
        };
        for usage in ["login", "update_userinfo", "reset_password"] {
            post(&web, SEND, json!({"usage": usage, "email": EMAIL})).await;
        }
        post(&web, SEND, json!({"usage": "signup", "email": "new@example.com"})).await;
        let mut refresh_token = Value::Null;
        for (grant, name, address) in [("sms", "phone_number", PHONE), ("email", "email", EMAIL)] {
            let (otp_token, otp) = proof(&web, "login", name, address).await;
            let grant_type = format!("http://tencentciam.com/oauth2/grant-type/otp/{grant}");
            let body = json!({"grant_type": grant_type, name: address, "otp_token": otp_token, "otp": otp});
            refresh_token = post(&web, TOKEN, body).await.json()["refresh_token"].take();
        }
        let refreshed = json!({"grant_type": "refresh_token", "refresh_token": refresh_token});
        let granted = post(&web, TOKEN, refreshed).await.json();
        post(&machine, TOKEN, json!({"grant_type": "client_credentials"})).await;
        post(&web, REVOKE, json!({"token": granted["refresh_token"]})).await;
        post(&web, REVOKE, json!({"token": "unknown"})).await;
        for path in [KEYS, CONFIGURATION] {
            accepted(&document, "GET", path, server.request("GET", path)).await;
        }
    }
);

/// A check that accepts everything would prove nothing.
#[tokio::test]
async fn an_answer_that_breaks_its_schema_is_noticed() {
    let server = Server::with(Database::sqlite(), &SETTINGS).await;
    let document = Document::of("ciam");
    let account = jane(&server).await;
    let token = server.client(Kind::Web, &claims()).await.token(&account).await;
    let answer = server.request("GET", USERINFO).bearer(&token).send().await;
    let described = document.response("GET", USERINFO, 200);
    assert_eq!(document.faults(described, &answer), [""; 0]);
    for (name, value) in [
        ("sub", Value::Null),
        ("sub", json!(1)),
        ("name", json!(1)),
        ("email_verified", json!("true")),
        ("picture", json!([])),
    ] {
        let mut body = answer.json();
        body[name] = value.clone();
        let broken = Answer { body: body.to_string(), ..answer.clone() };
        assert_ne!(document.faults(described, &broken), [""; 0], "{name}: {value}");
    }
    let mut anonymous = answer.json();
    anonymous.as_object_mut().unwrap().remove("sub").unwrap();
    assert_ne!(document.faults(described, &Answer { body: anonymous.to_string(), ..answer.clone() }), [""; 0]);
    let listed = Answer { body: "[]".to_owned(), ..answer };
    assert_ne!(document.faults(described, &listed), [""; 0]);
}

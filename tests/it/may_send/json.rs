//! JSON as libraries send it: how they name its charset, and what they put before it.

use serde_json::json;

use crate::support::{Answer, Person, Request, Server, Side, patch};

const SIDES: [Side; 4] = [Side::System, Side::Cl2c, Side::RiverGen, Side::Ciam];

/// Begins a change through a contract, and returns a body that the contract accepts.
fn change(person: &Person<'_>, side: Side) -> (Request, &'static str) {
    let request = |method, path| person.server.request(method, path);
    match side {
        Side::System => (
            request("POST", "/web/v1/system/profile/update").bearer(&person.token).header("X-Client-Hash", "d1"),
            r#"{"accountName":"June"}"#,
        ),
        Side::Cl2c => (
            request("PUT", "/v1/cl2c/user").header("tenant", "demo").header("X-API-Key", &person.key),
            r#"{"firstName":"June","lastName":"Roe"}"#,
        ),
        Side::RiverGen => {
            (request("PUT", "/api/v1/auth/me/profile").bearer(&person.river), r#"{"display_name":"June"}"#)
        }
        Side::Ciam => (request("PATCH", "/userinfo").bearer(&person.claims), r#"{"name":"June"}"#),
    }
}

async fn person(server: &Server) -> Person<'_> {
    Person::new(server, patch(&[])).await
}

/// Sends a change with a media type.
async fn as_type(person: &Person<'_>, side: Side, media_type: &str) -> Answer {
    let (request, body) = change(person, side);
    request.header("Content-Type", media_type).body(body).send().await
}

on_both_databases!(
    async fn utf_8_may_be_named_as_libraries_name_it(server: Server) {
        let person = person(&server).await;
        for side in SIDES {
            for charset in
                ["utf-8", "UTF-8", "utf8", "UTF8", "Utf8", "\"utf-8\"", "\"utf8\"", "\"UTF-8\"", "utf8; x=y", " utf8 "]
            {
                let answer = as_type(&person, side, &format!("application/json; charset={charset}")).await;
                assert_eq!(answer.status, 200, "{side:?} {charset}: {answer}");
            }
            for charset in ["latin1", "utf-16", "utf8mb4", "utf-8, utf-16", "\"\"", "iso-8859-1; charset=utf-8"] {
                let answer = as_type(&person, side, &format!("application/json; charset={charset}")).await;
                assert_eq!(answer.status, 415, "{side:?} {charset}: {answer}");
            }
            let answer = as_type(&person, side, "application/json; charset =latin1").await;
            assert_eq!(answer.status, 415, "{side:?}: {answer}");
        }
    }
);

on_both_databases!(
    async fn a_body_without_a_coding_may_name_none(server: Server) {
        let person = person(&server).await;
        for side in SIDES {
            for (coding, status) in [
                ("", 200),
                ("identity", 200),
                ("Identity", 200),
                (", identity,", 200),
                ("gzip", 415),
                ("identity, gzip", 415),
                ("identity gzip", 415),
            ] {
                let (request, body) = change(&person, side);
                let answer = request.header("Content-Encoding", coding).json(body).send().await;
                assert_eq!(answer.status, status, "{side:?} {coding:?}: {answer}");
            }
        }
        let token = server.request("POST", "/oauth2/token").header("Content-Encoding", "");
        let token = token.header("Content-Type", "application/x-www-form-urlencoded").body("client_id=none");
        assert_eq!(token.send().await.status, 401);
    }
);

on_both_databases!(
    async fn one_byte_order_mark_before_a_body_is_ignored(server: Server) {
        let person = person(&server).await;
        for side in SIDES {
            let (request, body) = change(&person, side);
            let answer = request.json(format!("\u{feff}{body}")).send().await;
            assert_eq!(answer.status, 200, "{side:?}: {answer}");
            let malformed = if side == Side::RiverGen { 422 } else { 400 };
            for text in [
                format!("\u{feff}\u{feff}{body}"),
                format!(" \u{feff}{body}"),
                format!("{body}\u{feff}"),
                body.replace(':', ":\u{feff}"),
            ] {
                let (request, _) = change(&person, side);
                let answer = request.json(text.clone()).send().await;
                assert_eq!(answer.status, malformed, "{side:?} {text:?}: {answer}");
            }
            let empty = change(&person, side).0.json("").send().await;
            let mark = change(&person, side).0.json("\u{feff}").send().await;
            let instance = |answer: &Answer| answer.body.replace(answer.header("x-request-id"), "ID");
            assert_eq!(instance(&mark), instance(&empty), "{side:?}");
            assert_eq!(mark.status, malformed, "{side:?}");
        }
        let body = json!({"grant_type": "client_credentials", "client_id": "none"});
        let answer = server.request("POST", "/oauth2/token").json(format!("\u{feff}{body}")).send().await;
        assert_eq!(answer.body, r#"{"error":"invalid_client"}"#);
    }
);

//! A change whose account is suspended between the authentication of its request and its commit.

use selfsame::account::Field;

use super::{begin, suspension};
use crate::support::{Person, Server, Transcript, patch};

const NEW: &str = "jane.smith@example.com";

/// A change: the first line, the credentials, and the body.
type Written = (&'static str, String, String);

fn changes(person: &Person<'_>, address: &str, code: &str) -> [Written; 5] {
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let text = str::to_owned;
    [
        (
            "POST /web/v1/system/profile/update",
            bearer(&person.token) + "X-Client-Hash: d1\r\n",
            text(r#"{"accountName":"Jo"}"#),
        ),
        (
            "PUT /v1/cl2c/user",
            format!("tenant: demo\r\nX-API-Key: {}\r\n", person.key),
            text(r#"{"firstName":"Jo","lastName":"Roe"}"#),
        ),
        ("PUT /api/v1/auth/me/profile", bearer(&person.river), text(r#"{"display_name":"Jo"}"#)),
        (
            "POST /api/v1/auth/me/email/verify",
            bearer(&person.river),
            serde_json::json!({ "new_email": address, "otp_code": code }).to_string(),
        ),
        ("PATCH /userinfo", bearer(&person.claims), text(r#"{"name":"Jo"}"#)),
    ]
}

/// A person with a code for a new address.
async fn person<'a>(server: &'a Server, address: &str) -> (Person<'a>, String) {
    let person = Person::new(server, patch(&[(Field::DisplayName, "Jane")])).await;
    let asked = server.request("POST", "/api/v1/auth/me/email/request").bearer(&person.river);
    let answer = asked.json(serde_json::json!({ "new_email": address }).to_string()).send().await;
    assert_eq!(answer.status, 200, "{answer}");
    let code = server.code_to(address);
    (person, code)
}

on_both_databases!(
    async fn a_suspension_after_authentication_and_before_the_commit_refuses_every_change(server: Server) {
        let (mut transcript, mut changed) = (Transcript::default(), Vec::new());
        for number in 0..5 {
            let address = format!("jane{number}@example.com");
            let (person, code) = person(&server, &address).await;
            let (request, credentials, body) = changes(&person, &address, &code)[number].clone();
            let mut wire = begin(&server, request, &credentials, body.len()).await;
            let suspended = server.operate(&person.account, suspension()).await;
            wire.send(&body).await;
            let mut answer = wire.answer().await;
            if let Some(error_id) = answer.json()["errorId"].as_str() {
                answer.body = answer.body.replace(error_id, "ID");
            }
            transcript.add(request, &answer);
            if server.account(&person.account).await != suspended {
                changed.push(request);
            }
        }
        assert_eq!(changed, [""; 0]);
        insta::assert_snapshot!(transcript, @r#"
        > POST /web/v1/system/profile/update
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is suspended"}

        > PUT /v1/cl2c/user
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["User Not Active. Please contact the administrator."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"ID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > PUT /api/v1/auth/me/profile
        > POST /api/v1/auth/me/email/verify
        403 Forbidden
        content-type: application/json

        {"success":false,"error":{"code":"PERMISSION_DENIED","message":"User account is disabled","timestamp":"2026-03-20T14:30:00Z"},"message":"User account is disabled"}

        > PATCH /userinfo
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"abnormal_user_status","error_description":"User is frozen."}
        "#);
    }
);

// Proves that the requests above are refused for the suspension alone.
on_both_databases!(
    async fn the_same_changes_of_an_account_that_stays_active_are_made(server: Server) {
        let (person, code) = person(&server, NEW).await;
        for (request, credentials, body) in changes(&person, NEW, &code) {
            let mut wire = begin(&server, request, &credentials, body.len()).await;
            // Another change in between: the commit starts from the account as it is then.
            let nickname = server.app.new_id().to_string();
            server.operate(&person.account, patch(&[(Field::Nickname, &nickname)])).await;
            wire.send(&body).await;
            let answer = wire.answer().await;
            assert_eq!(answer.status, 200, "{request}: {answer}");
            let after = server.account(&person.account).await;
            assert_eq!(after.text(Field::Nickname), Some(nickname.as_str()), "{request}");
        }
        let after = server.account(&person.account).await;
        let texts = [Field::DisplayName, Field::GivenName, Field::Email].map(|field| after.text(field));
        assert_eq!(texts, [Some("Jo"), Some("Jo"), Some(NEW)]);
    }
);

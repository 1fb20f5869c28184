//! `POST /oauth2/token`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::account::{Application, Field, GrantType, Kind, Status};
use serde_json::{Value, json};

use super::{USERINFO, in_status};
use crate::support::applications::{Client, basic};
use crate::support::{Answer, Server, Transcript, patch};

const TOKEN: &str = "/oauth2/token";
const SMS: &str = "http://tencentciam.com/oauth2/grant-type/otp/sms";
const EMAIL: &str = "http://tencentciam.com/oauth2/grant-type/otp/email";

/// An account with a verified phone number and e-mail address.
async fn person(server: &Server) -> selfsame::account::Account {
    let mut patch = patch(&[(Field::Phone, "+8613800138000"), (Field::Email, "jane@example.com")]);
    (patch.email_verified, patch.phone_verified) = (Some(true), Some(true));
    server.person_with(&server.tenant, patch).await
}

async fn opening<'a>(server: &'a Server, kind: Kind) -> Client<'a> {
    server.client_with(kind, &["phone_number", "email"], |application| application.auto_signup = true).await
}

/// Signs in with a phone number and a valid code.
async fn sign_in(client: &Client<'_>, number: &str, more: Value) -> Answer {
    let token = client.otp_token(json!({"phone_number": number})).await;
    let code = client.server.code_to(&format!("+86{number}"));
    let mut members = json!({"grant_type": SMS, "phone_number": number, "otp_token": token, "otp": code});
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.ask(members).await
}

/// The header and the claims of a token.
fn opened(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut part = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (part(), part())
}

on_both_databases!(
    async fn a_code_signs_in_the_account_with_the_address_it_was_sent_to(server: Server) {
        let person = person(&server).await;
        let client = server.client(Kind::Web, &["phone_number", "email"]).await;
        let answer = sign_in(&client, "13800138000", json!({})).await;
        let body = answer.json();
        let mut shown = answer.to_string();
        for name in ["access_token", "refresh_token", "id_token"] {
            shown = shown.replace(body[name].as_str().unwrap(), &name.to_uppercase());
        }
        insta::assert_snapshot!(shown, @r#"
        200 OK
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        pragma: no-cache

        {"access_token":"ACCESS_TOKEN","refresh_token":"REFRESH_TOKEN","scope":"openid","id_token":"ID_TOKEN","token_type":"Bearer","expires_in":600}
        "#);
        let read = server.request("GET", USERINFO).bearer(body["access_token"].as_str().unwrap()).send().await;
        let expected =
            json!({"sub": person.id.to_string(), "phone_number": "13800138000", "email": "jane@example.com"});
        assert_eq!(read.json(), expected);

        let token = client.otp_token(json!({"email": "Jane@example.com"})).await;
        let code = server.code_to("jane@example.com");
        let grant = json!({"grant_type": EMAIL, "email": "JANE@example.com", "otp_token": token, "otp": code});
        let answer = client.ask(grant).await;
        assert_eq!(opened(answer.json()["access_token"].as_str().unwrap()).1["sub"], person.id.to_string());
    }
);

on_both_databases!(
    async fn tokens_contain_the_published_claims_and_no_others(server: Server) {
        let person = person(&server).await;
        let client = server.client(Kind::Web, &[]).await;
        let tokens = client.tokens(&person).await;
        let now = server.app.now().as_second();
        let settled = |token: &str| {
            let (header, claims) = opened(token);
            let text = format!("{header}\n{claims}");
            let text = text.replace(&person.id.to_string(), "SUB").replace(&client.application.id, "CLIENT");
            let text = text.replace(server.app.public_url(), "URL").replace(claims["jti"].as_str().unwrap(), "JTI");
            text.replace(&format!(":{}", now + 600), ":NOW+600")
                .replace(&format!(":{}", now + 1800), ":NOW+1800")
                .replace(&format!(":{now}"), ":NOW")
        };
        insta::assert_snapshot!(settled(&tokens.access_token), @r#"
        {"alg":"RS256","kid":"shared-by-tests","typ":"JWT"}
        {"aud":"CLIENT","exp":NOW+600,"iat":NOW,"iss":"URL","jti":"JTI","nbf":NOW,"scope":["openid"],"sub":"SUB"}
        "#);
        insta::assert_snapshot!(settled(tokens.id_token.as_deref().unwrap()), @r#"
        {"alg":"RS256","kid":"shared-by-tests","typ":"JWT"}
        {"aud":"CLIENT","azp":"CLIENT","exp":NOW+1800,"iat":NOW,"iss":"URL","jti":"JTI","sub":"SUB"}
        "#);
    }
);

on_both_databases!(
    async fn the_grants_have_the_same_names_under_this_servers_own_address(server: Server) {
        person(&server).await;
        let client = server.client(Kind::Web, &[]).await;
        let own = format!("{}/oauth2/grant-type/otp/sms", server.app.public_url());
        assert_eq!(sign_in(&client, "13800138000", json!({"grant_type": own})).await.status, 200);
        server.pass(Duration::from_secs(31));
        let other = "http://example.com/oauth2/grant-type/otp/sms";
        assert_eq!(
            sign_in(&client, "13800138000", json!({"grant_type": other})).await.body,
            r#"{"error":"unsupported_grant_type"}"#
        );
    }
);

on_both_databases!(
    async fn parameters_come_in_json_or_in_a_form(server: Server) {
        person(&server).await;
        let client = server.client(Kind::Web, &[]).await;
        let token = client.otp_token(json!({"phone_number": "13800138000"})).await;
        let code = server.code_to("+8613800138000");
        let form: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", SMS), ("phone_number", "13800138000"), ("otp_token", &token), ("otp", &code)])
            .finish();
        let request = client.authenticated(server.request("POST", TOKEN));
        let answer = request.header("Content-Type", "application/x-www-form-urlencoded").body(form).send().await;
        assert_eq!(answer.status, 200, "{answer}");
    }
);

on_both_databases!(
    async fn an_unknown_address_is_signed_up_if_application_and_request_allow_it(server: Server) {
        let client = opening(&server, Kind::Web).await;
        let mut numbers = (0..).map(|number| format!("1390000{number:04}"));
        let mut next = || numbers.next().unwrap();
        let mut transcript = Transcript::default();
        for (name, more) in [
            ("not asked for", json!({})),
            ("false", json!({"auto_signup": false})),
            ("\"no\"", json!({"auto_signup": "no"})),
        ] {
            transcript.add(name, &sign_in(&client, &next(), more).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > not asked for
        > false
        > "no"
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant","error_description":"User not found"}
        "#);
        for more in [json!({"auto_signup": true}), json!({"auto_signup": "true"})] {
            let number = next();
            let answer = sign_in(&client, &number, more).await;
            let token = answer.json()["access_token"].as_str().unwrap().to_owned();
            let read = server.request("GET", USERINFO).bearer(&token).send().await;
            assert_eq!(read.json()["phone_number"], number);
        }
        // A refused sign-in does not use the code up.
        let number = next();
        let token = client.otp_token(json!({"phone_number": number})).await;
        let grant = json!({"grant_type": SMS, "phone_number": number, "otp_token": token, "otp": server.code_to(&format!("+86{number}"))});
        assert_eq!(client.ask(grant.clone()).await.json()["error_description"], "User not found");
        let mut wanted = grant;
        wanted["auto_signup"] = json!(true);
        assert_eq!(client.ask(wanted).await.status, 200);
    }
);

on_both_databases!(
    async fn an_application_without_sign_up_sends_nothing_to_unknown_addresses(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let token = client.otp_token(json!({"phone_number": "13900000000"})).await;
        assert_eq!(server.app.outbox().mailbox().unwrap().mails().len(), 0);
        for code in ["000000", "123456"] {
            let grant = json!({"grant_type": SMS, "phone_number": "13900000000", "otp_token": token, "otp": code, "auto_signup": true});
            let answer = client.ask(grant).await;
            assert_eq!(answer.body, r#"{"error":"invalid_grant","error_description":"Unknown or expired OTP"}"#);
        }
    }
);

on_both_databases!(
    async fn an_invalid_code_grants_nothing(server: Server) {
        let person = person(&server).await;
        let (client, other) = (server.client(Kind::Web, &[]).await, server.client(Kind::Web, &[]).await);
        let token = client.otp_token(json!({"phone_number": "13800138000", "auth_source_id": "sms-1"})).await;
        let code = server.code_to("+8613800138000");
        let good = json!({"grant_type": SMS, "phone_number": "13800138000", "otp_token": token, "otp": code, "auth_source_id": "sms-1"});
        let with = |changes: Value| {
            let mut grant = good.clone();
            grant.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            grant
        };
        let mut transcript = Transcript::default();
        transcript.add("another application", &other.ask(good.clone()).await);
        for (name, changes) in [
            ("another source", json!({"auth_source_id": "sms-2"})),
            ("no source", json!({"auth_source_id": null})),
            ("another number", json!({"phone_number": "13900139000"})),
            ("no number at all", json!({"phone_number": "abc"})),
            ("another token", json!({"otp_token": "other"})),
            ("the number as an e-mail address", json!({"grant_type": EMAIL, "email": "jane@example.com"})),
        ] {
            transcript.add(name, &client.ask(with(changes)).await);
        }
        transcript.add("another code", &client.ask(with(json!({"otp": "x"}))).await);
        for name in ["grant_type", "phone_number", "otp_token", "otp"] {
            transcript.add(format!("without {name}"), &client.ask(with(json!({name: null}))).await);
        }
        server.operate(&person, in_status(Status::Suspended)).await;
        transcript.add("a suspended person", &client.ask(good.clone()).await);
        server.operate(&person, in_status(Status::Active)).await;
        insta::assert_snapshot!(transcript, @r#"
        > another application
        > another source
        > no source
        > another number
        > no number at all
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Mismatched OTP token and OTP sending parameters"}

        > another token
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant","error_description":"Unknown or expired otp_token"}

        > the number as an e-mail address
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Mismatched OTP token and OTP sending parameters"}

        > another code
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant","error_description":"Unknown or expired OTP"}

        > without grant_type
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"grant_type is required."}

        > without phone_number
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"phone_number is required."}

        > without otp_token
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"otp_token is required."}

        > without otp
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"otp is required."}

        > a suspended person
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_grant","error_description":"Abnormal user status"}
        "#);
        assert_eq!(client.ask(good.clone()).await.status, 200);
        assert_eq!(client.ask(good).await.json()["error_description"], "Unknown or expired otp_token");
    }
);

on_both_databases!(
    async fn a_code_for_another_use_does_not_sign_in(server: Server) {
        person(&server).await;
        let client = server.client(Kind::Web, &[]).await;
        let token = client.otp_token(json!({"usage": "update_userinfo", "phone_number": "13800138000"})).await;
        let grant = json!({"grant_type": SMS, "phone_number": "13800138000", "otp_token": token, "otp": server.code_to("+8613800138000")});
        let answer = client.ask(grant).await;
        let text = "Mismatched OTP token and OTP sending parameters";
        assert_eq!(answer.body, format!(r#"{{"error":"invalid_request","error_description":"{text}"}}"#));
    }
);

on_both_databases!(
    async fn one_of_two_sign_ins_with_the_same_code_succeeds(server: Server) {
        let client = opening(&server, Kind::Web).await;
        for number in ["13900000001", "13900000002", "13900000003"] {
            let token = client.otp_token(json!({"phone_number": number})).await;
            let code = server.code_to(&format!("+86{number}"));
            let grant = json!({"grant_type": SMS, "phone_number": number, "otp_token": token, "otp": code, "auto_signup": true});
            let (one, other) = tokio::join!(client.ask(grant.clone()), client.ask(grant));
            let mut statuses = [one.status.as_u16(), other.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 400], "{one}\n{other}");
        }
    }
);

on_both_databases!(
    async fn applications_must_authenticate(server: Server) {
        let (web, spa) = (server.client(Kind::Web, &[]).await, server.client(Kind::Spa, &[]).await);
        let (id, secret) = (web.application.id.clone(), web.secret.clone().unwrap());
        let ask = async |header: Option<String>, members: Value| {
            let request = server.request("POST", TOKEN);
            let request = match header {
                Some(header) => request.header("Authorization", &header),
                None => request,
            };
            request.json(members.to_string()).send().await
        };
        let mut transcript = Transcript::default();
        for (name, header, members) in [
            ("nothing", None, json!({})),
            ("no secret", None, json!({"client_id": id})),
            ("another secret", None, json!({"client_id": id, "client_secret": "other"})),
            ("an unknown application", None, json!({"client_id": "other", "client_secret": secret})),
            ("Bearer", Some("Bearer x".to_owned()), json!({"client_id": id, "client_secret": secret})),
            (
                "a secret of one that keeps none",
                None,
                json!({"client_id": spa.application.id, "client_secret": secret}),
            ),
        ] {
            transcript.add(name, &ask(header, members).await);
        }
        transcript
            .add("twice", &ask(Some(basic(&id, &secret)), json!({"client_id": id, "client_secret": secret})).await);
        transcript.add("as two", &ask(Some(basic(&id, &secret)), json!({"client_id": "other"})).await);
        for (name, header, members) in [
            ("in the header", Some(basic(&id, &secret)), json!({})),
            ("in the header and by name", Some(basic(&id, &secret)), json!({"client_id": id})),
            ("in the body", None, json!({"client_id": id, "client_secret": secret})),
            ("without a secret to keep", None, json!({"client_id": spa.application.id})),
        ] {
            transcript.add(name, &ask(header, members).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > nothing
        > no secret
        > another secret
        > an unknown application
        > Bearer
        > a secret of one that keeps none
        401 Unauthorized
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        www-authenticate: Basic realm="ciam"

        {"error":"invalid_client"}

        > twice
        > as two
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Client credentials are given more than once."}

        > in the header
        > in the header and by name
        > in the body
        > without a secret to keep
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"grant_type is required."}
        "#);
    }
);

on_both_databases!(
    async fn an_application_gets_tokens_only_by_its_own_grants(server: Server) {
        let only = |grants: Vec<GrantType>| move |application: &mut Application| application.grants = grants;
        let client = server.client_with(Kind::Web, &[], only(vec![GrantType::Email])).await;
        let mut transcript = Transcript::default();
        for grant in [SMS, "refresh_token", "client_credentials", "authorization_code", "password", ""] {
            transcript.add(grant, &client.ask(json!({"grant_type": grant})).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > http://tencentciam.com/oauth2/grant-type/otp/sms
        > refresh_token
        > client_credentials
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"unauthorized_client"}

        > authorization_code
        > password
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"unsupported_grant_type"}

        > 
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"grant_type is required."}
        "#);
    }
);

on_both_databases!(
    async fn a_machine_gets_a_token_without_an_account(server: Server) {
        let client = server.client(Kind::M2m, &[]).await;
        let answer = client.ask(json!({"grant_type": "client_credentials"})).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        insta::assert_snapshot!(answer.to_string().replace(&token, "TOKEN"), @r#"
        200 OK
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        pragma: no-cache

        {"access_token":"TOKEN","token_type":"Bearer","expires_in":600}
        "#);
        let claims = opened(&token).1;
        assert_eq!((&claims["sub"], &claims["scope"]), (&json!(client.application.id), &json!([])));
    }
);

on_both_databases!(
    async fn bodies_follow_the_same_rules(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let request = || client.authenticated(server.request("POST", TOKEN));
        let form =
            |body: &'static str| request().header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let mut transcript = Transcript::default();
        transcript.add("no type", &request().body("grant_type=x").send().await);
        transcript.add("text", &request().header("Content-Type", "text/plain").body("{}").send().await);
        transcript.add("malformed JSON", &request().json("{").send().await);
        transcript.add("a parameter twice", &form("grant_type=a&grant_type=a").send().await);
        transcript.add("too large", &request().json("x".repeat(64 * 1024 + 1)).send().await);
        transcript.add("an empty form", &form("").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > no type
        > text
        415 Unsupported Media Type
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported Content-Type."}

        > malformed JSON
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Malformed request body."}

        > a parameter twice
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"A parameter is given more than once."}

        > too large
        413 Payload Too Large
        cache-control: no-store
        connection: close
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Request body is too large."}

        > an empty form
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"grant_type is required."}
        "#);
    }
);

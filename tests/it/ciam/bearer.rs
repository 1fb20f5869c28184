//! Authentication: the challenge explains why a token is refused, and the response has no body.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::account::{Contract, Field, Kind};
use serde_json::json;

use super::{ALL, AppUser, USERINFO, in_status};
use crate::support::applications::{KEY_ID, basic};
use crate::support::forge::Forge;
use crate::support::signing::Key;
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn a_request_without_a_token_is_answered_with_400_a_challenge_and_no_body(server: Server) {
        let mut transcript = Transcript::default();
        for (name, header) in
            [("nothing", None), ("Basic", Some(basic("app", "secret"))), ("Digest", Some("Digest a=b".into()))]
        {
            for method in ["GET", "POST", "PATCH"] {
                let request = server.request(method, USERINFO);
                let request = match &header {
                    Some(header) => request.header("Authorization", header),
                    None => request,
                };
                transcript.add(format!("{method} {name}"), &request.send().await);
            }
        }
        insta::assert_snapshot!(transcript, @r#"
        > GET nothing
        > POST nothing
        > PATCH nothing
        > GET Basic
        > POST Basic
        > PATCH Basic
        > GET Digest
        > POST Digest
        > PATCH Digest
        400 Bad Request
        cache-control: no-store
        www-authenticate: Bearer error="invalid_request", error_description="Bearer token not found in the request", error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"
        "#);
    }
);

on_both_databases!(
    async fn an_invalid_token_is_answered_with_401_a_challenge_and_no_body(server: Server) {
        let jane = AppUser::new(&server).await;
        let (rest, signature) = jane.token.rsplit_once('.').unwrap();
        let (header, claims) = rest.split_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" }.to_owned() + &signature[1..];
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let unknown = URL_SAFE_NO_PAD.encode(r#"{"kid":"unknown","typ":"JWT","alg":"RS256"}"#);
        let own = Forge::of(&server).await;
        let now = own.now();
        let said = json!({
            "iss": server.app.public_url(), "sub": jane.account.id.to_string(), "aud": jane.client.application.id,
            "iat": now, "exp": now + 600, "scope": ["openid"], "jti": "forged",
        });
        let stranger = Key::p256(KEY_ID).token("ES256", &said);
        let with_own_key = own.sign(&own.header(json!({})), &said);
        let for_system = server.token(&jane.account, Contract::System).await;
        let revoked = jane.client.tokens(&jane.account).await;
        let revocation = server.app.keys().revocation(server.app.public_url(), &revoked.token_id);
        server.app.store().revoke_token(None, revocation, jiff::Timestamp::MAX).await.unwrap();
        let id_token = jane.client.tokens(&jane.account).await.id_token.unwrap();

        let mut transcript = Transcript::default();
        for (name, value) in [
            ("garbage", "Bearer garbage".to_owned()),
            ("a flipped bit", format!("Bearer {rest}.{flipped}")),
            ("alg none", format!("Bearer {none}.{claims}.")),
            ("an unknown key", format!("Bearer {unknown}.{claims}.{signature}")),
            ("no signature", format!("Bearer {header}.{claims}")),
            ("a stranger's signature", format!("Bearer {stranger}")),
            ("the key of the other contracts", format!("Bearer {with_own_key}")),
            ("a token for System", format!("Bearer {for_system}")),
            ("revoked", format!("Bearer {}", revoked.access_token)),
            ("an ID token", format!("Bearer {id_token}")),
            ("nothing behind Bearer", "Bearer".to_owned()),
            ("two spaces", format!("Bearer  {}", jane.token)),
        ] {
            let answer = server.request("GET", USERINFO).header("Authorization", &value).send().await;
            transcript.add(name, &answer);
        }
        let twice = jane.request("GET").bearer(&jane.token).send().await;
        transcript.add("two headers", &twice);
        insta::assert_snapshot!(transcript, @r#"
        > garbage
        > a flipped bit
        > alg none
        > an unknown key
        > no signature
        > a stranger's signature
        > the key of the other contracts
        > a token for System
        > revoked
        > an ID token
        > nothing behind Bearer
        > two spaces
        > two headers
        401 Unauthorized
        cache-control: no-store
        www-authenticate: Bearer error="invalid_token", error_description="Error decoding JWT", error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"
        "#);
        assert_eq!(jane.get().await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_is_valid_for_its_lifetime_and_no_longer(server: Server) {
        let jane = AppUser::new(&server).await;
        let leeway = server.app.config().issuer.leeway;
        server.pass(Duration::from_secs(599));
        assert_eq!(jane.get().await.status, 200);
        server.pass(leeway + Duration::from_secs(1));
        assert_eq!(jane.get().await.status, 401);
    }
);

on_both_databases!(
    async fn a_token_without_an_account_is_answered_with_403(server: Server) {
        let client = server.client(Kind::M2m, &ALL).await;
        let tokens = server.app.sign_ins().for_itself(&client.application).await.unwrap();
        let mut transcript = Transcript::default();
        for method in ["GET", "PATCH"] {
            transcript.add(method, &server.request(method, USERINFO).bearer(&tokens.access_token).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > GET
        > PATCH
        403 Forbidden
        cache-control: no-store
        www-authenticate: Bearer error="insufficient_scope", error_description="The request requires higher privileges than provided by the access token.", error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"
        "#);
        let revocation = server.app.keys().revocation(server.app.public_url(), &tokens.token_id);
        server.app.store().revoke_token(None, revocation, jiff::Timestamp::MAX).await.unwrap();
        assert_eq!(server.request("GET", USERINFO).bearer(&tokens.access_token).send().await.status, 401);
    }
);

on_both_databases!(
    async fn the_token_is_checked_before_the_account_and_the_account_before_the_body(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        let broken = |token: &str| {
            server.request("PATCH", USERINFO).bearer(token).header("Content-Type", "text/plain").body("{")
        };
        transcript.add("a bad token and a bad body", &broken("garbage").send().await);
        transcript.add("a bad body", &broken(&jane.token).send().await);
        server.operate(&jane.account, in_status(selfsame::account::Status::Suspended)).await;
        transcript.add("a suspended person and a bad body", &broken(&jane.token).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > a bad token and a bad body
        401 Unauthorized
        cache-control: no-store
        www-authenticate: Bearer error="invalid_token", error_description="Error decoding JWT", error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"



        > a bad body
        415 Unsupported Media Type
        accept-patch: application/json
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported Content-Type."}

        > a suspended person and a bad body
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"abnormal_user_status","error_description":"User is frozen."}
        "#);
    }
);

on_both_databases!(
    async fn the_scheme_is_case_insensitive(server: Server) {
        let jane = AppUser::with(&server, crate::support::patch(&[(Field::DisplayName, "Jane")]), &["name"]).await;
        let answer =
            server.request("GET", USERINFO).header("Authorization", &format!("bearer {}", jane.token)).send().await;
        assert_eq!(answer.status, 200);
    }
);

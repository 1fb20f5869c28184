//! `POST /oauth2/revoke` (RFC 7009).

use selfsame::account::Kind;
use serde_json::json;

use super::USERINFO;
use crate::support::applications::Client;
use crate::support::{Answer, Server, Transcript};

const REVOKE: &str = "/oauth2/revoke";

async fn revoke(client: &Client<'_>, token: &str) -> Answer {
    let form: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.application.id)
        .extend_pairs(client.secret.iter().map(|secret| ("client_secret", secret)))
        .append_pair("token", token)
        .finish();
    let request = client.server.request("POST", REVOKE).header("Content-Type", "application/x-www-form-urlencoded");
    request.body(form).send().await
}

async fn status(server: &Server, token: &str) -> u16 {
    server.request("GET", USERINFO).bearer(token).send().await.status.as_u16()
}

on_both_databases!(
    async fn revoking_a_refresh_token_revokes_its_access_tokens(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let account = server.person(&[]).await;
        let first = client.tokens(&account).await;
        let other = client.tokens(&account).await;
        let refresh = |token: String| client.ask(json!({"grant_type": "refresh_token", "refresh_token": token}));
        let second = refresh(first.refresh_token.unwrap()).await.json();
        insta::assert_snapshot!(revoke(&client, second["refresh_token"].as_str().unwrap()).await, @"
        200 OK
        cache-control: no-store
        ");
        assert_eq!(status(&server, &first.access_token).await, 401);
        assert_eq!(status(&server, second["access_token"].as_str().unwrap()).await, 401);
        assert_eq!(refresh(second["refresh_token"].as_str().unwrap().to_owned()).await.status, 400);
        assert_eq!(status(&server, &other.access_token).await, 200);
    }
);

on_both_databases!(
    async fn a_revocation_is_stored_with_the_account_of_its_token(server: Server) {
        let (person, itself) = (server.client(Kind::Web, &[]).await, server.client(Kind::M2m, &[]).await);
        let account = server.person(&[]).await;
        let of = async |account: uuid::Uuid| {
            let rows = format!("SELECT count(*) FROM revoked_token WHERE account_id = [{}]", account.simple());
            server.database().rows(&server.database().in_dialect(&rows)).await
        };
        let tokens = person.tokens(&account).await;
        assert_eq!(revoke(&person, &tokens.access_token).await.status, 200);
        assert_eq!((of(account.id.0).await, of(uuid::Uuid::nil()).await), (vec!["1".to_owned()], vec!["0".to_owned()]));
        assert_eq!(status(&server, &tokens.access_token).await, 401);
        // A token for the application itself has no account; without its revocation the answer is 403.
        let own = server.app.sign_ins().for_itself(&itself.application).await.unwrap();
        assert_eq!(status(&server, &own.access_token).await, 403);
        assert_eq!(revoke(&itself, &own.access_token).await.status, 200);
        assert_eq!((of(account.id.0).await, of(uuid::Uuid::nil()).await), (vec!["1".to_owned()], vec!["1".to_owned()]));
        assert_eq!(status(&server, &own.access_token).await, 401);
        // A spent refresh token revokes the access tokens of its sign-in for their account.
        let signed_in = person.tokens(&account).await;
        assert_eq!(revoke(&person, &signed_in.refresh_token.unwrap()).await.status, 200);
        assert_eq!((of(account.id.0).await, of(uuid::Uuid::nil()).await), (vec!["2".to_owned()], vec!["1".to_owned()]));
        assert_eq!(status(&server, &signed_in.access_token).await, 401);
    }
);

on_both_databases!(
    async fn revoking_an_access_token_revokes_it_alone(server: Server) {
        let client = server.client(Kind::Spa, &[]).await;
        let account = server.person(&[]).await;
        let (first, other) = (client.tokens(&account).await, client.tokens(&account).await);
        let refresh =
            |token: serde_json::Value| client.ask(json!({"grant_type": "refresh_token", "refresh_token": token}));
        let second = refresh(json!(first.refresh_token)).await.json();
        let second_access = second["access_token"].as_str().unwrap();
        let of_system = server.token(&account, selfsame::account::Contract::System).await;
        // A later second, in which a revocation of all tokens of the account would end those from before.
        server.pass(std::time::Duration::from_secs(2));
        assert_eq!(revoke(&client, &first.access_token).await.status, 200);
        assert_eq!(status(&server, &first.access_token).await, 401);
        // Neither the other token of the sign-in, nor another sign-in's, nor another contract's.
        assert_eq!(status(&server, second_access).await, 200);
        assert_eq!(status(&server, &other.access_token).await, 200);
        let system = server.request("GET", "/web/v1/system/profile").header("X-Client-Hash", "d1");
        assert_eq!(system.bearer(&of_system).send().await.status, 200);
        // Exactly one token is remembered as revoked, and both sign-ins go on.
        assert_eq!(server.database().rows("SELECT count(*) FROM revoked_token").await, ["1"]);
        for token in [second["refresh_token"].clone(), json!(other.refresh_token)] {
            let refreshed = refresh(token).await;
            assert_eq!(refreshed.status, 200, "{refreshed}");
            assert_eq!(status(&server, refreshed.json()["access_token"].as_str().unwrap()).await, 200);
        }
    }
);

on_both_databases!(
    async fn another_applications_token_is_refused_and_stays_valid(server: Server) {
        let (client, other) = (server.client(Kind::Web, &[]).await, server.client(Kind::Web, &[]).await);
        let tokens = client.tokens(&server.person(&[]).await).await;
        let mut transcript = Transcript::default();
        transcript.add("a refresh token", &revoke(&other, tokens.refresh_token.as_deref().unwrap()).await);
        transcript.add("an access token", &revoke(&other, &tokens.access_token).await);
        let nobody = other.server.request("POST", REVOKE).json(json!({"token": tokens.access_token}).to_string());
        transcript.add("no credentials", &nobody.send().await);
        insta::assert_snapshot!(transcript, @r#"
        > a refresh token
        > an access token
        > no credentials
        401 Unauthorized
        cache-control: no-store
        content-type: application/json;charset=UTF-8
        www-authenticate: Basic realm="ciam"

        {"error":"invalid_client"}
        "#);
        assert_eq!(status(&server, &tokens.access_token).await, 200);
    }
);

on_both_databases!(
    async fn a_string_that_is_not_a_token_counts_as_revoked(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        let account = server.person(&[]).await;
        let id_token = client.tokens(&account).await.id_token.unwrap();
        let for_system = server.token(&account, selfsame::account::Contract::System).await;
        for token in ["garbage", "ssr_0", "a.b.c", &id_token, &for_system] {
            let answer = revoke(&client, token).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""), "{token}");
        }
        let missing = client.post(REVOKE, json!({})).await;
        assert_eq!(missing.body, r#"{"error":"invalid_request","error_description":"token is required."}"#);
        let hinted = client.post(REVOKE, json!({"token": "garbage", "token_type_hint": "refresh_token"})).await;
        assert_eq!(hinted.status, 200);
    }
);

on_both_databases!(
    async fn with_credentials_in_the_header_the_clients_member_may_have_another_type(server: Server) {
        let client = server.client(Kind::Web, &[]).await;
        for (client_id, status) in [(json!([]), 200), (json!({}), 200), (json!(null), 200), (json!(5), 400)] {
            let body = json!({"token": "garbage", "client_id": client_id});
            let answer = client.authenticated(server.request("POST", REVOKE)).json(body.to_string()).send().await;
            assert_eq!(answer.status, status, "{body}");
        }
        let document = server.request("GET", "/openapi/ciam.json").send().await.json();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Revoked"]["properties"]["client_id"].get("type"), None);
        let scalar = &schemas["Revoked"]["properties"]["token"]["type"];
        assert_eq!(*scalar, json!(["string", "number", "boolean"]));
        let body = json!({"token": 5});
        let answer = client.authenticated(server.request("POST", REVOKE)).json(body.to_string()).send().await;
        assert_eq!(answer.status, 200, "{body}");
    }
);

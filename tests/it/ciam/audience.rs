//! Tokens of applications open this contract only; tokens of trusted issuers open it if the operator configured that.

use selfsame::account::{Field, Kind};
use selfsame::store::{Identity, Link};
use serde_json::json;

use super::{ALL, AppUser, USERINFO};
use crate::support::provider::Provider;
use crate::support::signing::Key;
use crate::support::{Database, Server, Transcript, patch};

on_both_databases!(
    async fn an_applications_token_is_refused_by_every_other_contract(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        for (method, path) in [
            ("GET", "/web/v1/system/profile"),
            ("POST", "/web/v1/system/profile/update"),
            ("GET", "/api/v1/auth/me"),
            ("PUT", "/api/v1/auth/me/profile"),
        ] {
            let request = server.request(method, path).bearer(&jane.token).header("X-Client-Hash", "d1");
            transcript.add(format!("{method} {path}"), &request.json(r#"{"accountPhone":"+1"}"#).send().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > GET /web/v1/system/profile
        > POST /web/v1/system/profile/update
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}

        > GET /api/v1/auth/me
        > PUT /api/v1/auth/me/profile
        403 Forbidden
        content-type: application/json

        {"success":false,"error":{"code":"PERMISSION_DENIED","message":"Permission denied","timestamp":"2026-03-20T14:30:00Z"},"message":"Permission denied"}
        "#);
        assert_eq!(jane.stored().await.version, 1);
        // `/me/schema` belongs to no contract and accepts the token: a form needs the schema.
        assert_eq!(server.request("GET", "/me/schema").bearer(&jane.token).send().await.status, 200);
    }
);

on_both_databases!(
    async fn tokens_of_an_application_named_like_a_contract_are_valid_only_for_ciam(server: Server) {
        let client = server.client_with(Kind::Web, &[], |application| application.id = "system".to_owned()).await;
        let jane = AppUser::of(client, server.person(&[]).await).await;
        let system = server.request("GET", "/web/v1/system/profile").bearer(&jane.token).header("X-Client-Hash", "d1");
        assert_eq!(system.send().await.status, 403);
        assert_eq!(jane.get().await.status, 200);
    }
);

on_both_databases!(
    async fn a_machines_token_is_refused_everywhere(server: Server) {
        let client = server.client(Kind::M2m, &ALL).await;
        let token = server.app.sign_ins().for_itself(&client.application).await.unwrap().access_token;
        for path in ["/web/v1/system/profile", "/api/v1/auth/me", "/me/schema"] {
            assert_eq!(server.request("GET", path).bearer(&token).send().await.status, 401, "{path}");
        }
    }
);

#[test]
fn a_trusted_issuers_token_is_accepted_if_the_operator_configured_it() {
    crate::support::run(Database::sqlite, async |database| {
        let key = Key::p256("first");
        let provider = Provider::start(vec![key.jwk()]).await;
        let settings = [
            ("SELFSAME__TRUSTED_ISSUER__LOGIN__ISSUER", provider.issuer()),
            ("SELFSAME__TRUSTED_ISSUER__LOGIN__AUDIENCE", "https://id.example.com"),
            ("SELFSAME__TRUSTED_ISSUER__LOGIN__ALGORITHMS", "ES256"),
            ("SELFSAME__TRUSTED_ISSUER__LOGIN__TENANT", "demo"),
            ("SELFSAME__TRUSTED_ISSUER__LOGIN__CONTRACTS", "ciam"),
        ];
        let server = Server::with(database, &settings).await;
        let account = server.person_with(&server.tenant, patch(&[(Field::DisplayName, "Alice")])).await;
        let identity = Identity { issuer: provider.issuer().to_owned(), subject: "alice".to_owned() };
        let link = Link { key: server.app.keys().subject("alice"), identity };
        server.app.store().link(account.id, &link, server.app.now()).await.unwrap();
        let client = server.client(Kind::Web, &["name"]).await;
        let now = server.app.now().as_second();
        let token = |audience: serde_json::Value, scope: &str| {
            let claims = json!({
                "iss": provider.issuer(), "sub": "alice", "aud": audience, "scope": scope, "iat": now, "exp": now + 600,
            });
            key.token("ES256", &claims)
        };
        for trusted in server.app.authenticator().all_trusted() {
            trusted.keep_fresh(server.app.now()).await;
        }
        let get = async |token: String| server.request("GET", USERINFO).bearer(&token).send().await;
        let unknown = get(token(json!("https://id.example.com"), "openid profile")).await;
        assert_eq!(unknown.body, r#"{"sub":"alice","name":"Alice"}"#);
        let known = get(token(json!(["https://id.example.com", client.application.id]), "openid")).await;
        assert_eq!(known.body, r#"{"sub":"alice","name":"Alice"}"#);
        assert_eq!(get(token(json!("https://id.example.com"), "profile")).await.status, 403);
        let system = server.request("GET", "/web/v1/system/profile").header("X-Client-Hash", "d1");
        assert_eq!(system.bearer(&token(json!("https://id.example.com"), "openid")).send().await.status, 403);
    });
}

on_both_databases!(
    async fn a_machine_gets_no_token_for_a_persons_claims(server: Server) {
        let client = server.client(Kind::M2m, &[]).await;
        let form = |body: &'static str| {
            let request = client.authenticated(server.request("POST", "/oauth2/token"));
            request.header("Content-Type", "application/x-www-form-urlencoded").body(body).send()
        };
        let mut transcript = Transcript::default();
        let scope = json!({"grant_type": "client_credentials", "scope": "openid"});
        transcript.add("openid", &client.ask(scope).await);
        transcript.add("openid in a form", &form("grant_type=client_credentials&scope=openid").await);
        transcript.add("another scope", &form("grant_type=client_credentials&scope=profile").await);
        insta::assert_snapshot!(transcript, @r#"
        > openid
        > openid in a form
        > another scope
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_scope"}
        "#);
        // An empty parameter is an absent one (RFC 6749 §3.2).
        assert_eq!(form("grant_type=client_credentials&scope=").await.status, 200);
    }
);

//! Applications and accounts of different tenants have nothing to do with each other.

use selfsame::account::{Field, Kind};
use selfsame::store::{Identity, Link};
use serde_json::json;

use super::{ALL, AppUser, USERINFO};
use crate::support::provider::Provider;
use crate::support::signing::Key;
use crate::support::{Database, Server, patch};

on_both_databases!(
    async fn a_token_of_another_tenants_application_is_refused(server: Server) {
        let jane = AppUser::new(&server).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        let foreign = server.client_with(Kind::Web, &ALL, |application| application.tenant_id = elsewhere.id).await;
        let token = foreign.token(&jane.account).await;
        for method in ["GET", "POST", "PATCH"] {
            let answer = server.request(method, USERINFO).bearer(&token).json(r#"{"name":"Jo"}"#).send().await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, ""), "{method}");
        }
        assert_eq!(jane.stored().await.version, 1);
        assert_eq!(jane.get().await.status, 200);
    }
);

on_both_databases!(
    async fn the_tokens_of_an_application_that_moves_to_another_tenant_end(server: Server) {
        let jane = AppUser::new(&server).await;
        let tokens = jane.client.tokens(&jane.account).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        let mut moved = jane.client.application.clone();
        moved.tenant_id = elsewhere.id;
        server.app.store().set_application(&moved).await.unwrap();
        let refresh = json!({"grant_type": "refresh_token", "refresh_token": tokens.refresh_token});
        let refused = jane.client.ask(refresh).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_grant")));
        assert_eq!(jane.get().await.status, 401);
    }
);

/// A trusted issuer may name any audience: only an application of the tenant that the issuer is configured for decides which
/// claims are shown.
#[test]
fn a_trusted_issuers_token_that_names_another_tenants_application_shows_no_claims() {
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
        let elsewhere = server.add_tenant("elsewhere").await;
        let foreign =
            server.client_with(Kind::Web, &["name"], |application| application.tenant_id = elsewhere.id).await;
        let own = server.client(Kind::Web, &["name"]).await;
        for trusted in server.app.authenticator().all_trusted() {
            trusted.keep_fresh(server.app.now()).await;
        }
        let now = server.app.now().as_second();
        let get = async |application: &str| {
            let claims = json!({
                "iss": provider.issuer(), "sub": "alice", "aud": ["https://id.example.com", application],
                "scope": "openid", "iat": now, "exp": now + 600,
            });
            server.request("GET", USERINFO).bearer(&key.token("ES256", &claims)).send().await.body
        };
        assert_eq!(get(&foreign.application.id).await, r#"{"sub":"alice"}"#);
        assert_eq!(get(&own.application.id).await, r#"{"sub":"alice","name":"Alice"}"#);
    });
}

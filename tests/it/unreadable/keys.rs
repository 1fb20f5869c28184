//! Unreadable keys and facts of the installation, at start and when they are read again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame::account::Contract;
use selfsame::app::App;
use selfsame::clock::Clock;
use serde_json::json;

use super::row::{Row, Wrong, wrong};
use super::{IS_NO_TIME, NO_TIME};
use crate::support::Server;
use crate::support::secure_channel::CHANNEL;

const DOES_NOT_OPEN: &str = "the sealed value does not open with this key";

impl Row<'_> {
    /// Damages one column after the other, as [`Row::damage`] does, and starts another instance, which must fail.
    async fn damage_start(&self, cases: &[Wrong]) {
        let app = &self.server.app;
        self.damage_and(cases, async |place| {
            let failed = App::start(app.config().clone(), Clock::System).await.err();
            let failed = failed.unwrap_or_else(|| panic!("an instance starts with {place}")).to_string();
            assert!(failed.contains(&place), "{failed} does not name {place}");
        })
        .await;
    }
}

on_both_databases!(
    async fn an_unreadable_signing_key_ends_the_start_and_is_an_internal_error(server: Server) {
        let account = server.person(&[]).await;
        let token = server.token(&account, Contract::System).await;
        let records = server.app.store().signing_keys().await.unwrap();
        let key = Row {
            server: &server,
            table: "signing_key",
            condition: "1 = 1".to_owned(),
            key: records[0].key_id.clone(),
        };
        let mut cases = vec![
            wrong("public_key", "'{'", "not a JWK"),
            wrong("public_key", r#"'{"kty":"oct","k":"AA"}'"#, "not a key that verifies tokens"),
            wrong("algorithm", "'none'", "not a known algorithm"),
            wrong("sealed", server.database().bytes(&[7; 60]), DOES_NOT_OPEN),
            wrong("created_at", NO_TIME, IS_NO_TIME),
            wrong("retired_at", NO_TIME, IS_NO_TIME),
        ];
        if server.database().is_sqlite() {
            cases.push(wrong("algorithm", "CAST(X'61ff' AS TEXT)", "not UTF-8"));
        }
        // An unknown key may be newer than the cached ones, so that all keys are read again.
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "newer"}).to_string();
        let newer = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), token.split_once('.').unwrap().1);
        let ask = async |_| {
            server.pass(std::time::Duration::from_secs(1));
            vec![server.request("GET", "/web/v1/system/profile").bearer(&newer).send().await]
        };
        key.damage(&cases, ask).await;
        key.damage_start(&cases).await;
    }
);

on_both_databases!(
    async fn an_unreadable_key_of_encrypted_bodies_ends_the_start_and_is_an_internal_error(server: Server) {
        let published = server.request("GET", &format!("{CHANNEL}/public-key")).send().await;
        assert_eq!(published.status, 200, "{published}");
        let records = server.app.store().channel_keys().await.unwrap();
        let key_id = records[0].key_id.clone();
        let condition = format!("key_id = '{key_id}'");
        let key = Row { server: &server, table: "channel_key", condition, key: key_id };
        let mut cases = vec![
            wrong("kind", "'rsa-1024'", "not a known kind"),
            wrong("sealed", server.database().bytes(&[7; 60]), DOES_NOT_OPEN),
            wrong("created_at", NO_TIME, IS_NO_TIME),
            wrong("retired_at", NO_TIME, IS_NO_TIME),
        ];
        if server.database().is_sqlite() {
            cases.push(wrong("public_key", "CAST(X'61ff' AS TEXT)", "not UTF-8"));
        }
        key.damage_start(&[wrong("public_key", "'[]'", "not a JWK")]).await;
        key.damage_start(&cases).await;
    }
);

on_both_databases!(
    async fn an_unreadable_fact_of_the_installation_ends_the_start(server: Server) {
        if server.database().is_sqlite() {
            let condition = "name = 'id'".to_owned();
            let fact = Row { server: &server, table: "installation", condition, key: "id".to_owned() };
            fact.damage_start(&[wrong("value", "CAST(X'61ff' AS TEXT)", "not UTF-8")]).await;
        }
    }
);

on_both_databases!(
    async fn a_secret_that_does_not_open_ends_the_start(server: Server) {
        server.database().execute(&format!("UPDATE secret SET sealed = {}", server.database().bytes(&[7; 60]))).await;
        let failed = App::start(server.app.config().clone(), Clock::System).await.err().unwrap().to_string();
        assert!(failed.contains("this master key does not decrypt the keys in the database"), "{failed}");
    }
);

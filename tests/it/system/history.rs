//! The history entries of changes.

use super::{UPDATE, admin};
use crate::support::Server;

on_both_databases!(
    async fn a_change_adds_one_entry_with_who_when_how_and_what(server: Server) {
        let admin = admin(&server).await;
        let body = r#"{"accountName":"Jane Admin","accountPhone":"","defaultLanguage":"en"}"#;
        let request = admin.request("POST", UPDATE).header("X-Request-Id", "r-42").header("User-Agent", "portal/1.0");
        let answer = request.json(body).send().await;
        let history = admin.history().await.replace(answer.header("x-request-id"), "ID");
        insta::assert_snapshot!(history, @r#"2 2026-03-20T14:30:00Z owner system ID {"changes":[{"field":"display_name","before":"System Admin","after":"Jane Admin"},{"field":"phone","before":"+1234567890","after":null}],"source_address":"127.0.0.1","user_agent":"portal/1.0","client_request_id":"r-42"}"#);
    }
);

on_both_databases!(
    async fn an_entry_has_the_request_id_of_the_response(server: Server) {
        let admin = admin(&server).await;
        let answer = admin.update(r#"{"accountName":"Jane Admin"}"#).await;
        let entries = server.app.store().history(admin.account.id, 1, 100).await.unwrap();
        assert_eq!(entries[0].metadata.request_id, answer.header("x-request-id"));
    }
);

on_both_databases!(
    async fn a_refused_request_adds_no_entry(server: Server) {
        let admin = admin(&server).await;
        let before = admin.stored().await;
        admin.update("{").await;
        admin.update(r#"{"accountName":7,"defaultCountry":"CN"}"#).await;
        admin.request("POST", UPDATE).body(r#"{"accountName":"x"}"#).send().await;
        admin.read().await;
        assert_eq!(admin.stored().await, before);
        assert_eq!(admin.history().await, "");
    }
);

//! Changing one's own profile.

use std::time::Duration;

use selfsame::account::Field;

use super::{UPDATE, admin, sign_in};
use crate::support::Server;

/// The time between the last changes in the published examples of reading and of updating.
const UNTIL_THE_UPDATE: Duration = Duration::from_secs(67 * 3600 + 1800);

on_both_databases!(
    async fn the_published_example_body_gets_the_published_response(server: Server) {
        let admin = admin(&server).await;
        server.pass(UNTIL_THE_UPDATE);
        let admin = sign_in(&server, admin.account).await;
        let body = r#"{
"accountName": "Jane Admin",
"accountPhone": "+1987654321",
"defaultLanguage": "zh",
"defaultTimezone": "Asia/Shanghai",
"defaultCountry": "CN"
}"#;
        insta::assert_snapshot!(admin.update(body).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1987654321","accountName":"Jane Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-23T10:00:00Z","defaultLanguage":"zh","defaultTimezone":"Asia/Shanghai","defaultCountry":"CN"}}
        "#);
    }
);

on_both_databases!(
    async fn the_other_published_example_body_is_accepted(server: Server) {
        let admin = admin(&server).await;
        server.pass(UNTIL_THE_UPDATE);
        let admin = sign_in(&server, admin.account).await;
        let body = r#"{
"accountName": "John Doe",
"accountPhone": "+1234567890",
"defaultLanguage": "en",
"defaultTimezone": "UTC",
"defaultCountry": "US"
}"#;
        insta::assert_snapshot!(admin.update(body).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"John Doe","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-23T10:00:00Z","defaultLanguage":"en","defaultTimezone":"UTC","defaultCountry":"US"}}
        "#);
    }
);

on_both_databases!(
    async fn a_change_is_read_at_once(server: Server) {
        let admin = admin(&server).await;
        let updated = admin.update(r#"{"accountName":"Jane Admin"}"#).await;
        let read = admin.read().await;
        assert_eq!(read.json()["data"]["accountName"], "Jane Admin");
        assert_eq!(read.to_string(), updated.to_string());
    }
);

on_both_databases!(
    async fn an_empty_object_and_nulls_change_nothing(server: Server) {
        let admin = admin(&server).await;
        let before = admin.read().await.to_string();
        server.pass(Duration::from_secs(60));
        assert_eq!(admin.update("{}").await.to_string(), before);
        let nulls = r#"{"accountName":null,"accountPhone":null,"defaultLanguage":null,"defaultTimezone":null,
            "defaultCountry":null}"#;
        assert_eq!(admin.update(nulls).await.to_string(), before);
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn a_null_keeps_its_field_and_a_value_changes_only_its_field(server: Server) {
        let admin = admin(&server).await;
        server.pass(Duration::from_secs(60));
        insta::assert_snapshot!(admin.update(r#"{"accountName":null,"defaultCountry":"CN"}"#).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:31:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"CN"}}
        "#);
    }
);

on_both_databases!(
    async fn an_empty_string_clears_its_field(server: Server) {
        let admin = admin(&server).await;
        let body =
            r#"{"accountName":"","accountPhone":"","defaultLanguage":"","defaultTimezone":"","defaultCountry":""}"#;
        insta::assert_snapshot!(admin.update(body).await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"","accountName":"","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"","defaultTimezone":"","defaultCountry":""}}
        "#);
        let stored = admin.stored().await;
        for field in [Field::DisplayName, Field::Phone, Field::Language, Field::TimeZone, Field::Country] {
            assert_eq!(stored.text(field), None, "{field:?}");
        }
        assert_eq!(admin.update(body).await.status, 200, "an unset field could not be cleared");
    }
);

on_both_databases!(
    async fn white_space_is_kept(server: Server) {
        let admin = admin(&server).await;
        let answer = admin.update(r#"{"accountName":"  Jane \t","defaultCountry":" "}"#).await;
        assert_eq!(answer.json()["data"]["accountName"], "  Jane \t");
        assert_eq!(answer.json()["data"]["defaultCountry"], " ");
    }
);

on_both_databases!(
    async fn the_same_update_twice_changes_once(server: Server) {
        let admin = admin(&server).await;
        server.pass(Duration::from_secs(60));
        let first = admin.update(r#"{"accountName":"Jane Admin"}"#).await;
        assert_eq!(first.json()["data"]["updatedAt"], "2026-03-20T14:31:00Z");
        server.pass(Duration::from_secs(60));
        let second = admin.update(r#"{"accountName":"Jane Admin"}"#).await;
        assert_eq!(second.to_string(), first.to_string());
        assert_eq!(admin.history().await.lines().count(), 1);
    }
);

on_both_databases!(
    async fn members_that_the_person_may_not_write_are_ignored(server: Server) {
        let admin = admin(&server).await;
        let before = admin.read().await.to_string();
        server.pass(Duration::from_secs(60));
        let body = r#"{
            "accountRemark": "mine", "accountEmail": "other@example.com", "bizId": "ACC_SYS_002",
            "institutionBizId": "INST_SYS_002", "createdAt": "2020-01-01T00:00:00Z", "updatedAt": 7,
            "accountStatus": {"code": "CLOSED", "value": 10010206, "label": "Closed"}, "accountPortal": "TENANT",
            "unknown": [1, {"deep": null}], "": "", "AccountName": "x", "accountname": "x", "request": {"accountName": "x"}
        }"#;
        assert_eq!(admin.update(body).await.to_string(), before);
        assert_eq!(admin.history().await, "");
    }
);

on_both_databases!(
    async fn the_last_of_several_members_with_the_same_name_counts(server: Server) {
        let admin = admin(&server).await;
        let answer =
            admin.update(r#"{"accountName":7,"defaultCountry":"CN","accountName":"Jane","accountName":"Joan"}"#);
        assert_eq!(answer.await.json()["data"]["accountName"], "Joan");
        let answer = admin.update(r#"{"accountName":"Jane","accountName":null}"#).await;
        assert_eq!(answer.json()["data"]["accountName"], "Joan");
    }
);

on_both_databases!(
    async fn parallel_updates_of_different_fields_are_all_kept(server: Server) {
        let admin = admin(&server).await;
        let bodies = [
            r#"{"accountName":"Jane Admin"}"#,
            r#"{"accountPhone":"+1987654321"}"#,
            r#"{"defaultLanguage":"zh"}"#,
            r#"{"defaultTimezone":"Asia/Shanghai"}"#,
            r#"{"defaultCountry":"CN"}"#,
        ];
        let (a, b, c, d, e) = tokio::join!(
            admin.update(bodies[0]),
            admin.update(bodies[1]),
            admin.update(bodies[2]),
            admin.update(bodies[3]),
            admin.update(bodies[4]),
        );
        for answer in [a, b, c, d, e] {
            assert_eq!(answer.status, 200, "{answer}");
        }
        insta::assert_snapshot!(admin.read().await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1987654321","accountName":"Jane Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"zh","defaultTimezone":"Asia/Shanghai","defaultCountry":"CN"}}
        "#);
        assert_eq!(admin.history().await.lines().count(), bodies.len());
    }
);

on_both_databases!(
    async fn parallel_updates_of_one_field_happen_one_after_another(server: Server) {
        let admin = admin(&server).await;
        let names = ["a", "b", "c", "d"].map(|name| format!(r#"{{"accountName":"{name}"}}"#));
        let [a, b, c, d] = names;
        tokio::join!(admin.update(a), admin.update(b), admin.update(c), admin.update(d));
        let history = admin.history().await;
        assert_eq!(history.lines().count(), 4, "{history}");
        let shown = admin.read().await.json()["data"]["accountName"].as_str().unwrap().to_owned();
        assert!(history.lines().last().unwrap().contains(&format!(r#""after":"{shown}""#)), "{history}");
    }
);

on_both_databases!(
    async fn a_response_shows_only_ones_own_account(server: Server) {
        let (one, other) = (admin(&server).await, admin(&server).await);
        one.update(r#"{"accountName":"Jane Admin"}"#).await;
        assert_eq!(other.read().await.json()["data"]["bizId"], "ACC_SYS_002");
        assert_eq!(other.read().await.json()["data"]["accountName"], "System Admin");
        assert_eq!(other.history().await, "");
    }
);

on_both_databases!(
    async fn an_update_ignores_accept_and_query(server: Server) {
        let admin = admin(&server).await;
        let before = admin.read().await.to_string();
        let query = admin.request("POST", &format!("{UPDATE}?accountName=x")).json("{}").send().await;
        assert_eq!(query.to_string(), before);
        let accept = admin.request("POST", UPDATE).header("Accept", "text/html").json("{}").send().await;
        assert_eq!(accept.to_string(), before);
    }
);

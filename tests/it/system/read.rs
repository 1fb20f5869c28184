//! Reading one's own profile.

use std::time::Duration;

use selfsame::account::Field;

use super::{PROFILE, admin, sign_in};
use crate::support::{Server, Transcript, Wire, patch};

on_both_databases!(
    async fn the_profile_is_shown_as_published(server: Server) {
        insta::assert_snapshot!(admin(&server).await.read().await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
    }
);

on_both_databases!(
    async fn a_profile_without_any_field_shows_empty_strings_and_only_the_remark_as_null(server: Server) {
        let nobody = sign_in(&server, server.person(&[]).await).await;
        insta::assert_snapshot!(nobody.read().await, @r#"
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"","accountPhone":"","accountName":"","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-03-20T14:30:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"","defaultTimezone":"","defaultCountry":""}}
        "#);
    }
);

on_both_databases!(
    async fn the_operators_remark_is_shown(server: Server) {
        let admin = admin(&server).await;
        server.operate(&admin.account, patch(&[(Field::Remark, "VIP")])).await;
        assert_eq!(admin.read().await.json()["data"]["accountRemark"], "VIP");
    }
);

on_both_databases!(
    async fn times_are_cut_to_whole_seconds(server: Server) {
        server.pass(Duration::from_micros(999_999));
        let person = sign_in(&server, server.person(&[]).await).await;
        assert_eq!(person.read().await.json()["data"]["createdAt"], "2026-03-20T14:30:00Z");
        assert_eq!(person.read().await.json()["data"]["updatedAt"], "2026-03-20T14:30:00Z");
    }
);

on_both_databases!(
    async fn reading_ignores_content_type_accept_body_and_query(server: Server) {
        let admin = admin(&server).await;
        let get = || admin.request("GET", PROFILE);
        let mut transcript = Transcript::default();
        transcript.add("as it is", &get().send().await);
        transcript.add("Content-Type: text/plain", &get().header("Content-Type", "text/plain").send().await);
        transcript.add("Content-Encoding: gzip", &get().header("Content-Encoding", "gzip").send().await);
        transcript.add("a JSON body", &get().json(r#"{"accountName":"x"}"#).send().await);
        transcript.add("a body of no type", &get().body("x").send().await);
        transcript.add("Accept: text/html", &get().header("Accept", "text/html").send().await);
        transcript.add("Accept: */*;q=0", &get().header("Accept", "*/*;q=0").send().await);
        let query = format!("{PROFILE}?accountName=x&request=%00");
        transcript.add("a query string", &admin.request("GET", &query).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > as it is
        > Content-Type: text/plain
        > Content-Encoding: gzip
        > a JSON body
        > a body of no type
        > Accept: text/html
        > Accept: */*;q=0
        > a query string
        200 OK
        cache-control: private, no-cache
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":true,"code":"2000","message":"SUCCESS","data":{"bizId":"ACC_SYS_001","institutionBizId":"INST_SYS_001","accountEmail":"admin@example.com","accountPhone":"+1234567890","accountName":"System Admin","accountRemark":null,"accountPortal":{"code":"SYSTEM","value":10010101,"label":"System"},"accountStatus":{"code":"ACTIVE","value":10010202,"label":"Active"},"createdAt":"2026-01-15T08:00:00Z","updatedAt":"2026-03-20T14:30:00Z","defaultLanguage":"en","defaultTimezone":"America/New_York","defaultCountry":"US"}}
        "#);
    }
);

on_both_databases!(
    async fn a_client_that_sends_no_accept_is_answered(server: Server) {
        let admin = admin(&server).await;
        let mut wire = Wire::connect(&server).await;
        let head = format!("GET {PROFILE} HTTP/1.1\r\nHost: selfsame\r\nConnection: close\r\n");
        wire.send(format!("{head}Authorization: Bearer {}\r\nX-Client-Hash: d1\r\n\r\n", admin.token)).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, admin.read().await.body);
    }
);

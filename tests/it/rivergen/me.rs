//! Reading the whole account.

use super::{Jane, ME};
use crate::support::{Server, Wire};

on_both_databases!(
    async fn every_field_of_an_account_has_its_member(server: Server) {
        let jane = Jane::new(&server).await;
        insta::assert_snapshot!(jane.get().await, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"success":true,"data":{"user":{"id":1,"display_name":"Jane","primary_email":"jane@example.com","profile_image_url":null,"created_at":"2026-03-20T14:30:00Z","updated_at":"2026-03-20T14:30:00Z","is_system_admin":false,"disabled_at":null,"profile":{"location":"San Francisco"},"user_metadata":{}},"emails":[{"email":"jane@example.com","verified":true,"is_primary":true,"created_at":"2026-03-20T14:30:00Z"}],"organizations":[{"id":1,"name":"demo","domain":null,"plan":null,"is_admin":false,"joined_at":"2026-03-20T14:30:00Z","source":"tenant"}],"workspaces":[],"security":{"mfa_enabled":false,"mfa_methods":[],"social_accounts_count":0,"connected_providers":[],"total_login_attempts":0,"active_sessions":0}},"message":"User information retrieved successfully"}
        "#);
    }
);

on_both_databases!(
    async fn an_empty_account_has_every_member(server: Server) {
        insta::assert_snapshot!(Jane::unknown(&server).await.get().await, @r#"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"success":true,"data":{"user":{"id":1,"display_name":null,"primary_email":null,"profile_image_url":null,"created_at":"2026-03-20T14:30:00Z","updated_at":"2026-03-20T14:30:00Z","is_system_admin":false,"disabled_at":null,"profile":{},"user_metadata":{}},"emails":[],"organizations":[{"id":1,"name":"demo","domain":null,"plan":null,"is_admin":false,"joined_at":"2026-03-20T14:30:00Z","source":"tenant"}],"workspaces":[],"security":{"mfa_enabled":false,"mfa_methods":[],"social_accounts_count":0,"connected_providers":[],"total_login_attempts":0,"active_sessions":0}},"message":"User information retrieved successfully"}
        "#);
    }
);

on_both_databases!(
    async fn a_read_shows_the_last_change(server: Server) {
        let jane = Jane::new(&server).await;
        server.pass(std::time::Duration::from_secs(90));
        jane.put(r#"{"display_name":"Jo","profile_image_url":"https://example.com/jo.jpg","profile":{"a":1}}"#).await;
        let user = jane.get().await.json()["data"]["user"].take();
        assert_eq!(user["display_name"], "Jo");
        assert_eq!(user["profile_image_url"], "https://example.com/jo.jpg");
        assert_eq!(user["profile"], serde_json::json!({"location": "San Francisco", "a": 1}));
        assert_eq!([&user["created_at"], &user["updated_at"]], ["2026-03-20T14:30:00Z", "2026-03-20T14:31:30Z"]);
    }
);

on_both_databases!(
    async fn head_answers_as_get_without_a_body(server: Server) {
        let jane = Jane::new(&server).await;
        for (token, status) in [(jane.token.as_str(), 200), ("none", 401)] {
            // On one connection, byte for byte: a body would come before the next answer.
            let mut wire = Wire::connect(&server).await;
            let request = |method: &str, close: &str| {
                let head = format!("Host: localhost\r\nAuthorization: Bearer {token}");
                format!("{method} {ME} HTTP/1.1\r\n{head}\r\n{close}\r\n")
            };
            wire.send(request("HEAD", "") + &request("GET", "Connection: close\r\n")).await;
            let both = wire.end().await;
            let (head, rest) = both.split_once("\r\n\r\n").unwrap();
            let (get, body) = rest.split_once("\r\n\r\n").unwrap();
            assert!(get.starts_with(&format!("HTTP/1.1 {status} ")), "{both}");
            let lines = |head: &str| {
                let differs = ["date: ", "x-request-id: ", "connection: close"];
                let kept = head.lines().filter(|line| !differs.iter().any(|start| line.starts_with(start)));
                kept.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(lines(head), lines(get));
            assert!(lines(head).contains(&format!("content-length: {}", body.len())), "{both}");
        }
        assert_eq!(jane.stored().await.version, 1);
    }
);

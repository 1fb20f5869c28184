//! The picture of a change that is refused after the picture was stored, or whose outcome is unknown.

use std::time::Duration;

use selfsame::account::{Contract, Field};
use serde_json::json;

use super::{begin, suspension};
use crate::rivergen::PIXEL;
use crate::support::{Answer, Server};

const PROFILE: &str = "/api/v1/auth/me/profile";
/// A schema is checked within the commit, after the picture was stored.
const SCHEMA: &str = r#"{"type": "object", "properties": {"level": {"type": "integer"}}}"#;

/// The number of pictures on disk and in the database.
async fn kept(server: &Server) -> (usize, usize) {
    let files = std::fs::read_dir(server.data().join("pictures")).map_or(0, Iterator::count);
    (files, server.database().rows("SELECT name FROM stored_picture").await.len())
}

async fn show(server: &Server, token: &str, level: serde_json::Value) -> Answer {
    let body = json!({ "profile_image_url": PIXEL, "profile": { "level": level } });
    server.request("PUT", PROFILE).bearer(token).json(body.to_string()).send().await
}

async fn token(server: &Server) -> String {
    server.app.store().set_attribute_schema(server.tenant.id, Some(SCHEMA), server.app.now()).await.unwrap();
    let account = server.person(&[(Field::DisplayName, "Jane")]).await;
    server.token(&account, Contract::RiverGen).await
}

on_both_databases!(
    async fn a_picture_whose_change_is_refused_is_deleted_before_the_answer(server: Server) {
        let token = token(&server).await;
        let refused = show(&server, &token, json!("gold")).await;
        assert!(refused.status.is_client_error(), "{refused}");
        assert_eq!(kept(&server).await, (0, 0));
        let accepted = show(&server, &token, json!(1)).await;
        assert_eq!(accepted.status, 200, "{accepted}");
        assert_eq!(kept(&server).await, (1, 1));
        // The picture that the account shows stays when a later change with another one is refused.
        assert_eq!(show(&server, &token, json!("gold")).await.status, refused.status);
        assert_eq!(kept(&server).await, (1, 1));
    }
);

on_both_databases!(
    async fn a_picture_of_an_account_that_is_suspended_meanwhile_is_deleted_before_the_answer(server: Server) {
        let account = server.person(&[]).await;
        let token = server.token(&account, Contract::RiverGen).await;
        let body = json!({ "profile_image_url": PIXEL }).to_string();
        let bearer = format!("Authorization: Bearer {token}\r\n");
        let mut wire = begin(&server, &format!("PUT {PROFILE}"), &bearer, body.len()).await;
        server.operate(&account, suspension()).await;
        wire.send(&body).await;
        assert_eq!(wire.answer().await.status, 403);
        assert_eq!(kept(&server).await, (0, 0));
    }
);

/// Makes the database fail when an account is changed: on PostgreSQL as if an operator had cancelled the statement.
async fn break_changes(server: &Server) -> (&'static str, u16) {
    match server.database().url().starts_with("sqlite:") {
        true => {
            let failing = "CREATE TRIGGER failing BEFORE UPDATE ON account BEGIN SELECT RAISE(ABORT, 'failed'); END";
            server.database().execute(failing).await;
            ("DROP TRIGGER failing", 500)
        }
        false => {
            let failing = "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    RAISE EXCEPTION USING ERRCODE = 'query_canceled';
                END $$;
                CREATE TRIGGER failing BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION failing()";
            server.database().execute(failing).await;
            ("DROP TRIGGER failing ON account", 503)
        }
    }
}

on_both_databases!(
    async fn a_picture_whose_change_may_have_been_made_is_left_to_the_sweeper(server: Server) {
        let token = token(&server).await;
        let (repair, status) = break_changes(&server).await;
        let failed = show(&server, &token, json!(1)).await;
        assert_eq!(failed.status, status, "{failed}");
        assert_eq!(kept(&server).await, (1, 1));
        server.database().execute(repair).await;
        server.pass(Duration::from_secs(2 * 3600));
        server.app.pictures().sweep().await.unwrap();
        assert_eq!(kept(&server).await, (0, 0));
    }
);

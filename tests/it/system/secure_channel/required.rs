//! `system.secure_channel = "required"`.

use super::*;
use crate::support::{Database, OnDatabase};

struct Required(Server);

impl OnDatabase for Required {
    async fn start(database: Database) -> Self {
        Required(Server::with(database, &[("SELFSAME__SYSTEM__SECURE_CHANNEL", "required")]).await)
    }
}

on_both_databases!(
    async fn a_plain_body_is_refused_where_bodies_must_be_encrypted(required: Required) {
        let server = &required.0;
        let admin = admin(server).await;
        let mut transcript = Transcript::default();
        for body in [JANE, "{}", "", "{", "[]", r#"{"v":2,"p":"","accountName":"x"}"#, "SC"] {
            transcript.add(body, &admin.update(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"accountName":"Jane Admin"}
        > {}
        > 
        > {
        > []
        > {"v":2,"p":"","accountName":"x"}
        > SC
        400 Bad Request
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4000","message":"Invalid secure channel payload"}
        "#);
        assert_eq!(admin.history().await, "");
        let session = Session::open(server).await;
        assert_eq!(session.read(admin.send_in(&session, session.binary(1, JANE)).await).status, 200);
        let key = ServerKey::of(server).await;
        let token = jwe(&key, &header(server, &key, "a"), JOHN);
        assert_eq!(admin.send_token(token).await.plain().status, 200);
        assert_eq!(admin.read().await.json()["data"]["accountName"], "John Admin");
    }
);

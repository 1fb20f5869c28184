//! The status of the account and the tenant that a token belongs to.

use selfsame::account::{Status, TenantStatus};

use super::{AppUser, USERINFO, in_status};
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn a_closed_or_deleted_account_is_not_found(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        let closed = in_status(Status::Closed);
        server.operate(&jane.account, closed).await;
        for method in ["GET", "POST", "PATCH"] {
            transcript.add(format!("{method}, closed"), &jane.request(method).send().await);
        }
        server.database().execute("DELETE FROM account").await;
        transcript.add("deleted", &jane.get().await);
        insta::assert_snapshot!(transcript, @r#"
        > GET, closed
        > POST, closed
        > PATCH, closed
        > deleted
        404 Not Found
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"user_not_found"}
        "#);
    }
);

on_both_databases!(
    async fn an_inactive_account_is_reported_as_frozen_or_locked(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        for status in [Status::Suspended, Status::PendingApproval, Status::Rejected, Status::Locked] {
            server.operate(&jane.account, in_status(status)).await;
            transcript.add(format!("GET {}", status.code()), &jane.get().await);
            transcript.add(format!("PATCH {}", status.code()), &jane.patch(r#"{"nickname":"J"}"#).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > GET SUSPENDED
        > PATCH SUSPENDED
        > GET PENDING_APPROVAL
        > PATCH PENDING_APPROVAL
        > GET REJECTED
        > PATCH REJECTED
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"abnormal_user_status","error_description":"User is frozen."}

        > GET LOCKED
        > PATCH LOCKED
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"abnormal_user_status","error_description":"User is locked."}
        "#);
        assert_eq!(jane.stored().await.text(selfsame::account::Field::Nickname), None);
    }
);

on_both_databases!(
    async fn every_token_of_a_closed_tenant_is_refused(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut tenant = server.tenant.clone();
        tenant.status = TenantStatus::Inactive;
        server.app.store().set_tenant(&tenant).await.unwrap();
        let answer = jane.get().await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, ""));
        assert_eq!(jane.client.send(serde_json::json!({"phone_number": "13800138000"})).await.status, 401);
        tenant.status = TenantStatus::Active;
        tenant.valid_until = Some(server.app.now());
        server.app.store().set_tenant(&tenant).await.unwrap();
        assert_eq!(jane.get().await.status, 401);
    }
);

on_both_databases!(
    async fn revoking_everything_of_an_account_ends_its_tokens_and_its_sign_ins(server: Server) {
        let jane = AppUser::new(&server).await;
        let tokens = jane.client.tokens(&jane.account).await;
        server.pass(std::time::Duration::from_secs(1));
        server.app.store().revoke_tokens_before(jane.account.id, server.app.now()).await.unwrap();
        assert_eq!(jane.get().await.status, 401);
        let refreshed = jane.client.ask(serde_json::json!({
            "grant_type": "refresh_token", "refresh_token": tokens.refresh_token,
        }));
        assert_eq!(refreshed.await.status, 400);
        // A sign-in in the same second as the revocation is accepted.
        let again = jane.client.token(&jane.account).await;
        assert_eq!(server.request("GET", USERINFO).bearer(&again).send().await.status, 200);
    }
);

//! Accounts and tenants that may not be used.

use std::time::Duration;

use selfsame::account::{Portal, Status, TenantStatus};

use super::{UPDATE, admin};
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn each_state_of_an_account_has_its_answer(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for status in [Status::Suspended, Status::Locked, Status::PendingApproval, Status::Rejected, Status::Closed] {
            admin.operate(|patch| patch.status = Some(status)).await;
            transcript.add(format!("{} GET", status.code()), &admin.read().await);
            transcript.add(format!("{} POST", status.code()), &admin.update("{}").await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > SUSPENDED GET
        > SUSPENDED POST
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is suspended"}

        > LOCKED GET
        > LOCKED POST
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is locked"}

        > PENDING_APPROVAL GET
        > PENDING_APPROVAL POST
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is pending approval"}

        > REJECTED GET
        > REJECTED POST
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Account is rejected"}

        > CLOSED GET
        > CLOSED POST
        401 Unauthorized
        content-language: en
        content-type: application/json
        vary: Accept-Language
        www-authenticate: Bearer realm="system", error="invalid_token"

        {"success":false,"code":"4010","message":"Invalid or expired token"}
        "#);
    }
);

on_both_databases!(
    async fn an_account_that_is_active_again_can_be_used_with_the_same_token(server: Server) {
        let admin = admin(&server).await;
        let set = async |status| admin.operate(|patch| patch.status = Some(status)).await;
        set(Status::Suspended).await;
        assert_eq!(admin.read().await.status, 403);
        set(Status::Active).await;
        assert_eq!(admin.read().await.status, 200);
    }
);

on_both_databases!(
    async fn an_account_of_another_portal_is_denied(server: Server) {
        let admin = admin(&server).await;
        let mut transcript = Transcript::default();
        for portal in [Portal::Tenant, Portal::Partner, Portal::Consumer] {
            admin.operate(|patch| patch.portal = Some(portal)).await;
            transcript.add(format!("{} GET", portal.code()), &admin.read().await);
            transcript.add(format!("{} POST", portal.code()), &admin.update("{}").await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > TENANT GET
        > TENANT POST
        > PARTNER GET
        > PARTNER POST
        > CONSUMER GET
        > CONSUMER POST
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}
        "#);
    }
);

on_both_databases!(
    async fn accounts_of_a_closed_tenant_are_denied(server: Server) {
        let admin = admin(&server).await;
        let end = server.app.now().checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
        let store = server.app.store();
        let mut tenant = server.tenant.clone();
        tenant.status = TenantStatus::Inactive;
        store.set_tenant(&tenant).await.unwrap();
        let mut transcript = Transcript::default();
        transcript.add("inactive", &admin.read().await);
        (tenant.status, tenant.valid_until) = (TenantStatus::Active, Some(end));
        store.set_tenant(&tenant).await.unwrap();
        assert_eq!(admin.read().await.status, 200);
        server.pass(Duration::from_secs(60));
        transcript.add("ended", &admin.read().await);
        insta::assert_snapshot!(transcript, @r#"
        > inactive
        > ended
        403 Forbidden
        content-language: en
        content-type: application/json
        vary: Accept-Language

        {"success":false,"code":"4030","message":"Access denied"}
        "#);
    }
);

on_both_databases!(
    async fn a_refused_account_is_not_changed(server: Server) {
        let admin = admin(&server).await;
        let suspended = admin.operate(|patch| patch.status = Some(Status::Suspended)).await;
        let update = admin.request("POST", UPDATE).json(r#"{"accountName":"Jane Admin"}"#).send().await;
        assert_eq!(update.status, 403);
        assert_eq!(admin.stored().await, suspended);
    }
);

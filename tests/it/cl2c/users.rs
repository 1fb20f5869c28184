//! The account that a request concerns, and accounts that are refused.

use selfsame::account::{Patch, Status};
use uuid::Uuid;

use super::{JOHN, NOBODY, add, id, john, path_of, status, user};
use crate::support::{Server, Transcript};

/// A change of the account with this identifier, in JSON.
fn change(id: &str) -> String {
    format!(r#"{{"id":{id},"firstName":"Jane","lastName":"Doe"}}"#)
}

on_both_databases!(
    async fn a_key_of_the_tenant_cannot_distinguish_other_tenants_accounts_from_unknown_ones(server: Server) {
        let elsewhere = server.add_tenant("elsewhere").await;
        let stranger = user(&server, &elsewhere, 1, "Stranger").await;
        let back_end = server.back_end(&server.tenant, None).await;
        let mut transcript = Transcript::default();
        for (who, id) in [("another tenant's", stranger.id.to_string()), ("nobody's", NOBODY.to_owned())] {
            transcript.add(format!("read {who}"), &back_end.get(&id).await);
            transcript.add(format!("change {who}"), &back_end.put(change(&format!("{id:?}"))).await);
        }
        for text in ["string", "%FF", "%00", "..%2Fuser"] {
            transcript.add(format!("read {text}"), &back_end.get(text).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > read another tenant's
        > change another tenant's
        > read nobody's
        > change nobody's
        > read string
        > read %FF
        > read %00
        > read ..%2Fuser
        404 Not Found
        content-type: application/json

        {"messages":["User Not Found."],"source":"API Gateway","exception":"NotFoundException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":404}
        "#);
        assert_eq!(server.account(&stranger).await, stranger);
    }
);

on_both_databases!(
    async fn an_account_of_another_tenant_is_not_even_read(server: Server) {
        let elsewhere = server.add_tenant("elsewhere").await;
        let stranger = user(&server, &elsewhere, 1, "Stranger").await;
        let own = user(&server, &server.tenant, 2, "Own").await;
        // Reading any of these rows fails.
        server.database().execute("UPDATE account SET personal_key = 99").await;
        let back_end = server.back_end(&server.tenant, None).await;
        assert_eq!(back_end.get(own.id).await.status, 500);
        assert_eq!(back_end.get(stranger.id).await.status, 404);
        assert_eq!(back_end.put(change(&format!("\"{}\"", stranger.id))).await.status, 404);
    }
);

on_both_databases!(
    async fn a_bound_key_is_refused_every_account_but_its_own(server: Server) {
        let john = john(&server).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        let stranger = user(&server, &elsewhere, 1, "Stranger").await;
        let neighbour = user(&server, &server.tenant, 2, "Neighbour").await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        for (who, id) in [
            ("a neighbour's", neighbour.id.to_string()),
            ("another tenant's", stranger.id.to_string()),
            ("nobody's", NOBODY.to_owned()),
        ] {
            transcript.add(format!("read {who}"), &back_end.get(&id).await);
            transcript.add(format!("change {who}"), &back_end.put(change(&format!("{id:?}"))).await);
        }
        for text in ["string", "%FF"] {
            transcript.add(format!("read {text}"), &back_end.get(text).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > read a neighbour's
        > change a neighbour's
        > read another tenant's
        > change another tenant's
        > read nobody's
        > change nobody's
        > read string
        > read %FF
        403 Forbidden
        content-type: application/json

        {"messages":["You are not authorized to access this resource."],"source":"API Gateway","exception":"ForbiddenException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":403}
        "#);
        assert_eq!(server.account(&neighbour).await, neighbour);
        assert_eq!(back_end.get(JOHN).await.status, 200);
        assert_eq!(back_end.get(JOHN.to_uppercase()).await.status, 200);
    }
);

on_both_databases!(
    async fn a_bound_key_needs_no_identifier_and_ignores_other_text(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        transcript.add("absent", &back_end.put(r#"{"firstName":"Jane","lastName":"Doe"}"#).await);
        let own = format!("{JOHN:?}");
        for id in ["null", r#""""#, r#""string""#, r#""user_id""#, &own, &own.to_uppercase()] {
            transcript.add(id, &back_end.put(change(id)).await);
        }
        for id in ["7", "true", "[]", "{}", r#""a\u0000b""#] {
            transcript.add(id, &back_end.put(change(id)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > absent
        > null
        > ""
        > "string"
        > "user_id"
        > "3fa85f64-5717-4562-b3fc-2c963f66afa6"
        > "3FA85F64-5717-4562-B3FC-2C963F66AFA6"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","userName":"john_doe","firstName":"Jane","lastName":"Doe","email":"john.doe@example.com","emailConfirmed":true,"authenticated":true,"authValidUpto":"2024-11-05T19:42:26.587Z","authLocation":"USA","phoneNumber":"+1234567890","walletAddress":"0x123456789ABCDEF"}

        > 7
        > true
        > []
        > {}
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["The value must be a string."]}}

        > "a\u0000b"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["The value must not contain control characters."]}}
        "#);
    }
);

on_both_databases!(
    async fn a_key_of_the_tenant_needs_an_identifier(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let mut transcript = Transcript::default();
        transcript.add("absent", &back_end.put(r#"{"firstName":"Jane","lastName":"Doe"}"#).await);
        let own = format!("{JOHN:?}");
        for id in ["null", r#""""#, r#""string""#, r#""user_id""#, "7", "true", "[]", "{}", r#""a\u0000b""#, &own] {
            transcript.add(id, &back_end.put(change(id)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > absent
        > null
        > ""
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["User ID is required"]}}

        > "string"
        > "user_id"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["Invalid user ID format"]}}

        > 7
        > true
        > []
        > {}
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["The value must be a string."]}}

        > "a\u0000b"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"id":["The value must not contain control characters."]}}

        > "3fa85f64-5717-4562-b3fc-2c963f66afa6"
        200 OK
        cache-control: private, no-cache
        content-type: application/json

        {"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","userName":"john_doe","firstName":"Jane","lastName":"Doe","email":"john.doe@example.com","emailConfirmed":true,"authenticated":true,"authValidUpto":"2024-11-05T19:42:26.587Z","authLocation":"USA","phoneNumber":"+1234567890","walletAddress":"0x123456789ABCDEF"}
        "#);
    }
);

on_both_databases!(
    async fn text_that_is_not_an_identifier_finds_no_account_not_even_the_nil_one(server: Server) {
        let nil = add(&server, &server.tenant, selfsame::account::AccountId(Uuid::nil()), Patch::default()).await;
        let back_end = server.back_end(&server.tenant, None).await;
        assert_eq!(back_end.get(nil.id).await.status, 200);
        assert_eq!(back_end.get("string").await.status, 404);
    }
);

on_both_databases!(
    async fn an_account_that_may_not_be_used_is_refused_in_every_state(server: Server) {
        let john = john(&server).await;
        let keys = [server.back_end(&server.tenant, Some(john.id)).await, server.back_end(&server.tenant, None).await];
        let mut transcript = Transcript::default();
        for state in Status::ALL.iter().copied().filter(|state| *state != Status::Active) {
            server.operate(&john, status(state)).await;
            let before = server.account(&john).await;
            for (back_end, key) in keys.iter().zip(["bound key", "key of the tenant"]) {
                transcript.add(format!("{state:?}, {key}: read"), &back_end.get(JOHN).await);
                let answer = back_end.put(change(&format!("{JOHN:?}"))).await;
                transcript.add(format!("{state:?}, {key}: change"), &answer);
            }
            assert_eq!(server.account(&john).await, before);
        }
        insta::assert_snapshot!(transcript, @r#"
        > PendingApproval, bound key: read
        > PendingApproval, bound key: change
        > PendingApproval, key of the tenant: read
        > PendingApproval, key of the tenant: change
        > Rejected, bound key: read
        > Rejected, bound key: change
        > Rejected, key of the tenant: read
        > Rejected, key of the tenant: change
        > Locked, bound key: read
        > Locked, bound key: change
        > Locked, key of the tenant: read
        > Locked, key of the tenant: change
        > Suspended, bound key: read
        > Suspended, bound key: change
        > Suspended, key of the tenant: read
        > Suspended, key of the tenant: change
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["User Not Active. Please contact the administrator."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > Closed, bound key: read
        > Closed, bound key: change
        > Closed, key of the tenant: read
        > Closed, key of the tenant: change
        404 Not Found
        content-type: application/json

        {"messages":["User Not Found."],"source":"API Gateway","exception":"NotFoundException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":404}
        "#);
    }
);

on_both_databases!(
    async fn a_key_whose_account_is_gone_finds_no_account(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        server.database().execute("DELETE FROM account").await;
        let mut transcript = Transcript::default();
        transcript.add("read its own", &back_end.get(JOHN).await);
        transcript.add("change its own", &back_end.put(r#"{"firstName":"Jane","lastName":"Doe"}"#).await);
        transcript.add("read another", &back_end.get(id(9)).await);
        insta::assert_snapshot!(transcript, @r#"
        > read its own
        > change its own
        404 Not Found
        content-type: application/json

        {"messages":["User Not Found."],"source":"API Gateway","exception":"NotFoundException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":404}

        > read another
        403 Forbidden
        content-type: application/json

        {"messages":["You are not authorized to access this resource."],"source":"API Gateway","exception":"ForbiddenException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":403}
        "#);
    }
);

on_both_databases!(
    async fn a_key_never_leaves_its_tenant_even_when_bound_to_an_account_of_another(server: Server) {
        let elsewhere = server.add_tenant("elsewhere").await;
        let stranger = user(&server, &elsewhere, 1, "Stranger").await;
        let back_end = server.back_end(&server.tenant, Some(stranger.id)).await;
        assert_eq!(back_end.get(stranger.id).await.status, 404);
        assert_eq!(back_end.put(r#"{"firstName":"Jane","lastName":"Doe"}"#).await.status, 404);
        assert_eq!(server.account(&stranger).await, stranger);
        // The key is not valid in the account's tenant either.
        let there = server.request("GET", &path_of(stranger.id)).header("tenant", "elsewhere");
        assert_eq!(there.header("X-API-Key", &back_end.secret).send().await.status, 401);
    }
);

//! Credentials: the tenant, the key, and the tenant's state.

use std::time::Duration;

use selfsame::account::TenantStatus;
use selfsame::identity::api_key;

use super::{JOHN, john, path_of};
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn a_request_without_exactly_one_known_tenant_is_refused(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let path = path_of(JOHN);
        let mut transcript = Transcript::default();
        for (what, path, tenants) in [
            ("none", path.clone(), &[] as &[&str]),
            ("an empty one", path.clone(), &[""]),
            ("an unknown one", path.clone(), &["nobody"]),
            ("the name in another case", path.clone(), &["Demo"]),
            ("two", path.clone(), &["demo", "demo"]),
            ("one in the query", format!("{path}?tenant=demo"), &[]),
        ] {
            let mut request = server.request("GET", &path).header("X-API-Key", &back_end.secret);
            for tenant in tenants {
                request = request.header("tenant", tenant);
            }
            transcript.add(what, &request.settle().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > none
        > an empty one
        > an unknown one
        > the name in another case
        > two
        > one in the query
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Invalid Tenant."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}
        "#);
    }
);

on_both_databases!(
    async fn a_request_without_exactly_one_valid_key_is_refused(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        let stranger = server.back_end(&elsewhere, None).await;
        let revoked = server.back_end(&server.tenant, None).await;
        revoked.revoke().await;
        let expired = server.back_end_until(&server.tenant, None, Some(server.app.now())).await;
        let unknown = api_key::mint();
        let mistyped = back_end.secret.replacen(|c: char| c.is_ascii_digit(), "x", 1);

        let mut transcript = Transcript::default();
        for (what, keys) in [
            ("none", vec![]),
            ("an empty one", vec![""]),
            ("no key at all", vec!["your-api-key"]),
            ("one with a slip", vec![&mistyped]),
            ("one in upper case", vec![&back_end.secret.to_uppercase()]),
            ("an unknown one", vec![&unknown]),
            ("a revoked one", vec![&revoked.secret]),
            ("an expired one", vec![&expired.secret]),
            ("another tenant's", vec![&stranger.secret]),
            ("the same twice", vec![&back_end.secret, &back_end.secret]),
        ] {
            let mut request = server.request("GET", &path_of(JOHN)).header("tenant", "demo");
            for key in keys {
                request = request.header("X-API-Key", key);
            }
            transcript.add(what, &request.settle().await);
        }
        let request = server.request("GET", &format!("{}?X-API-Key={}", path_of(JOHN), back_end.secret));
        transcript.add("in the query", &request.header("tenant", "demo").settle().await);
        let request = server.request("GET", &path_of(JOHN)).bearer(&back_end.secret);
        transcript.add("as a bearer token", &request.header("tenant", "demo").settle().await);
        insta::assert_snapshot!(transcript, @r#"
        > none
        > an empty one
        > no key at all
        > one with a slip
        > one in upper case
        > an unknown one
        > a revoked one
        > an expired one
        > another tenant's
        > the same twice
        > in the query
        > as a bearer token
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Authentication Failed."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}
        "#);
        assert_eq!(back_end.get(JOHN).await.status, 200);
    }
);

on_both_databases!(
    async fn header_names_are_case_insensitive_and_space_around_values_is_ignored(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        for (tenant, key) in [("Tenant", "x-api-key"), ("TENANT", "X-API-KEY"), ("tenant", "X-Api-Key")] {
            let request = server.request("GET", &path_of(JOHN)).header(tenant, " demo \t");
            let answer = request.header(key, &format!("\t{}  ", back_end.secret)).settle().await;
            assert_eq!(answer.status, 200, "{tenant} {key}: {answer}");
        }
    }
);

on_both_databases!(
    async fn inactive_and_expired_tenants_are_refused_with_the_reason(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let mut tenant = server.tenant.clone();
        let mut transcript = Transcript::default();

        tenant.status = TenantStatus::Inactive;
        server.app.store().set_tenant(&tenant).await.unwrap();
        transcript.add("inactive", &back_end.get(JOHN).await);
        tenant.valid_until = Some(server.app.now());
        server.app.store().set_tenant(&tenant).await.unwrap();
        transcript.add("inactive and over", &back_end.get(JOHN).await);
        tenant.status = TenantStatus::Active;
        server.app.store().set_tenant(&tenant).await.unwrap();
        transcript.add("over", &back_end.get(JOHN).await);
        insta::assert_snapshot!(transcript, @r#"
        > inactive
        > inactive and over
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Tenant is not Active. Please contact the Application Administrator."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}

        > over
        401 Unauthorized
        content-type: application/json
        www-authenticate: ApiKey realm="cl2c"

        {"messages":["Tenant Validity Has Expired. Please contact the Application Administrator."],"source":"API Gateway","exception":"UnauthorizedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":401}
        "#);

        // Only a caller with a valid key may learn the tenant's state.
        let stranger = server.request("GET", &path_of(JOHN)).header("tenant", "demo").header("X-API-Key", "x");
        assert!(stranger.send().await.body.contains("Authentication Failed."));

        tenant.valid_until = Some(server.app.now() + Duration::from_secs(10));
        server.app.store().set_tenant(&tenant).await.unwrap();
        server.pass(Duration::from_secs(9));
        assert_eq!(back_end.get(JOHN).await.status, 200);
        server.pass(Duration::from_secs(1));
        assert_eq!(back_end.get(JOHN).await.status, 401);
    }
);

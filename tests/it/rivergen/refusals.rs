//! Which requests are refused, and the error responses.

use selfsame::account::{AccountId, Contract, Patch, Status, Tenant, TenantStatus};
use selfsame::identity::Grant;

use super::{Jane, ME, PROFILE, faults};
use crate::support::{Database, HOUR, Server, Transcript};

on_both_databases!(
    async fn a_request_without_a_valid_token_is_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        let get = || server.request("GET", ME);
        transcript.add("nothing", &get().send().await);
        transcript.add("garbage", &get().bearer("none").send().await);
        transcript.add("another scheme", &get().header("Authorization", "Basic amFuZTp4").send().await);
        transcript.add("twice", &get().bearer(&jane.token).bearer(&jane.token).send().await);
        transcript.add("a change", &server.request("PUT", PROFILE).bearer("none").json("{}").send().await);
        server.pass(std::time::Duration::from_secs(3700));
        transcript.add("expired", &jane.get().await);
        insta::assert_snapshot!(transcript, @r#"
        > nothing
        401 Unauthorized
        content-type: application/json
        www-authenticate: Bearer realm="rivergen"

        {"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid or missing token","timestamp":"2026-03-20T14:30:00Z"},"message":"Invalid or missing token"}

        > garbage
        > another scheme
        > twice
        > a change
        401 Unauthorized
        content-type: application/json
        www-authenticate: Bearer realm="rivergen", error="invalid_token"

        {"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid or missing token","timestamp":"2026-03-20T14:30:00Z"},"message":"Invalid or missing token"}

        > expired
        401 Unauthorized
        content-type: application/json
        www-authenticate: Bearer realm="rivergen", error="invalid_token"

        {"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid or missing token","timestamp":"2026-03-20T15:31:40Z"},"message":"Invalid or missing token"}
        "#);
    }
);

on_both_databases!(
    async fn a_revoked_token_is_refused_before_it_expires(server: Server) {
        let jane = Jane::new(&server).await;
        let grant = Grant {
            account: jane.account.id,
            contract: Contract::RiverGen,
            scope: None,
            client_hash: None,
            lifetime: HOUR,
        };
        let issued = server.issue(grant).await;
        let ask = || server.request("GET", ME).bearer(&issued.token).send();
        assert_eq!(ask().await.status, 200);
        let revocation = server.app.keys().revocation(server.app.issuer().name(), &issued.token_id);
        server.app.store().revoke_token(None, revocation, issued.expires_at).await.unwrap();
        insta::assert_snapshot!(ask().await, @r#"
        401 Unauthorized
        content-type: application/json
        www-authenticate: Bearer realm="rivergen", error="invalid_token"

        {"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid or missing token","timestamp":"2026-03-20T14:30:00Z"},"message":"Invalid or missing token"}
        "#);
        // Other tokens of the account stay valid until all of them are revoked.
        assert_eq!(jane.get().await.status, 200);
        server.pass(std::time::Duration::from_secs(1));
        server.app.store().revoke_tokens_before(jane.account.id, server.app.now()).await.unwrap();
        assert_eq!(jane.get().await.status, 401);
        assert_eq!(jane.put("{}").await.status, 401);
    }
);

on_both_databases!(
    async fn inactive_accounts_and_tokens_of_other_contracts_are_refused(server: Server) {
        let mut transcript = Transcript::default();
        for status in [Status::Suspended, Status::Locked, Status::PendingApproval, Status::Rejected, Status::Closed] {
            let jane = Jane::unknown(&server).await;
            let mut patch = Patch::default();
            patch.status = Some(status);
            server.operate(&jane.account, patch).await;
            transcript.add(format!("{status:?}"), &jane.put("{}").await);
        }
        let jane = Jane::new(&server).await;
        let token = server.token(&jane.account, Contract::System).await;
        transcript.add("a token for System", &server.request("GET", ME).bearer(&token).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > Suspended
        > Locked
        > PendingApproval
        > Rejected
        403 Forbidden
        content-type: application/json

        {"success":false,"error":{"code":"PERMISSION_DENIED","message":"User account is disabled","timestamp":"2026-03-20T14:30:00Z"},"message":"User account is disabled"}

        > Closed
        401 Unauthorized
        content-type: application/json
        www-authenticate: Bearer realm="rivergen", error="invalid_token"

        {"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid or missing token","timestamp":"2026-03-20T14:30:00Z"},"message":"Invalid or missing token"}

        > a token for System
        403 Forbidden
        content-type: application/json

        {"success":false,"error":{"code":"PERMISSION_DENIED","message":"Permission denied","timestamp":"2026-03-20T14:30:00Z"},"message":"Permission denied"}
        "#);
    }
);

on_both_databases!(
    async fn tokens_without_an_account_or_of_a_closed_tenant_are_refused(server: Server) {
        let mut transcript = Transcript::default();
        let account = AccountId(server.app.new_id());
        let grant = Grant { account, contract: Contract::RiverGen, scope: None, client_hash: None, lifetime: HOUR };
        let of_nobody = server.issue(grant).await.token;
        transcript.add("nobody", &server.request("GET", ME).bearer(&of_nobody).send().await);
        let jane = Jane::new(&server).await;
        let closed = Tenant { status: TenantStatus::Inactive, ..server.tenant.clone() };
        server.app.store().set_tenant(&closed).await.unwrap();
        transcript.add("a tenant out of use", &jane.get().await);
        let over = Tenant { valid_until: Some(server.app.now()), ..server.tenant.clone() };
        server.app.store().set_tenant(&over).await.unwrap();
        transcript.add("a tenant whose time is over", &jane.put("{}").await);
        insta::assert_snapshot!(transcript, @r#"
        > nobody
        401 Unauthorized
        content-type: application/json
        www-authenticate: Bearer realm="rivergen", error="invalid_token"

        {"success":false,"error":{"code":"UNAUTHORIZED","message":"Invalid or missing token","timestamp":"2026-03-20T14:30:00Z"},"message":"Invalid or missing token"}

        > a tenant out of use
        > a tenant whose time is over
        403 Forbidden
        content-type: application/json

        {"success":false,"error":{"code":"PERMISSION_DENIED","message":"Permission denied","timestamp":"2026-03-20T14:30:00Z"},"message":"Permission denied"}
        "#);
        server.app.store().set_tenant(&server.tenant).await.unwrap();
        assert_eq!(jane.get().await.status, 200);
    }
);

on_both_databases!(
    async fn other_methods_and_paths_are_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            transcript.add(format!("{method} {PROFILE}"), &jane.request(method, PROFILE).send().await);
        }
        for method in ["PUT", "POST", "PATCH", "DELETE"] {
            transcript.add(format!("{method} {ME}"), &jane.request(method, ME).send().await);
        }
        for path in ["/api/v1/auth/me/", "/api/v1/auth/me/none", "/api/v1/auth/Me/profile"] {
            transcript.add(path, &jane.request("GET", path).send().await);
        }
        transcript.add("OPTIONS", &server.request("OPTIONS", PROFILE).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > GET /api/v1/auth/me/profile
        > POST /api/v1/auth/me/profile
        > PATCH /api/v1/auth/me/profile
        > DELETE /api/v1/auth/me/profile
        405 Method Not Allowed
        allow: PUT, OPTIONS
        content-type: application/json

        {"success":false,"error":{"code":"METHOD_NOT_ALLOWED","message":"Method not allowed","timestamp":"2026-03-20T14:30:00Z"},"message":"Method not allowed"}

        > PUT /api/v1/auth/me
        > POST /api/v1/auth/me
        > PATCH /api/v1/auth/me
        > DELETE /api/v1/auth/me
        405 Method Not Allowed
        allow: GET, HEAD, OPTIONS
        content-type: application/json

        {"success":false,"error":{"code":"METHOD_NOT_ALLOWED","message":"Method not allowed","timestamp":"2026-03-20T14:30:00Z"},"message":"Method not allowed"}

        > /api/v1/auth/me/
        > /api/v1/auth/me/none
        > /api/v1/auth/Me/profile
        404 Not Found
        content-type: application/json

        {"success":false,"error":{"code":"RESOURCE_NOT_FOUND","message":"Not found","timestamp":"2026-03-20T14:30:00Z"},"message":"Not found"}

        > OPTIONS
        204 No Content
        allow: PUT, OPTIONS
        "#);
    }
);

on_both_databases!(
    async fn bodies_of_other_types_codings_and_sizes_are_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let put = || jane.request("PUT", PROFILE);
        let mut transcript = Transcript::default();
        transcript.add("no type", &put().body("{}").send().await);
        for media_type in ["text/plain", "application/merge-patch+json", "application/json; charset=utf-16"] {
            transcript.add(media_type, &put().header("Content-Type", media_type).body("{}").send().await);
        }
        transcript.add("gzip", &put().header("Content-Encoding", "gzip").json("{}").send().await);
        transcript.add("3 MiB and a byte", &put().json(" ".repeat(3 * 1024 * 1024 + 1)).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > no type
        > text/plain
        > application/merge-patch+json
        > application/json; charset=utf-16
        415 Unsupported Media Type
        content-type: application/json

        {"success":false,"error":{"code":"UNSUPPORTED_MEDIA_TYPE","message":"Unsupported media type","timestamp":"2026-03-20T14:30:00Z"},"message":"Unsupported media type"}

        > gzip
        415 Unsupported Media Type
        accept-encoding: identity
        content-type: application/json

        {"success":false,"error":{"code":"UNSUPPORTED_MEDIA_TYPE","message":"Unsupported media type","timestamp":"2026-03-20T14:30:00Z"},"message":"Unsupported media type"}

        > 3 MiB and a byte
        413 Payload Too Large
        connection: close
        content-type: application/json

        {"success":false,"error":{"code":"PAYLOAD_TOO_LARGE","message":"Request body too large","timestamp":"2026-03-20T14:30:00Z"},"message":"Request body too large"}
        "#);
        let spaced = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
        assert_eq!(put().json(spaced(256 * 1024)).send().await.status, 200);
        assert_eq!(put().json(spaced(256 * 1024 + 1)).send().await.status, 413);
        // The text of the picture, which is none, does not count.
        let picture = |length: usize| format!(r#"{{"profile_image_url":"{}"}}"#, "x".repeat(length - 24));
        assert_eq!(put().json(picture(3 * 1024 * 1024)).send().await.status, 422);
    }
);

on_both_databases!(
    async fn a_body_that_is_not_a_json_object_is_one_error(server: Server) {
        let jane = Jane::new(&server).await;
        let mut transcript = Transcript::default();
        for body in ["", "{", "[]", "null", "7", r#"{"a":1}x"#, r#"{"unknown":"\u0000"}"#, r#"{"unknown":"\ud800"}"#] {
            transcript.add(format!("{body:?}"), &jane.put(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > ""
        > "{"
        > "[]"
        > "null"
        > "7"
        > "{\"a\":1}x"
        > "{\"unknown\":\"\\u0000\"}"
        > "{\"unknown\":\"\\ud800\"}"
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"body","reason":"invalid JSON"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}
        "#);
    }
);

on_both_databases!(
    async fn one_error_is_reported_alone_and_several_together(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let mut transcript = Transcript::default();
        for body in [
            r#"{"display_name":"","profile":{"bio":"kept out"}}"#,
            r#"{"display_name":"","profile_image_url":"a.png","profile":[]}"#,
        ] {
            transcript.add(body, &jane.put(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > {"display_name":"","profile":{"bio":"kept out"}}
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"display_name","reason":"must not be blank"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}

        > {"display_name":"","profile_image_url":"a.png","profile":[]}
        422 Unprocessable Entity
        content-type: application/json

        {"success":false,"error":{"code":"VALIDATION_ERROR","message":"Request validation failed","details":{"field":"display_name","reason":"must not be blank","errors":[{"field":"display_name","reason":"must not be blank"},{"field":"profile_image_url","reason":"must be an http or https URL or a base64 image data URI"},{"field":"profile","reason":"must be an object"}]},"timestamp":"2026-03-20T14:30:00Z"},"message":"Request validation failed"}
        "#);
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn values_of_the_wrong_type_are_refused(server: Server) {
        let jane = Jane::new(&server).await;
        for value in ["7", "true", r#"["x"]"#, r#"{"a":"x"}"#] {
            for field in ["display_name", "profile_image_url"] {
                let answer = jane.put(format!(r#"{{"{field}":{value}}}"#)).await;
                assert_eq!(answer.status, 422, "{answer}");
                assert_eq!(faults(&answer), [(field.to_owned(), "must be a string".to_owned())]);
            }
        }
    }
);

on_both_databases!(
    async fn too_many_requests_are_refused_with_the_time_to_retry(database: Database) {
        let server = Server::with(database, &[("SELFSAME__RATE_LIMIT__RIVERGEN", "3")]).await;
        let (jane, john) = (Jane::new(&server).await, Jane::unknown(&server).await);
        for _ in 0..3 {
            assert_eq!(jane.get().await.status, 200);
        }
        let mut transcript = Transcript::default();
        transcript.add("read", &jane.get().await);
        transcript.add("change", &jane.put("{}").await);
        insta::assert_snapshot!(transcript, @r#"
        > read
        > change
        429 Too Many Requests
        content-type: application/json
        retry-after: 20
        x-ratelimit-limit: 3
        x-ratelimit-remaining: 0
        x-ratelimit-reset: 1774017020

        {"success":false,"error":{"code":"RATE_LIMITED","message":"Rate limit exceeded","timestamp":"2026-03-20T14:30:00Z"},"message":"Rate limit exceeded"}
        "#);
        assert_eq!(john.get().await.status, 200);
        server.pass(std::time::Duration::from_secs(20));
        assert_eq!(jane.get().await.status, 200);
    }
);

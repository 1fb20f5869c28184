//! Paths and methods.

use super::{JOHN, USER, john, path_of};
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn an_unsupported_method_is_answered_with_405_and_the_allowed_methods(server: Server) {
        let mut transcript = Transcript::default();
        for method in ["GET", "POST", "PATCH", "DELETE", "TRACE", "NONSENSE"] {
            transcript.add(format!("{method} {USER}"), &server.request(method, USER).settle().await);
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            transcript.add(format!("{method} of a user"), &server.request(method, &path_of(JOHN)).settle().await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > GET /v1/cl2c/user
        > POST /v1/cl2c/user
        > PATCH /v1/cl2c/user
        > DELETE /v1/cl2c/user
        > TRACE /v1/cl2c/user
        > NONSENSE /v1/cl2c/user
        405 Method Not Allowed
        allow: PUT, OPTIONS
        content-type: application/json

        {"messages":["Method not allowed."],"source":"API Gateway","exception":"MethodNotAllowedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":405}

        > POST of a user
        > PUT of a user
        > PATCH of a user
        > DELETE of a user
        405 Method Not Allowed
        allow: GET, HEAD, OPTIONS
        content-type: application/json

        {"messages":["Method not allowed."],"source":"API Gateway","exception":"MethodNotAllowedException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":405}
        "#);
    }
);

on_both_databases!(
    async fn an_unknown_path_is_not_found(server: Server) {
        john(&server).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let mut transcript = Transcript::default();
        for path in ["/v1/cl2c", "/v1/cl2c/", "/v1/cl2c/user/", "/v1/cl2c/User", "/v1/cl2c/users", "/v1/cl2c/users/"] {
            transcript.add(format!("GET {path}"), &back_end.request("GET", path).settle().await);
            transcript.add(format!("PUT {path}"), &back_end.request("PUT", path).settle().await);
        }
        let below = format!("{}/roles", path_of(JOHN));
        transcript.add("GET below a user", &back_end.request("GET", &below).settle().await);
        insta::assert_snapshot!(transcript, @r#"
        > GET /v1/cl2c
        > PUT /v1/cl2c
        > GET /v1/cl2c/
        > PUT /v1/cl2c/
        > GET /v1/cl2c/user/
        > PUT /v1/cl2c/user/
        > GET /v1/cl2c/User
        > PUT /v1/cl2c/User
        > GET /v1/cl2c/users
        > PUT /v1/cl2c/users
        > GET /v1/cl2c/users/
        > PUT /v1/cl2c/users/
        > GET below a user
        404 Not Found
        content-type: application/json

        {"messages":["Resource not found."],"source":"API Gateway","exception":"NotFoundException","errorId":"error-UUID","supportMessage":"Please contact support with this error ID.","statusCode":404}
        "#);
    }
);

on_both_databases!(
    async fn options_answers_without_credentials(server: Server) {
        let mut transcript = Transcript::default();
        transcript.add(USER, &server.request("OPTIONS", USER).settle().await);
        transcript.add("a user", &server.request("OPTIONS", &path_of(JOHN)).settle().await);
        insta::assert_snapshot!(transcript, @"
        > /v1/cl2c/user
        204 No Content
        allow: PUT, OPTIONS



        > a user
        204 No Content
        allow: GET, HEAD, OPTIONS
        ");
    }
);

on_both_databases!(
    async fn a_page_of_an_allowed_origin_may_send_the_headers_of_this_contract(database: crate::support::Database) {
        let server = Server::with(database, &[("SELFSAME__SERVER__CORS_ORIGINS", "https://app.example.com")]).await;
        let preflight = server.request("OPTIONS", USER).header("Origin", "https://app.example.com");
        let preflight = preflight.header("Access-Control-Request-Method", "PUT");
        let answer = preflight.header("Access-Control-Request-Headers", "content-type,tenant,x-api-key").send().await;
        assert_eq!(answer.header("access-control-allow-methods"), "PUT, OPTIONS");
        let allowed = answer.header("access-control-allow-headers").to_lowercase();
        for header in ["content-type", "tenant", "x-api-key"] {
            assert!(allowed.split(", ").any(|allowed| allowed == header), "{header}: {allowed}");
        }
    }
);

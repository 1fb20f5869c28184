//! Bodies, methods and paths.

use super::{AppUser, USERINFO};
use crate::support::{Server, Transcript};

on_both_databases!(
    async fn a_body_that_is_not_an_object_is_malformed(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        for body in ["", "{", "[]", "\"x\"", "null", "{} {}", "{\"nickname\":\"\\ud800\"}", "{\"other\":\"\\u0000\"}"] {
            transcript.add(body, &jane.patch(body).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > 
        > {
        > []
        > "x"
        > null
        > {} {}
        > {"nickname":"\ud800"}
        > {"other":"\u0000"}
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Malformed request body."}
        "#);
        let twice = jane.patch(r#"{"nickname":"first","nickname":"last"}"#).await;
        assert_eq!(twice.json()["nickname"], "last");
    }
);

on_both_databases!(
    async fn another_content_type_is_refused_with_the_accepted_one(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        let body = r#"{"nickname":"J"}"#;
        transcript.add("none", &jane.request("PATCH").body(body).send().await);
        for kind in ["application/merge-patch+json", "application/x-www-form-urlencoded", "text/json"] {
            transcript.add(kind, &jane.request("PATCH").header("Content-Type", kind).body(body).send().await);
        }
        transcript.add("gzip", &jane.request("PATCH").header("Content-Encoding", "gzip").json(body).send().await);
        insta::assert_snapshot!(transcript, @r#"
        > none
        > application/merge-patch+json
        > application/x-www-form-urlencoded
        > text/json
        415 Unsupported Media Type
        accept-patch: application/json
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported Content-Type."}

        > gzip
        415 Unsupported Media Type
        accept-encoding: identity
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Unsupported Content-Encoding."}
        "#);
        for kind in ["APPLICATION/JSON", "application/json;charset=UTF-8"] {
            let answer = jane.request("PATCH").header("Content-Type", kind).body(body).send().await;
            assert_eq!(answer.status, 200, "{kind}");
        }
    }
);

on_both_databases!(
    async fn a_body_beyond_64_kib_is_refused(server: Server) {
        let jane = AppUser::new(&server).await;
        let body = |length: usize| format!("{{{}}}", " ".repeat(length - 2));
        assert_eq!(jane.patch(body(64 * 1024)).await.status, 200);
        insta::assert_snapshot!(jane.patch(body(64 * 1024 + 1)).await, @r#"
        413 Payload Too Large
        cache-control: no-store
        connection: close
        content-type: application/json;charset=UTF-8

        {"error":"invalid_request","error_description":"Request body is too large."}
        "#);
    }
);

on_both_databases!(
    async fn other_methods_and_paths_are_refused_without_a_body(server: Server) {
        let mut transcript = Transcript::default();
        for (method, path) in [
            ("PUT", USERINFO),
            ("DELETE", USERINFO),
            ("GET", "/otp/send"),
            ("GET", "/oauth2/token"),
            ("GET", "/oauth2/revoke"),
            ("POST", "/oauth2/jwks"),
            ("POST", "/.well-known/openid-configuration"),
            ("OPTIONS", USERINFO),
            ("OPTIONS", "/otp/send"),
            ("OPTIONS", "/oauth2/token"),
            ("GET", "/userinfo/"),
            ("GET", "/Userinfo"),
            ("GET", "/userinfo/more"),
            ("POST", "/otp"),
            ("POST", "/otp/check"),
            ("GET", "/oauth2/authorize"),
            ("GET", "/.well-known/none"),
        ] {
            transcript.add(format!("{method} {path}"), &server.request(method, path).send().await);
        }
        insta::assert_snapshot!(transcript, @"
        > PUT /userinfo
        > DELETE /userinfo
        405 Method Not Allowed
        allow: GET, HEAD, POST, PATCH, OPTIONS
        cache-control: no-store



        > GET /otp/send
        > GET /oauth2/token
        > GET /oauth2/revoke
        405 Method Not Allowed
        allow: POST, OPTIONS
        cache-control: no-store



        > POST /oauth2/jwks
        > POST /.well-known/openid-configuration
        405 Method Not Allowed
        allow: GET, HEAD, OPTIONS
        cache-control: no-store



        > OPTIONS /userinfo
        204 No Content
        allow: GET, HEAD, POST, PATCH, OPTIONS



        > OPTIONS /otp/send
        > OPTIONS /oauth2/token
        204 No Content
        allow: POST, OPTIONS



        > GET /userinfo/
        > GET /Userinfo
        > GET /userinfo/more
        > POST /otp
        > POST /otp/check
        > GET /oauth2/authorize
        > GET /.well-known/none
        404 Not Found
        cache-control: no-store
        ");
    }
);

on_both_databases!(
    async fn head_is_answered_like_get_without_the_body(server: Server) {
        let jane = AppUser::new(&server).await;
        let (get, head) = (jane.get().await, jane.request("HEAD").send().await);
        assert_eq!(
            (head.status, head.headers.get("content-type"), head.body.as_str()),
            (get.status, get.headers.get("content-type"), "")
        );
    }
);

on_both_databases!(
    async fn only_pages_of_applications_may_read_the_answers(server: Server) {
        let client = server
            .client_with(selfsame::account::Kind::Spa, &[], |application| {
                application.origins = vec!["https://app.example.com".to_owned()];
            })
            .await;
        let jane = AppUser::of(client, server.person(&[]).await).await;
        let from = |method: &str, origin: &str| server.request(method, USERINFO).header("Origin", origin);
        let mut transcript = Transcript::default();
        transcript.add("preflight", &from("OPTIONS", "https://app.example.com").send().await);
        transcript.add("no token", &from("GET", "https://app.example.com").send().await);
        transcript.add("another page", &from("OPTIONS", "https://other.example.com").send().await);
        insta::assert_snapshot!(transcript, @r#"
        > preflight
        204 No Content
        access-control-allow-headers: Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id, X-Requested-With, traceparent, tracestate, baggage, sentry-trace, b3, X-B3-TraceId, X-B3-SpanId, X-B3-ParentSpanId, X-B3-Sampled, X-B3-Flags, uber-trace-id, x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, newrelic
        access-control-allow-methods: GET, HEAD, POST, PATCH, OPTIONS
        access-control-allow-origin: https://app.example.com
        access-control-max-age: 600
        allow: GET, HEAD, POST, PATCH, OPTIONS



        > no token
        400 Bad Request
        access-control-allow-origin: https://app.example.com
        access-control-expose-headers: Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-SC-Version
        cache-control: no-store
        www-authenticate: Bearer error="invalid_request", error_description="Bearer token not found in the request", error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"



        > another page
        204 No Content
        allow: GET, HEAD, POST, PATCH, OPTIONS
        "#);
        let read = from("GET", "https://app.example.com").bearer(&jane.token).send().await;
        assert_eq!(
            (read.status.as_u16(), read.header("access-control-allow-origin")),
            (200, "https://app.example.com")
        );
        let elsewhere = server.request("OPTIONS", "/web/v1/system/profile").header("Origin", "https://app.example.com");
        assert_eq!(elsewhere.send().await.header("access-control-allow-origin"), "");
    }
);

#[tokio::test]
async fn too_many_requests_of_one_person_or_address_are_refused() {
    let settings = [("SELFSAME__RATE_LIMIT__DEFAULT", "2")];
    let server = Server::with(crate::support::Database::sqlite(), &settings).await;
    let jane = AppUser::new(&server).await;
    assert_eq!((jane.get().await.status.as_u16(), jane.get().await.status.as_u16()), (200, 200));
    insta::assert_snapshot!(jane.get().await, @r#"
    429 Too Many Requests
    cache-control: no-store
    content-type: application/json;charset=UTF-8
    retry-after: 30

    {"error":"rate_limit_exceeded","error_description":"Too many requests."}
    "#);
    let settings = [("SELFSAME__RATE_LIMIT__ADDRESS", "3")];
    let server = Server::with(crate::support::Database::sqlite(), &settings).await;
    let post = |path: &'static str| server.request("POST", path).json("{}");
    for (path, status) in [("/otp/send", 401), ("/oauth2/token", 401), ("/oauth2/revoke", 401), ("/otp/send", 429)] {
        assert_eq!(post(path).send().await.status, status, "{path}");
    }
    for path in ["/oauth2/token", "/oauth2/revoke"] {
        let answer = post(path).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "20"), "{path}");
    }
}

/// Each lookup of an origin is a query, so it must not be free for those who may ask nothing else.
#[tokio::test]
async fn the_origin_of_a_page_is_looked_up_only_within_the_limit_of_its_source() {
    let settings = [("SELFSAME__RATE_LIMIT__ADDRESS", "2"), ("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let server = Server::with(crate::support::Database::sqlite(), &settings).await;
    server
        .client_with(selfsame::account::Kind::Spa, &[], |application| {
            application.origins = vec!["https://app.example.com".to_owned()];
        })
        .await;
    let requests = [
        ("GET", USERINFO, 400, 429),
        ("OPTIONS", USERINFO, 204, 204),
        ("DELETE", USERINFO, 405, 405),
        ("GET", "/userinfo/nothing", 404, 404),
        ("POST", "/oauth2/token", 415, 429),
        ("GET", "/oauth2/jwks", 200, 429),
        ("OPTIONS", "/.well-known/openid-configuration", 204, 204),
    ];
    for (last, (method, path, within, beyond)) in (1..).zip(requests) {
        let ask = || server.request(method, path).header("X-Forwarded-For", &format!("203.0.113.{last}"));
        let from_a_page = async || {
            let answer = ask().header("Origin", "https://app.example.com").send().await;
            (answer.status.as_u16(), answer.header("access-control-allow-origin").to_owned())
        };
        // Each request counts once, whether or not the endpoint counts it too.
        for _ in 0..2 {
            assert_eq!(from_a_page().await, (within, "https://app.example.com".to_owned()), "{method} {path}");
        }
        for _ in 0..2 {
            assert_eq!(from_a_page().await, (beyond, String::new()), "{method} {path}");
        }
        assert_eq!(ask().send().await.status, beyond, "{method} {path} without an origin");
    }
}

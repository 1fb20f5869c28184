//! What libraries in a page add to its requests.

use crate::support::{Database, Server};

const ORIGIN: &str = "https://app.example.com";

#[tokio::test]
async fn pages_may_send_the_headers_of_tracing_libraries() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__SERVER__CORS_ORIGINS", ORIGIN)]).await;
    for (library, headers) in [
        ("OpenTelemetry, W3C", "baggage,traceparent,tracestate"),
        ("OpenTelemetry, B3", "b3"),
        ("OpenTelemetry, B3 in several headers", "x-b3-parentspanid,x-b3-sampled,x-b3-spanid,x-b3-traceid,x-b3-flags"),
        ("OpenTelemetry, Jaeger", "uber-trace-id"),
        ("Sentry", "baggage,sentry-trace,traceparent"),
        (
            "Datadog",
            "traceparent,tracestate,x-datadog-origin,x-datadog-parent-id,x-datadog-sampling-priority,x-datadog-trace-id",
        ),
        ("New Relic", "newrelic,traceparent,tracestate"),
        ("jQuery, axios", "x-requested-with"),
    ] {
        for (path, method) in [
            ("/web/v1/system/profile/update", "POST"),
            ("/v1/cl2c/user", "PUT"),
            ("/api/v1/auth/me/profile", "PUT"),
            ("/userinfo", "PATCH"),
        ] {
            let preflight = server.request("OPTIONS", path).header("Origin", ORIGIN);
            let preflight = preflight.header("Access-Control-Request-Method", method);
            let answer = preflight.header("Access-Control-Request-Headers", headers).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
            assert!(answer.header("access-control-allow-methods").contains(method), "{answer}");
            let allowed: Vec<String> =
                answer.header("access-control-allow-headers").split(", ").map(str::to_ascii_lowercase).collect();
            for header in headers.split(',') {
                assert!(allowed.iter().any(|allowed| allowed == header), "{library}: {header}: {allowed:?}");
            }
        }
    }
}

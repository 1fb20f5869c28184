//! Cross-origin requests (the Fetch standard's CORS protocol).

use super::{PROFILE, Person, UPDATE, server_with};
use crate::support::Transcript;

const ORIGINS: (&str, &str) = ("SELFSAME__SERVER__CORS_ORIGINS", "https://app.example.com, http://localhost:5173");
const LISTED: &str = "https://app.example.com";
/// Origins that are not listed, although they resemble listed ones (`null` is sent by pages without an origin).
const OTHERS: [&str; 6] = [
    "https://evil.example.com",
    "https://app.example.com.evil.example",
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://APP.example.com",
    "null",
];

#[tokio::test]
async fn a_listed_origin_may_read_every_answer_and_its_challenge() {
    let server = server_with(&[ORIGINS]).await;
    let person = Person::new(&server).await;
    let mut answers = Transcript::default();
    let update = |body| person.request("POST", UPDATE).json(body).header("Origin", LISTED);
    answers.add("a change", &update(r#"{"accountName":"Jane"}"#).send().await);
    answers.add("a refused change", &update("{").send().await);
    answers.add("no credentials", &server.request("GET", PROFILE).header("Origin", LISTED).send().await);
    answers.add("another contract", &server.request("PUT", "/v1/cl2c/user").header("Origin", LISTED).send().await);
    let headers: Vec<String> = answers
        .to_string()
        .lines()
        .filter(|line| line.starts_with("> ") || line.starts_with("access-control") || line.starts_with("vary"))
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(headers.join("\n"), @"
    > a change
    access-control-allow-origin: https://app.example.com
    access-control-expose-headers: Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-SC-Version
    vary: Accept-Language
    vary: Origin
    > a refused change
    access-control-allow-origin: https://app.example.com
    access-control-expose-headers: Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-SC-Version
    vary: Accept-Language
    vary: Origin
    > no credentials
    access-control-allow-origin: https://app.example.com
    access-control-expose-headers: Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-SC-Version
    vary: Accept-Language
    vary: Origin
    > another contract
    access-control-allow-origin: https://app.example.com
    access-control-expose-headers: Allow, Content-Language, ETag, Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-SC-Version
    vary: Origin
    ");
}

#[tokio::test]
async fn a_listed_origins_preflight_lists_what_it_may_send() {
    let server = server_with(&[ORIGINS]).await;
    let mut answers = Transcript::default();
    for (path, method) in [(PROFILE, "GET"), (UPDATE, "POST"), ("/v1/cl2c/user", "PUT")] {
        let preflight = server.request("OPTIONS", path).header("Origin", "http://localhost:5173");
        let preflight = preflight.header("Access-Control-Request-Method", method);
        let preflight = preflight.header("Access-Control-Request-Headers", "authorization,content-type,x-client-hash");
        answers.add(path, &preflight.send().await);
    }
    insta::assert_snapshot!(answers, @"
    > /web/v1/system/profile
    204 No Content
    access-control-allow-headers: Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id, X-Requested-With, traceparent, tracestate, baggage, sentry-trace, b3, X-B3-TraceId, X-B3-SpanId, X-B3-ParentSpanId, X-B3-Sampled, X-B3-Flags, uber-trace-id, x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, newrelic
    access-control-allow-methods: GET, HEAD, OPTIONS
    access-control-allow-origin: http://localhost:5173
    access-control-max-age: 600
    allow: GET, HEAD, OPTIONS
    vary: Origin



    > /web/v1/system/profile/update
    204 No Content
    access-control-allow-headers: Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id, X-Requested-With, traceparent, tracestate, baggage, sentry-trace, b3, X-B3-TraceId, X-B3-SpanId, X-B3-ParentSpanId, X-B3-Sampled, X-B3-Flags, uber-trace-id, x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, newrelic
    access-control-allow-methods: POST, OPTIONS
    access-control-allow-origin: http://localhost:5173
    access-control-max-age: 600
    allow: POST, OPTIONS
    vary: Origin



    > /v1/cl2c/user
    204 No Content
    access-control-allow-headers: Accept, Accept-Language, Authorization, Content-Type, If-Match, Idempotency-Key, tenant, X-API-Key, X-Client-Hash, X-Request-Id, X-SC-Session-Id, X-SC-Version, X-Secure-Channel-Session-Id, X-Requested-With, traceparent, tracestate, baggage, sentry-trace, b3, X-B3-TraceId, X-B3-SpanId, X-B3-ParentSpanId, X-B3-Sampled, X-B3-Flags, uber-trace-id, x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, newrelic
    access-control-allow-methods: PUT, OPTIONS
    access-control-allow-origin: http://localhost:5173
    access-control-max-age: 600
    allow: PUT, OPTIONS
    vary: Origin
    ");
}

#[tokio::test]
async fn other_origins_are_ignored_and_responses_vary_by_origin() {
    let server = server_with(&[ORIGINS]).await;
    let person = Person::new(&server).await;
    for method in ["GET", "OPTIONS"] {
        let without = person.request(method, PROFILE).send().await;
        assert!(without.headers.get_all("vary").iter().any(|vary| vary == "Origin"), "{without}");
        for origin in OTHERS {
            let answer = person.request(method, PROFILE).header("Origin", origin).send().await;
            assert_eq!(answer.to_string(), without.to_string(), "{method} from {origin}");
        }
        assert!(!without.to_string().contains("access-control"), "{without}");
    }
}

#[tokio::test]
async fn without_listed_origins_no_response_mentions_origins() {
    let server = server_with(&[]).await;
    let person = Person::new(&server).await;
    for method in ["GET", "OPTIONS"] {
        let answer = person.request(method, PROFILE).header("Origin", LISTED).send().await.to_string();
        assert!(!answer.contains("access-control") && !answer.contains("Origin"), "{answer}");
    }
}

/// The server uses no cookies as credentials and never allows a browser to send any.
#[tokio::test]
async fn credentials_of_the_browser_are_never_allowed() {
    let server = server_with(&[ORIGINS]).await;
    for method in ["GET", "OPTIONS", "DELETE"] {
        for path in [PROFILE, UPDATE, "/v1/cl2c/user", "/healthz", "/nothing"] {
            let answer = server.request(method, path).header("Origin", LISTED).send().await;
            assert_eq!(answer.header("access-control-allow-origin"), LISTED, "{method} {path}");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{method} {path}");
        }
    }
}

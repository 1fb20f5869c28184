//! Traces as a collector receives them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::routing::any;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

use super::PROFILE;
use crate::support::program::{Ended, Running};
use crate::support::{Installation, Request};

const ENDPOINT: &str = "SELFSAME__TELEMETRY__OTLP_ENDPOINT";
/// The example from the W3C recommendation (Trace Context §3.2).
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A collector on a free port that stores the traces that it receives.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Starts listening and returns its URL.
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(any(receive)).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, routes).await });
        url
    }

    /// Returns every span with the attributes of the program that sent it.
    fn spans(&self) -> Vec<(String, Span)> {
        let received = self.0.lock().unwrap();
        let resources = received.iter().flat_map(|request| &request.resource_spans);
        let spans = resources.flat_map(|resource| {
            let program = attributes(&resource.resource.as_ref().unwrap().attributes);
            resource.scope_spans.iter().flat_map(|scope| &scope.spans).map(move |span| (program.clone(), span.clone()))
        });
        spans.collect()
    }
}

async fn receive(State(collector): State<Collector>, uri: Uri, headers: HeaderMap, body: Bytes) {
    assert_eq!((uri.path(), headers["content-type"].to_str().unwrap()), ("/v1/traces", "application/x-protobuf"));
    collector.0.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_one_span_with_method_route_and_status_and_no_other_data_of_the_client() {
    let collector = Collector::default();
    let mut installation = Installation::new();
    let (program, url) = serve(&mut installation, &collector.listen().await);
    let client = reqwest::Client::new();
    for (method, path) in [
        ("GET", PROFILE),
        ("GET", "/v1/cl2c/users/philippa@example.com"),
        ("GET", "/healthz?name=philippa"),
        ("GET", "/philippa"),
        ("PHILIPPA", PROFILE),
    ] {
        let request = Request::new(&client, method, &format!("{url}{path}"));
        let request = request.header("User-Agent", "philippa").header("tracestate", "name=philippa");
        request.header("tenant", "philippa").header("X-Request-Id", "philippa").bearer("philippa").send().await;
    }
    let ended = stop(program);

    let spans = collector.spans();
    let mut lines: Vec<String> = spans
        .iter()
        .map(|(program, span)| {
            let seconds = (span.end_time_unix_nano - span.start_time_unix_nano) as f64 / 1e9;
            assert!((0.0..60.0).contains(&seconds), "{seconds}");
            let status = span.status.as_ref().map_or(0, |status| status.code);
            format!(
                "{program} | {} | kind {} | status {status} | {}",
                span.name,
                span.kind,
                attributes(&span.attributes)
            )
        })
        .collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @"
    service.name=selfsame service.version=0.1.0 | GET /healthz | kind 2 | status 0 | http.request.method=GET http.response.status_code=200 http.route=/healthz
    service.name=selfsame service.version=0.1.0 | GET /v1/cl2c/users/{id} | kind 2 | status 0 | http.request.method=GET http.response.status_code=401 http.route=/v1/cl2c/users/{id}
    service.name=selfsame service.version=0.1.0 | GET /web/v1/system/profile | kind 2 | status 0 | http.request.method=GET http.response.status_code=401 http.route=/web/v1/system/profile
    service.name=selfsame service.version=0.1.0 | GET | kind 2 | status 0 | http.request.method=GET http.response.status_code=404
    service.name=selfsame service.version=0.1.0 | HTTP /web/v1/system/profile | kind 2 | status 0 | http.request.method=_OTHER http.response.status_code=405 http.route=/web/v1/system/profile
    ");
    assert!(!format!("{spans:?}").to_lowercase().contains("philippa"));
    assert!(!ended.errors.contains("collector"), "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_span_that_a_request_names_is_its_parent() {
    let collector = Collector::default();
    let mut installation = Installation::new();
    let (program, url) = serve(&mut installation, &collector.listen().await);
    let client = reqwest::Client::new();
    let ask = async |parent: &str| {
        Request::new(&client, "GET", &format!("{url}/healthz")).header("traceparent", parent).send().await;
    };
    ask(PARENT).await;
    ask("not a parent").await;
    ask(&PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32))).await;
    stop(program);

    let spans = collector.spans();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let named: Vec<(String, String)> =
        spans.iter().map(|(_, span)| (hex(&span.trace_id), hex(&span.parent_span_id))).collect();
    assert_eq!(named.len(), 3);
    let child = ("4bf92f3577b34da6a3ce929d0e0e4736".to_owned(), "00f067aa0ba902b7".to_owned());
    assert_eq!(named.iter().filter(|named| **named == child).count(), 1);
    assert_eq!(named.iter().filter(|(trace, parent)| parent.is_empty() && *trace != child.0).count(), 2);
}

/// The upstream caller decides whether a trace is recorded (the `sampled` flag).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_parent_is_not_kept_is_not_sent() {
    let collector = Collector::default();
    let mut installation = Installation::new();
    let (program, url) = serve(&mut installation, &collector.listen().await);
    let request = Request::new(&reqwest::Client::new(), "GET", &format!("{url}/healthz"));
    assert_eq!(request.header("traceparent", &PARENT.replace("-01", "-00")).send().await.status, 200);
    stop(program);
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_or_hangs_does_not_disturb_requests_and_is_logged_once() {
    // A collector that accepts connections without responding, and an address without a collector.
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for address in [hanging.local_addr().unwrap(), away] {
        let mut installation = Installation::new();
        let (program, url) = serve(&mut installation, &format!("http://{address}"));
        let client = reqwest::Client::new();
        for _ in 0..20 {
            assert_eq!(Request::new(&client, "GET", &format!("{url}/healthz")).send().await.status, 200);
        }
        let began = Instant::now();
        let ended = stop(program);
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        if address == away {
            assert_eq!(ended.errors.matches("trace export failed").count(), 1, "{ended}");
        }
    }
}

#[test]
fn without_a_collector_nothing_is_sent() {
    let installation = Installation::new();
    let (program, _) = installation.serve();
    let ended = stop(program);
    assert!(!ended.errors.contains("collector"), "{ended}");
}

/// Starts the server with traces and returns its URL.
fn serve(installation: &mut Installation, collector: &str) -> (Running, String) {
    installation.set(ENDPOINT, collector);
    let (program, address) = installation.serve();
    (program, format!("http://{address}"))
}

/// Stops a program gracefully, which makes it send its remaining traces.
fn stop(program: Running) -> Ended {
    program.terminate();
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    ended
}

fn attributes(attributes: &[KeyValue]) -> String {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let mut said: Vec<String> = attributes.iter().map(|said| format!("{}={}", said.key, text(&said.value))).collect();
    said.sort();
    said.retain(|said| !said.starts_with("telemetry.sdk."));
    said.join(" ")
}

//! Traces for an OpenTelemetry collector (OTLP over HTTP): one span per request, with its method, route and status, and
//! nothing else from the client.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, StatusCode};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{self, SdkTracer, SdkTracerProvider, SpanData};

/// How long the collector may take for one batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the process waits for the last batch.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

static TRACES: OnceLock<Traces> = OnceLock::new();

struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// The span of a request in flight; it ends when this is dropped at the latest.
pub(crate) struct Trace(trace::Span);

/// Starts sending traces to a collector, in batches on a separate thread. An unavailable collector loses spans but delays no
/// request.
///
/// `endpoint` is the collector's URL; traces go to `/v1/traces` below it.
pub fn start(endpoint: &str) -> Result<(), ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).with_attribute(version).build();
    let provider =
        SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(LoggedExporter::new(exporter)).build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    // A second start in one process keeps the first.
    let _ = TRACES.set(Traces { provider, tracer });
    Ok(())
}

/// Sends the remaining spans. Must be called outside every asynchronous runtime, since it blocks.
pub fn stop() {
    if let Some(Traces { provider, .. }) = TRACES.get() {
        // The exporter has logged the error.
        let _ = provider.shutdown_with_timeout(STOP_TIMEOUT);
    }
}

/// Begins the span of a request, as a child of the one that its `traceparent` names (W3C Trace Context §3.2); `None` if
/// traces are off. Names and attributes are those of OpenTelemetry's semantic conventions for HTTP servers.
pub(crate) fn begin(request: &Request) -> Option<Trace> {
    let Traces { tracer, .. } = TRACES.get()?;
    let (method, verb) = match super::method(request.method()) {
        "other" => ("_OTHER", "HTTP"),
        method => (method, method),
    };
    let mut attributes = vec![KeyValue::new("http.request.method", method)];
    let mut name = verb.to_owned();
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        name = format!("{verb} {}", route.as_str());
        attributes.push(KeyValue::new("http.route", route.as_str().to_owned()));
    }
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(request.headers()));
    let span = tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(attributes);
    Some(Trace(span.start_with_context(tracer, &parent)))
}

impl Trace {
    /// Ends the span with the status of the response.
    pub(crate) fn end(mut self, status: StatusCode) {
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            self.0.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            self.0.set_status(Status::error(""));
        }
        self.0.end();
    }
}

/// A request's `traceparent`, and not its `tracestate`, which is for downstream services and has content chosen by the
/// client.
struct Parent<'a>(&'a HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).filter(|_| name == "traceparent")?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// An exporter that logs when the collector becomes unavailable and when it is available again, instead of each lost batch.
struct LoggedExporter {
    exporter: SpanExporter,
    away: AtomicBool,
}

impl LoggedExporter {
    fn new(exporter: SpanExporter) -> LoggedExporter {
        LoggedExporter { exporter, away: AtomicBool::new(false) }
    }
}

impl fmt::Debug for LoggedExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exporter.fmt(formatter)
    }
}

impl trace::SpanExporter for LoggedExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        match (&exported, self.away.swap(exported.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => tracing::warn!(%error, "trace export failed"),
            (Ok(()), true) => tracing::info!("trace export recovered"),
            _ => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

//! Metrics: their names, and the recorder that keeps them for Prometheus.
//!
//! Labels are few and bounded: a contract, an outcome, an issuer of the configuration; never anything that a client chooses.

pub mod traces;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use crate::account::Error;

/// Requests by contract, method and status.
const REQUESTS: &str = "selfsame_requests_total";
/// Seconds from a request's header to its response, by contract.
const REQUEST_SECONDS: &str = "selfsame_request_duration_seconds";
/// Seconds that the database took, by kind of work (read, write, commit) and outcome.
const STORE_SECONDS: &str = "selfsame_store_duration_seconds";
/// Seconds that work waited for a free PostgreSQL connection.
const POOL_WAIT_SECONDS: &str = "selfsame_postgres_pool_wait_seconds";
/// Changes that one SQLite commit made durable.
const GROUP_SIZE: &str = "selfsame_sqlite_group_size";
/// Changes that one statement committed in PostgreSQL.
const BATCH_SIZE: &str = "selfsame_postgres_batch_size";
/// Work that waits for the SQLite writer.
const QUEUE_DEPTH: &str = "selfsame_sqlite_queue_depth";
/// Tokens, by whether their verified signature was cached.
const TOKENS: &str = "selfsame_tokens_total";
/// Tokens refused, by the rule that they break.
const TOKENS_REFUSED: &str = "selfsame_tokens_refused_total";
/// Attempts to fetch a trusted issuer's keys, by issuer and outcome.
const ISSUER_REFRESHES: &str = "selfsame_issuer_refreshes_total";
/// Messages submitted, or not, by medium (label `channel`) and outcome.
const MESSAGES: &str = "selfsame_messages_total";
/// Requests refused by a rate limit, by limit.
const RATE_LIMITED: &str = "selfsame_rate_limited_total";
/// Connections, requests and bodies beyond what all clients or one source network may have, by resource and by whose limit.
const EXHAUSTED: &str = "selfsame_exhausted_total";

/// Bounds of the buckets that durations are counted in, in seconds.
const SECONDS: [f64; 14] =
    [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Bounds of the buckets that group sizes are counted in.
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Installs the recorder of metrics in this process; without it they cost next to nothing.
pub fn record() -> Result<PrometheusHandle, BuildError> {
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    use metrics_exporter_prometheus::Matcher::{Full, Suffix};
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Full(GROUP_SIZE.to_owned()), &SIZES)?
        .set_buckets_for_metric(Full(BATCH_SIZE.to_owned()), &SIZES)?
        .install_recorder()?;
    describe();
    Ok(RECORDER.get_or_init(|| handle).clone())
}

/// Drains the samples of histograms, which would otherwise grow without bound.
pub fn run_upkeep() {
    if let Some(handle) = RECORDER.get() {
        handle.run_upkeep();
    }
}

fn describe() {
    describe_counter!(REQUESTS, "Requests by contract, method and status");
    describe_histogram!(REQUEST_SECONDS, "Seconds from a request's header to its answer");
    describe_histogram!(STORE_SECONDS, "Seconds that the database took, by kind of work and outcome");
    describe_histogram!(POOL_WAIT_SECONDS, "Seconds that work waited for a free PostgreSQL connection");
    describe_histogram!(GROUP_SIZE, "Changes that one SQLite commit made durable");
    describe_histogram!(BATCH_SIZE, "Changes that one statement committed in PostgreSQL");
    describe_gauge!(QUEUE_DEPTH, "Work that waits for the SQLite writer");
    describe_counter!(TOKENS, "Tokens by whether their signature was remembered");
    describe_counter!(TOKENS_REFUSED, "Tokens refused, by the rule that they break");
    describe_counter!(ISSUER_REFRESHES, "Attempts to fetch the keys of a trusted issuer");
    describe_counter!(MESSAGES, "Messages handed over, or not, by channel and outcome");
    describe_counter!(RATE_LIMITED, "Requests refused by a rate limit");
    describe_counter!(EXHAUSTED, "Connections, requests and bodies beyond a limit, by resource and by whose limit");
}

/// Measures elapsed time; the only use of the system's monotonic clock.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts a stopwatch.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Returns the time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Records that a request was answered.
pub(crate) fn request(contract: &'static str, method: &'static str, status: StatusCode, took: Stopwatch) {
    counter!(REQUESTS, "contract" => contract, "method" => method, "status" => status.as_str().to_owned()).increment(1);
    histogram!(REQUEST_SECONDS, "contract" => contract).record(took.elapsed());
}

/// Returns the label of a method: clients can invent any number of methods, and the number of labels must not grow with
/// them.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Records a database operation and its outcome; an operation that the database refused counts as `ok`.
pub(crate) fn store<T>(kind: &'static str, took: Stopwatch, result: &Result<T, Error>) {
    let outcome = match result {
        Err(Error::Unavailable(_) | Error::Internal(_)) => "error",
        _ => "ok",
    };
    histogram!(STORE_SECONDS, "kind" => kind, "outcome" => outcome).record(took.elapsed());
}

/// Records how long work waited for a PostgreSQL connection, obtained or not.
pub(crate) fn pool_wait(took: Stopwatch) {
    histogram!(POOL_WAIT_SECONDS).record(took.elapsed());
}

/// Counts work that starts to wait for the SQLite writer.
pub(crate) fn queued() {
    gauge!(QUEUE_DEPTH).increment(1.0);
}

/// Records that the SQLite writer took a group out of its queue.
pub(crate) fn group(size: usize) {
    histogram!(GROUP_SIZE).record(size as f64);
    gauge!(QUEUE_DEPTH).decrement(size as f64);
}

/// Records that changes are committed in PostgreSQL by one statement.
pub(crate) fn batch(size: usize) {
    histogram!(BATCH_SIZE).record(size as f64);
}

/// Counts a token, by whether its verified signature was cached.
pub(crate) fn token(remembered: bool) {
    counter!(TOKENS, "remembered" => if remembered { "yes" } else { "no" }).increment(1);
}

/// Counts a refused token by the rule that it breaks.
pub(crate) fn token_refused(rule: &'static str) {
    counter!(TOKENS_REFUSED, "rule" => rule).increment(1);
}

/// Counts an attempt to fetch a trusted issuer's keys.
pub(crate) fn issuer_refresh(issuer: &str, fetched: bool) {
    let outcome = if fetched { "ok" } else { "error" };
    counter!(ISSUER_REFRESHES, "issuer" => issuer.to_owned(), "outcome" => outcome).increment(1);
}

/// Counts a message, by whether it was submitted.
pub(crate) fn message(channel: &'static str, delivered: bool) {
    let outcome = if delivered { "ok" } else { "error" };
    counter!(MESSAGES, "channel" => channel, "outcome" => outcome).increment(1);
}

/// Counts what was refused because a resource is exhausted, for a source network or for all.
pub(crate) fn exhausted(resource: &'static str, for_network: bool) {
    let limit = if for_network { "network" } else { "all" };
    counter!(EXHAUSTED, "resource" => resource, "limit" => limit).increment(1);
}

/// Counts a request that a rate limit refused.
pub(crate) fn rate_limited(limit: &'static str) {
    counter!(RATE_LIMITED, "limit" => limit).increment(1);
}

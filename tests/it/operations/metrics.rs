//! The metrics and their labels.

use std::collections::BTreeSet;

use super::operator::Watched;
use super::{PROFILE, UPDATE, promtool};
use crate::support::{Answer, Database, Installation, until};

on_both_databases!(
    async fn events_are_counted_and_prometheus_finds_no_error(installation: Installation) {
        let mut installation = installation;
        for (name, value) in UNREACHABLE_ISSUER {
            installation.set(name, value);
        }
        installation.set("SELFSAME__RATE_LIMIT__SYSTEM", "3");
        let watched = Watched::start(&mut installation);
        for status in [200, 200, 200, 429, 429] {
            assert_eq!(profile(&watched).await.status, status);
        }
        for status in [401, 405] {
            let method = if status == 401 { "GET" } else { "PUT" };
            assert_eq!(watched.request(method, PROFILE).send().await.status, status);
        }
        assert_eq!(watched.request("PUT", "/v1/cl2c/user").send().await.status, 401);
        assert_eq!(watched.request("GET", "/nothing").send().await.status, 404);
        until(async || watched.metrics().await.contains("selfsame_issuer_refreshes_total{")).await;

        let metrics = watched.metrics().await;
        promtool::check("metrics", &metrics);
        let counters = [
            "selfsame_requests_total",
            "selfsame_tokens_total",
            "selfsame_rate_limited_total",
            "selfsame_issuer_refreshes_total",
        ];
        let mut counted: Vec<&str> = metrics
            .lines()
            .filter(|line| counters.iter().any(|counter| line.starts_with(&format!("{counter}{{"))))
            .filter(|line| !line.contains(r#"contract="operator""#))
            .collect();
        counted.sort_unstable();
        insta::assert_snapshot!(counted.join("\n"), @r#"
        selfsame_issuer_refreshes_total{issuer="https://id.example.com",outcome="error"} 1
        selfsame_rate_limited_total{limit="system"} 2
        selfsame_requests_total{contract="cl2c",method="PUT",status="401"} 1
        selfsame_requests_total{contract="root",method="GET",status="404"} 1
        selfsame_requests_total{contract="system",method="GET",status="200"} 3
        selfsame_requests_total{contract="system",method="GET",status="401"} 1
        selfsame_requests_total{contract="system",method="GET",status="429"} 2
        selfsame_requests_total{contract="system",method="PUT",status="405"} 1
        selfsame_tokens_total{remembered="no"} 1
        selfsame_tokens_total{remembered="yes"} 4
        "#);
        assert_eq!(value(&metrics, r#"selfsame_request_duration_seconds_count{contract="system"}"#), 7.0);
        assert!(value(&metrics, r#"selfsame_request_duration_seconds_sum{contract="system"}"#) > 0.0);
        assert!(value(&metrics, r#"selfsame_store_duration_seconds_count{kind="read",outcome="ok"}"#) >= 5.0);
        watched.stop();
    }
);

#[test]
fn sqlites_groups_and_queue_are_measured() {
    crate::support::run(Database::sqlite, async |mut installation: Installation| {
        let watched = Watched::start(&mut installation);
        change(&watched).await;
        let metrics = watched.metrics().await;
        promtool::check("metrics", &metrics);
        let groups = value(&metrics, "selfsame_sqlite_group_size_count");
        assert!(groups >= 1.0 && value(&metrics, "selfsame_sqlite_group_size_sum") >= groups);
        assert_eq!(value(&metrics, "selfsame_sqlite_queue_depth"), 0.0);
        assert!(value(&metrics, r#"selfsame_store_duration_seconds_count{kind="commit",outcome="ok"}"#) >= 1.0);
        watched.stop();
    });
}

/// The queue must be visible while the writer is blocked, not only afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_wait_for_a_blocked_writer_are_measured_while_they_wait() {
    let mut installation = Installation::new();
    let watched = Watched::start(&mut installation);
    // The first request binds the client hash, which is a write as well.
    assert_eq!(profile(&watched).await.status, 200);
    let other = rusqlite::Connection::open(installation.sqlite_file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let groups = async || value(&watched.metrics().await, "selfsame_sqlite_group_size_count");
    let depth = async || value(&watched.metrics().await, "selfsame_sqlite_queue_depth");
    let before = groups().await;
    let waiting = async {
        until(async || groups().await > before).await;
        let release = async {
            until(async || depth().await >= 1.0).await;
            other.execute_batch("ROLLBACK").unwrap();
        };
        tokio::join!(change(&watched), release);
    };
    tokio::join!(change(&watched), waiting);
    assert_eq!(depth().await, 0.0);
    watched.stop();
}

#[test]
fn postgresqls_pool_and_batches_are_measured() {
    crate::support::run(Database::postgres, async |mut installation: Installation| {
        let watched = Watched::start(&mut installation);
        change(&watched).await;
        let metrics = watched.metrics().await;
        promtool::check("metrics", &metrics);
        assert!(value(&metrics, "selfsame_postgres_pool_wait_seconds_count") >= 1.0);
        let batches = value(&metrics, "selfsame_postgres_batch_size_count");
        assert!(batches >= 1.0 && value(&metrics, "selfsame_postgres_batch_size_sum") >= batches);
        watched.stop();
    });
}

/// Memory use and costs grow with the number of series, so a client must not be able to add one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_clients_choose_create_no_time_series() {
    let mut installation = Installation::new();
    let watched = Watched::start(&mut installation);
    let mischief = async |number: usize| {
        let header = |name: &str| format!("{name}-{number}");
        for (method, path) in [
            (header("BREW"), PROFILE.to_owned()),
            ("GET".to_owned(), format!("{PROFILE}/{}", header("path"))),
            ("GET".to_owned(), format!("/{}", header("path"))),
            ("GET".to_owned(), format!("/v1/cl2c/users/{}", header("id"))),
            ("GET".to_owned(), format!("{PROFILE}?{}", header("query"))),
        ] {
            let request = watched.request(&method, &path).header("Host", &header("host"));
            let request = request.header("X-Request-Id", &header("request")).header("User-Agent", &header("agent"));
            let request = request.header("tenant", &header("tenant")).bearer(&header("token"));
            request.header("X-Forwarded-For", &format!("203.0.113.{number}")).send().await;
        }
        watched.watch(&header("BREW"), "/metrics").send().await;
        watched.watch("GET", &format!("/{}", header("path"))).send().await;
    };
    mischief(0).await;
    watched.metrics().await;
    let before = series(&watched.metrics().await);
    for number in 1..30 {
        mischief(number).await;
    }
    let after = watched.metrics().await;
    assert_eq!(series(&after), before);
    assert!(!after.contains("BREW") && !after.contains("path-") && !after.contains("host-"), "{after}");
    assert_eq!(value(&after, r#"selfsame_requests_total{contract="system",method="other",status="405"}"#), 30.0);
    watched.stop();
}

/// An issuer on a port without a listener: port 9 is `discard`, which test machines do not run.
const UNREACHABLE_ISSUER: [(&str, &str); 5] = [
    ("SELFSAME__TRUSTED_ISSUER__CORP__ISSUER", "https://id.example.com"),
    ("SELFSAME__TRUSTED_ISSUER__CORP__JWKS_URI", "http://127.0.0.1:9/jwks.json"),
    ("SELFSAME__TRUSTED_ISSUER__CORP__AUDIENCE", "profile"),
    ("SELFSAME__TRUSTED_ISSUER__CORP__TENANT", "demo"),
    ("SELFSAME__TRUSTED_ISSUER__CORP__CONTRACTS", "system"),
];

async fn profile(watched: &Watched) -> Answer {
    watched.request("GET", PROFILE).bearer(&watched.token).header("X-Client-Hash", "d1").send().await
}

async fn change(watched: &Watched) {
    let request = watched.request("POST", UPDATE).bearer(&watched.token).header("X-Client-Hash", "d1");
    let answer = request.json(r#"{"accountName":"Jo"}"#).send().await;
    assert_eq!(answer.status, 200, "{answer}");
}

/// The value of one series.
#[track_caller]
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("there is no {series} in\n{metrics}")).parse().unwrap()
}

/// The names and labels of all series.
fn series(metrics: &str) -> BTreeSet<String> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

//! Rate limits: which requests count, for whom, and how early ones are refused.

use std::time::Duration;

use super::{PROFILE, Person, UPDATE, server_with};
use crate::support::{Answer, BackEnd, Server, Transcript};

const ADDRESS: &str = "SELFSAME__RATE_LIMIT__ADDRESS";
const SYSTEM: &str = "SELFSAME__RATE_LIMIT__SYSTEM";
const KEY: &str = "SELFSAME__RATE_LIMIT__DEFAULT";
/// Makes the tests' address a trusted proxy.
const BEHIND_PROXY: (&str, &str) = ("SELFSAME__SERVER__TRUSTED_PROXIES", "127.0.0.1");

#[tokio::test]
async fn system_refuses_too_many_requests_of_an_account_in_every_language() {
    let server = server_with(&[(SYSTEM, "1")]).await;
    let person = Person::new(&server).await;
    assert_eq!(person.read().await.status, 200);
    let mut answers = Transcript::default();
    for language in ["en", "zh-CN", "zh-TW", "ja", "vi"] {
        answers.add(language, &person.request("GET", PROFILE).header("Accept-Language", language).send().await);
    }
    insta::assert_snapshot!(answers, @r#"
    > en
    429 Too Many Requests
    content-language: en
    content-type: application/json
    retry-after: 60
    vary: Accept-Language

    {"success":false,"code":"4290","message":"Too many requests"}

    > zh-CN
    429 Too Many Requests
    content-language: zh
    content-type: application/json
    retry-after: 60
    vary: Accept-Language

    {"success":false,"code":"4290","message":"请求过于频繁"}

    > zh-TW
    429 Too Many Requests
    content-language: zh-Hant
    content-type: application/json
    retry-after: 60
    vary: Accept-Language

    {"success":false,"code":"4290","message":"請求過於頻繁"}

    > ja
    429 Too Many Requests
    content-language: ja
    content-type: application/json
    retry-after: 60
    vary: Accept-Language

    {"success":false,"code":"4290","message":"リクエストが多すぎます"}

    > vi
    429 Too Many Requests
    content-language: vi
    content-type: application/json
    retry-after: 60
    vary: Accept-Language

    {"success":false,"code":"4290","message":"Quá nhiều yêu cầu"}
    "#);
}

#[tokio::test]
async fn cl2c_refuses_too_many_requests_with_one_key_and_accepts_another_key() {
    let server = server_with(&[(KEY, "1")]).await;
    let account = Person::new(&server).await.account;
    let back_end = server.back_end(&server.tenant, Some(account.id)).await;
    let other = server.back_end(&server.tenant, Some(account.id)).await;
    let read =
        async |back_end: &BackEnd<'_>| back_end.request("GET", &format!("/v1/cl2c/users/{}", account.id)).send().await;
    assert_eq!(read(&back_end).await.status, 200);
    let refused = read(&back_end).await;
    let id = refused.json()["errorId"].as_str().unwrap().to_owned();
    insta::assert_snapshot!(refused.to_string().replace(&id, "error-ID"), @r#"
    429 Too Many Requests
    content-type: application/json
    retry-after: 60

    {"messages":["Too many requests."],"source":"API Gateway","exception":"TooManyRequestsException","errorId":"error-ID","supportMessage":"Please contact support with this error ID.","statusCode":429}
    "#);
    assert_eq!(read(&other).await.status, 200);
}

#[tokio::test]
async fn reads_and_changes_of_one_account_count_together_and_do_not_affect_other_accounts() {
    let server = server_with(&[(SYSTEM, "2")]).await;
    let (jane, joe) = (Person::new(&server).await, Person::new(&server).await);
    let update = jane.request("POST", UPDATE).json(r#"{"accountName":"Jane"}"#);
    assert_eq!(statuses([jane.read().await, update.send().await]), [200, 200]);
    let before = server.account(&jane.account).await;
    let update = jane.request("POST", UPDATE).json(r#"{"accountName":"Too early"}"#);
    assert_eq!(update.send().await.status, 429);
    assert_eq!(server.account(&jane.account).await, before);
    assert_eq!(joe.read().await.status, 200);
}

#[tokio::test]
async fn a_client_that_waits_for_retry_after_is_accepted() {
    let server = server_with(&[(SYSTEM, "7")]).await;
    let person = Person::new(&server).await;
    for _ in 0..7 {
        assert_eq!(person.read().await.status, 200);
    }
    // One request is allowed every 60 s / 7, which is between eight and nine seconds.
    let refused = person.read().await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "9"));
    server.pass(Duration::from_secs(8));
    let refused = person.read().await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"));
    server.pass(Duration::from_secs(1));
    assert_eq!(statuses([person.read().await, person.read().await]), [200, 429]);
    server.pass(Duration::from_secs(60));
    for _ in 0..7 {
        assert_eq!(person.read().await.status, 200);
    }
    assert_eq!(person.read().await.status, 429);
}

#[tokio::test]
async fn a_flood_from_one_address_is_refused_before_credentials_are_checked_and_does_not_affect_other_addresses() {
    let server = server_with(&[(ADDRESS, "2"), BEHIND_PROXY]).await;
    let person = Person::new(&server).await;
    let flood = || server.request("GET", PROFILE).bearer("nobody's").header("X-Forwarded-For", "203.0.113.1");
    assert_eq!(statuses([flood().send().await, flood().send().await, flood().send().await]), [401, 401, 429]);
    // Valid credentials do not help, and one limit covers all contracts.
    let from = |address| person.request("GET", PROFILE).header("X-Forwarded-For", address);
    assert_eq!(from("203.0.113.1").send().await.status, 429);
    let other_contract = server.request("GET", &format!("/v1/cl2c/users/{}", person.account.id));
    assert_eq!(other_contract.header("X-Forwarded-For", "203.0.113.1").send().await.status, 429);
    assert_eq!(from("203.0.113.2").send().await.status, 200);
}

#[tokio::test]
async fn an_accounts_limit_counts_only_requests_that_carry_its_client_hash() {
    let server = server_with(&[(SYSTEM, "2")]).await;
    let person = Person::new(&server).await;
    let thief = async || {
        let request = server.request("GET", PROFILE).bearer(&person.token).header("X-Client-Hash", "another");
        request.send().await.status.as_u16()
    };
    assert_eq!(person.read().await.status, 200);
    for _ in 0..5 {
        assert_eq!(thief().await, 403);
    }
    assert_eq!(statuses([person.read().await, person.read().await]), [200, 429]);
    assert_eq!(thief().await, 403);
}

#[tokio::test]
async fn ipv6_addresses_of_one_network_of_64_bits_count_as_one() {
    let server = server_with(&[(ADDRESS, "1"), BEHIND_PROXY]).await;
    let from = async |address| from(&server, address).await.status.as_u16();
    assert_eq!([from("2001:db8:0:1::1").await, from("2001:db8:0:1:ffff::2").await], [401, 429]);
    assert_eq!(from("2001:db8:0:2::1").await, 401);
    // An IPv4 address counts as itself in both notations.
    assert_eq!([from("203.0.113.1").await, from("::ffff:203.0.113.1").await], [401, 429]);
    assert_eq!(from("::ffff:203.0.113.2").await, 401);
}

#[tokio::test]
async fn cheap_requests_are_not_counted() {
    let server = server_with(&[(ADDRESS, "1")]).await;
    for (method, path, status) in [
        ("OPTIONS", PROFILE, 204),
        ("OPTIONS", "/v1/cl2c/user", 204),
        ("DELETE", PROFILE, 405),
        ("GET", "/web/v1/system/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
    ] {
        for _ in 0..3 {
            assert_eq!(server.request(method, path).send().await.status, status, "{method} {path}");
        }
    }
    assert_eq!(statuses([from(&server, "").await, from(&server, "").await]), [401, 429]);
}

/// Paths that need no credentials and whose answer takes the database, the store of pictures or a long body.
const PUBLIC: [&str; 11] = [
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/oauth2/jwks",
    "/docs",
    "/docs/swagger-ui.css",
    "/docs/nothing",
    "/openapi/system.json",
    "/openapi/nothing",
    "/pictures/0123456789abcdef0123456789abcdef.png",
    "/pictures/nothing",
    "/dev/mailbox",
];

#[tokio::test]
async fn every_public_answer_but_health_is_counted_for_its_source() {
    let server = server_with(&[(ADDRESS, "2"), BEHIND_PROXY]).await;
    for (number, path) in PUBLIC.into_iter().enumerate() {
        let address = format!("203.0.113.{number}");
        let ask = async |method| server.request(method, path).header("X-Forwarded-For", &address).send().await;
        assert_eq!(ask("OPTIONS").await.status, 204, "{path}");
        let (get, head) = (ask("GET").await, ask("HEAD").await);
        assert!(get.status == head.status && get.status.as_u16() <= 404, "{path}: {get}");
        for method in ["GET", "HEAD"] {
            let refused = ask(method).await;
            assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "30"), "{method} {path}");
        }
        for path in ["/healthz", "/readyz"] {
            let health = server.request("GET", path).header("X-Forwarded-For", &address).send().await;
            assert_eq!(health.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_limit_of_zero_means_no_limit() {
    let server = server_with(&[]).await;
    let person = Person::new(&server).await;
    for _ in 0..200 {
        assert_eq!(person.read().await.status, 200);
    }
}

/// Sends a request without credentials, as a proxy forwards it for an address.
async fn from(server: &Server, address: &str) -> Answer {
    server.request("GET", PROFILE).header("X-Forwarded-For", address).send().await
}

fn statuses<const COUNT: usize>(answers: [Answer; COUNT]) -> [u16; COUNT] {
    answers.map(|answer| answer.status.as_u16())
}

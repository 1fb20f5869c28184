//! Short messages through a gateway.

use std::time::{Duration, Instant};

use selfsame::account::{Contract, Error, Field, Medium};
use selfsame::outbox::{Message, Undelivered};

use crate::support::gateway::Gateway;
use crate::support::{Server, patch, until};

const HOSTILE: &str = "1\"},\"to\":\"+2\r\n&To=+3 {secret} \u{8a8d}";

fn message(to: &str, text: &str) -> Message {
    Message { medium: Medium::Sms, to: to.to_owned(), subject: None, text: text.to_owned(), html: None }
}

async fn deliver(server: &Server, to: &str, text: &str) -> Result<(), Undelivered> {
    server.app.outbox().deliver(&message(to, text), server.app.now()).await
}

#[tokio::test]
async fn a_json_gateway_gets_the_configured_request() {
    let gateway = Gateway::start().await;
    let settings = [
        ("SELFSAME__SMS__HEADERS", "Authorization: Basic {secret},X-From: here"),
        ("SELFSAME__SMS__SECRET", "c2VjcmV0"),
        ("SELFSAME__SMS__BODY", r#"{"channel":"sms","from":"Example","to":"{digits}","text":"{text}"}"#),
    ];
    let server = gateway.server("/v1/messages?x=1", &settings).await;
    deliver(&server, "+86 138-1234-5678", "Your code: 123456").await.unwrap();
    let requests = gateway.requests().remove(0);
    assert_eq!(requests.path, "/v1/messages");
    assert_eq!(requests.body, r#"{"channel":"sms","from":"Example","to":"8613812345678","text":"Your code: 123456"}"#);
    assert_eq!(requests.headers["content-type"], "application/json");
    assert_eq!(requests.headers["authorization"], "Basic c2VjcmV0");
    assert_eq!(requests.headers["x-from"], "here");
}

#[tokio::test]
async fn a_form_gateway_gets_the_configured_request() {
    let gateway = Gateway::start().await;
    let settings = [("SELFSAME__SMS__FORMAT", "form"), ("SELFSAME__SMS__BODY", "To={to}&From=%2B1555&Body={text}")];
    let server = gateway.server("/Messages.json", &settings).await;
    deliver(&server, "+8613812345678", "Your code: 123456").await.unwrap();
    let requests = gateway.requests().remove(0);
    assert_eq!(requests.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(requests.body, "To=%2B8613812345678&From=%2B1555&Body=Your%20code%3A%20123456");
}

#[tokio::test]
async fn no_value_can_add_a_recipient_or_a_parameter() {
    let gateway = Gateway::start().await;
    let json = gateway.server("/", &[("SELFSAME__SMS__SECRET", "hush")]).await;
    deliver(&json, HOSTILE, HOSTILE).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&gateway.requests()[0].body).unwrap();
    assert_eq!(body, serde_json::json!({ "to": HOSTILE, "text": HOSTILE }));

    let form = [("SELFSAME__SMS__FORMAT", "form"), ("SELFSAME__SMS__BODY", "To={to}&Body={text}")];
    let form = gateway.server("/", &form).await;
    deliver(&form, HOSTILE, HOSTILE).await.unwrap();
    let body = &gateway.requests()[1].body;
    assert_eq!((body.matches('&').count(), body.matches('=').count()), (1, 2), "{body}");
    assert!(!body.contains(['\r', '\n', '"', '{']), "{body}");
}

#[tokio::test]
async fn a_failed_delivery_names_neither_number_nor_secret() {
    let gateway = Gateway::start().await;
    for path in ["/moved", "/broken", "/refused", "/hanging"] {
        let settings = [("SELFSAME__SMS__SECRET", "hush"), ("SELFSAME__SMS__HEADERS", "X-Key: {secret}")];
        let server = gateway.server(path, &settings).await;
        let began = Instant::now();
        let Err(Undelivered::Unreachable(cause)) = deliver(&server, "+8613812345678", "text").await else {
            panic!("{path} took it");
        };
        assert!(began.elapsed() < Duration::from_secs(5), "{path}");
        let cause = cause.to_string();
        assert!(!cause.contains("138") && !cause.contains("hush"), "{cause}");
    }
    let paths: Vec<String> = gateway.requests().into_iter().map(|requests| requests.path).collect();
    assert_eq!(
        paths,
        ["/moved", "/broken", "/refused", "/hanging"],
        "a path was requested again, or a redirect was followed"
    );
}

#[tokio::test]
async fn a_gateway_counts_as_unreachable_for_a_minute_after_a_failure() {
    let gateway = Gateway::start().await;
    let server = gateway.server("/broken", &[]).await;
    let check_reachable = || server.app.outbox().check_reachable(Medium::Sms, server.app.now());
    check_reachable().unwrap();
    deliver(&server, "+1555", "text").await.unwrap_err();
    assert!(matches!(check_reachable(), Err(Error::Unavailable(_))));
    server.pass(Duration::from_secs(60));
    check_reachable().unwrap();
}

#[tokio::test]
async fn a_notice_that_the_gateway_refuses_is_retried_later() {
    let gateway = Gateway::start().await;
    let server = gateway.server("/late", &[]).await;
    let mut patch = patch(&[(Field::Phone, "+1987654321")]);
    patch.phone_verified = Some(true);
    let account = server.person_with(&server.tenant, patch).await;
    let token = server.token(&account, Contract::System).await;
    let update = server.request("POST", "/web/v1/system/profile/update").header("X-Client-Hash", "d1");
    assert_eq!(update.bearer(&token).json(r#"{"accountPhone":""}"#).send().await.status, 200);
    let attempts = async || server.database().rows("SELECT attempts FROM notice").await;
    until(async || {
        attempts().await == ["1"] && server.app.outbox().check_reachable(Medium::Sms, server.app.now()).is_err()
    })
    .await;
    // The notice is not due again yet, and the medium counts as unreachable.
    server.app.notices().deliver_due(Medium::Sms).await.unwrap();
    assert_eq!((attempts().await, gateway.requests().len()), (vec!["1".to_owned()], 1));
    server.pass(Duration::from_secs(60));
    server.app.notices().deliver_due(Medium::Sms).await.unwrap();
    until(async || attempts().await.is_empty()).await;
    let bodies: Vec<String> = gateway.requests().into_iter().map(|requests| requests.body).collect();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0] == bodies[1] && bodies[0].contains("+1987654321"), "{bodies:?}");
}

//! The time of an answer does not reveal whether a message was sent.

use std::time::{Duration, Instant};

use selfsame::account::{Contract, Field, Kind};
use selfsame::code::{CodeRequest, Usage};
use serde_json::json;
use tokio::time::Instant as Moment;

use super::{JANE, PHONE, request};
use crate::support::gateway::Gateway;
use crate::support::{Database, Server, patch};

/// Much longer than everything else that a request waits for, even on a busy machine.
const LEAST: Duration = Duration::from_secs(3);
/// The distance of both markers from the time at which the answer must be there.
const MARGIN: Duration = Duration::from_secs(1);

/// Waits for an answer between two markers, and checks that it comes between them: one timer is due before the minimum answer
/// time is over, the other after it. The runtime has one thread and completes timers in the order in which they are due, so
/// the order of the events does not depend on how fast the machine is.
async fn comes_on_time<T>(answer: impl Future<Output = T>) -> T {
    let begin = Moment::now();
    tokio::pin!(answer);
    let early = tokio::time::timeout_at(begin + LEAST - MARGIN, &mut answer).await;
    assert!(early.is_err(), "the answer came before the minimum answer time was over");
    let late = tokio::time::timeout_at(begin + LEAST + MARGIN, &mut answer).await;
    late.expect("the answer waits for more than the minimum answer time")
}

/// Sends a code, and checks that the answer comes on time.
async fn is_answered_on_time(server: &Server, request: CodeRequest<'_>) {
    // `request` started its stopwatch a moment ago, less than the margin.
    let _ = comes_on_time(server.app.codes().send(request)).await;
}

#[tokio::test]
async fn an_answer_comes_when_the_minimum_answer_time_is_over_whether_a_message_is_sent_or_not() {
    let gateway = Gateway::start().await;
    let answer_time = format!("{}s", LEAST.as_secs());
    let settings = [("SELFSAME__CODES__ANSWER_TIME", answer_time.as_str()), ("SELFSAME__SMS__TIMEOUT", "1m")];
    let server = gateway.server("/waiting", &settings).await;
    let tenant = &server.tenant;
    let login = |address| CodeRequest { usage: Usage::Login, ..request(tenant, address) };
    let slowly_delivered = async {
        let released = async {
            gateway.arrived().await;
            // The gateway takes its time, but less than the answer.
            let pause = tokio::time::timeout(LEAST / 2, std::future::pending::<()>()).await;
            assert!(pause.is_err());
            gateway.release();
        };
        tokio::join!(is_answered_on_time(&server, login(PHONE)), released);
    };
    let not_delivered = is_answered_on_time(&server, CodeRequest { deliver: false, ..login("+8613700137000") });
    tokio::join!(slowly_delivered, not_delivered);
    assert_eq!(gateway.requests().len(), 1);
    // A refusal, too: the address got a code a moment ago.
    let refused = is_answered_on_time(&server, login(PHONE));
    let refused_silently = is_answered_on_time(&server, CodeRequest { deliver: false, ..login("+8613700137000") });
    tokio::join!(refused, refused_silently);
    assert_eq!(gateway.requests().len(), 1);
}

/// The look-up of an address's owner runs before a code is sent, and must not show in the response time.
#[tokio::test]
async fn the_minimum_answer_time_includes_an_earlier_look_up() {
    let server = Server::with(Database::sqlite(), &[("SELFSAME__CODES__ANSWER_TIME", "2s")]).await;
    let request = |address| request(&server.tenant, address);
    let first = request(JANE);
    let second = CodeRequest { since: first.since, ..request("jo@example.com") };
    server.app.codes().send(first).await.unwrap();
    let began = Instant::now();
    server.app.codes().send(second).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_refusal_because_another_account_has_the_address_comes_at_the_same_time() {
    let answer_time = format!("{}s", LEAST.as_secs());
    let server = Server::with(Database::sqlite(), &[("SELFSAME__CODES__ANSWER_TIME", &answer_time)]).await;
    let mut owner = patch(&[(Field::Email, JANE), (Field::Phone, PHONE)]);
    (owner.email_verified, owner.phone_verified) = (Some(true), Some(true));
    server.person_with(&server.tenant, owner).await;
    let person = server.person(&[]).await;
    let token = server.token(&person, Contract::RiverGen).await;
    let client = server.client(Kind::Web, &[]).await;
    let asked = server.request("POST", "/api/v1/auth/me/email/request").bearer(&token);
    let asked = asked.json(json!({"new_email": JANE}).to_string()).send();
    let sign_up = |name: &str, address: &str| client.send(json!({"usage": "signup", name: address}));
    let (asked, by_mail, by_phone) = tokio::join!(
        comes_on_time(asked),
        comes_on_time(sign_up("email", JANE)),
        comes_on_time(sign_up("phone_number", "13812345678"))
    );
    assert_eq!(asked.json()["error"]["code"], "EMAIL_ALREADY_TAKEN");
    assert_eq!(by_mail.json()["error"], "email_is_used");
    assert_eq!(by_phone.json()["error"], "phone_number_is_used");
}

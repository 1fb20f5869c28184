//! Mail through a third-party mail server.

use std::time::{Duration, Instant};

use selfsame::account::{Contract, Field, Medium};
use selfsame::outbox::{Delivery, Message, Undelivered};
use tokio::net::TcpListener;

use crate::support::mail::{MailServer, PASSWORD, USER};
use crate::support::{Answer, Certificate, Database, Server};

const FROM: &str = "Beispiel \u{c4}pfel <no-reply@example.com>";

async fn server(port: u16, more: &[(&str, &str)]) -> Server {
    let port = port.to_string();
    let mut settings = vec![
        ("SELFSAME__SMTP__HOST", "127.0.0.1"),
        ("SELFSAME__SMTP__PORT", &port),
        ("SELFSAME__SMTP__SECURITY", "none"),
        ("SELFSAME__SMTP__FROM", FROM),
    ];
    settings.extend(more);
    Server::delivering(Database::sqlite(), &settings, Delivery::Configured).await
}

async fn guarded(port: u16, security: &str, certificate: &str) -> Server {
    let more = [
        ("SELFSAME__SMTP__SECURITY", security),
        ("SELFSAME__SMTP__ROOT_CERTIFICATES", certificate),
        ("SELFSAME__SMTP__USER", USER),
        ("SELFSAME__SMTP__PASSWORD", PASSWORD),
    ];
    server(port, &more).await
}

fn message(to: &str) -> Message {
    Message {
        medium: Medium::Email,
        to: to.to_owned(),
        subject: Some("\u{8a8d}\u{8a3c}\u{30b3}\u{30fc}\u{30c9}".to_owned()),
        text: "\u{e9}t\u{e9}\n.\nM\u{e3} 123456\n".to_owned(),
        html: Some("<p>123456 \u{e9}</p>".to_owned()),
    }
}

async fn deliver(server: &Server, message: &Message) -> Result<(), Undelivered> {
    server.app.outbox().deliver(message, server.app.now()).await
}

/// Delivers a message, which must fail, and returns the cause.
async fn failure(server: &Server, message: &Message) -> String {
    match deliver(server, message).await {
        Err(Undelivered::BadAddress(cause) | Undelivered::Refused(cause) | Undelivered::Unreachable(cause)) => {
            cause.to_string()
        }
        Ok(()) => panic!("the message was handed over"),
    }
}

#[tokio::test]
async fn mail_goes_over_an_upgraded_connection_signed_in() {
    let certificate = Certificate::new();
    let peer = MailServer::guarded("starttls", &certificate).await;
    let server = guarded(peer.port, "starttls", &certificate.certificate()).await;
    deliver(&server, &message("jane@example.com")).await.unwrap();
    let taken = peer.message().await;
    assert_eq!((&taken["tls"], &taken["user"]), (&true.into(), &USER.into()));
    assert_eq!(
        (&taken["from"], &taken["to"]),
        (&"no-reply@example.com".into(), &serde_json::json!(["jane@example.com"]))
    );
    assert_eq!(taken["plain"], "\u{e9}t\u{e9}\r\n.\r\nM\u{e3} 123456\r\n");
    assert_eq!(taken["html"].as_str().unwrap().trim(), "<p>123456 \u{e9}</p>");
    let header = |name: &str| {
        let headers = taken["headers"].as_array().unwrap().iter().filter(|line| line[0] == name);
        let values: Vec<&str> = headers.map(|line| line[1].as_str().unwrap()).collect();
        assert_eq!(values.len(), 1, "{name}: {taken}");
        values[0].to_owned()
    };
    assert_eq!(header("Subject"), "\u{8a8d}\u{8a3c}\u{30b3}\u{30fc}\u{30c9}");
    assert_eq!(header("From"), FROM);
    assert_eq!(header("To"), "jane@example.com");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert!(!header("Date").is_empty());
    assert_eq!(taken["defects"], serde_json::json!([]));
}

#[tokio::test]
async fn mail_goes_over_tls_from_the_first_byte() {
    let certificate = Certificate::new();
    let peer = MailServer::guarded("tls", &certificate).await;
    let server = guarded(peer.port, "tls", &certificate.certificate()).await;
    deliver(&server, &message("jane@example.com")).await.unwrap();
    let taken = peer.message().await;
    assert_eq!((&taken["tls"], &taken["user"]), (&true.into(), &USER.into()));
}

#[tokio::test]
async fn a_server_with_an_untrusted_certificate_gets_no_message() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    for security in ["starttls", "tls"] {
        let peer = MailServer::guarded(security, &certificate).await;
        let server = guarded(peer.port, security, &other.certificate()).await;
        failure(&server, &message("jane@example.com")).await;
        assert!(peer.stop().await.is_empty());
    }
}

#[tokio::test]
async fn a_server_that_does_not_offer_starttls_gets_no_message() {
    let peer = MailServer::plain().await;
    let server = server(peer.port, &[("SELFSAME__SMTP__SECURITY", "starttls")]).await;
    failure(&server, &message("jane@example.com")).await;
    assert!(peer.stop().await.is_empty());
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_message() {
    let peer = MailServer::plain().await;
    let server = server(peer.port, &[]).await;
    for _ in 0..3 {
        deliver(&server, &message("jane@example.com")).await.unwrap();
        assert_eq!(peer.message().await["session"], 1);
    }
}

#[tokio::test]
async fn a_kept_connection_that_ended_is_replaced() {
    let peer = MailServer::plain().await;
    let port = peer.port;
    let server = server(port, &[]).await;
    deliver(&server, &message("jane@example.com")).await.unwrap();
    assert_eq!(peer.stop().await.len(), 1);
    let peer = MailServer::plain_on(port).await;
    deliver(&server, &message("jo@example.com")).await.unwrap();
    assert_eq!(peer.stop().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_the_server_may_have_is_not_sent_twice() {
    let peer = MailServer::plain().await;
    let server = server(peer.port, &[]).await;
    deliver(&server, &message("jane@example.com")).await.unwrap();
    failure(&server, &message("lost@example.com")).await;
    let taken = peer.stop().await;
    let to: Vec<&str> = taken.iter().map(|taken| taken["to"][0].as_str().unwrap()).collect();
    assert_eq!(to, ["jane@example.com", "lost@example.com"]);
}

#[tokio::test]
async fn a_refused_recipient_is_a_failure_that_names_no_address() {
    let peer = MailServer::plain().await;
    let server = server(peer.port, &[]).await;
    for to in ["refused@example.com", "later@example.com"] {
        let cause = failure(&server, &message(to)).await;
        assert!(!cause.contains("example.com"), "{cause}");
        // The server is reachable, so other messages are not affected.
        server.app.outbox().check_reachable(Medium::Email, server.app.now()).unwrap();
        deliver(&server, &message("jane@example.com")).await.unwrap();
    }
    assert_eq!(peer.stop().await.len(), 2);
}

#[tokio::test]
async fn a_silent_server_is_abandoned_after_the_timeout() {
    let peer = MailServer::plain().await;
    let timeout = ("SELFSAME__SMTP__TIMEOUT", "300ms");
    let hanging = server(peer.port, &[timeout]).await;
    // One server hangs in the middle, the other never greets.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let muted = server(mute.local_addr().unwrap().port(), &[timeout]).await;
    for server in [hanging, muted] {
        let began = Instant::now();
        failure(&server, &message("hang@example.com")).await;
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_non_ascii_domain_is_sent_as_a_labels_and_needs_no_smtputf8() {
    let peer = MailServer::ascii().await;
    let server = server(peer.port, &[("SELFSAME__SMTP__FROM", "\u{c4}pfel <no-reply@\u{e4}pfel.example>")]).await;
    for (to, envelope) in [
        ("jane@b\u{fc}cher.example", "jane@xn--bcher-kva.example"),
        ("jane@stra\u{df}e.B\u{dc}CHER.example", "jane@xn--strae-oqa.xn--bcher-kva.example"),
        ("jane@\u{212a}iosk\u{3002}example", "jane@kiosk.example"),
        ("Jane@XN--bcher-kva.Example", "Jane@XN--bcher-kva.Example"),
    ] {
        deliver(&server, &message(to)).await.unwrap();
        let taken = peer.message().await;
        assert_eq!((&taken["to"][0], &taken["from"]), (&envelope.into(), &"no-reply@xn--pfel-koa.example".into()));
        let headers = taken["headers"].as_array().unwrap();
        assert!(headers.contains(&serde_json::json!(["To", envelope])), "{taken}");
        assert!(
            headers.contains(&serde_json::json!(["From", "\u{c4}pfel <no-reply@xn--pfel-koa.example>"])),
            "{taken}"
        );
    }
}

#[tokio::test]
async fn a_non_ascii_local_part_needs_smtputf8_and_is_sent_unchanged() {
    for local in ["jos\u{e9}", "\u{212a}im", "m\u{131}ke"] {
        let to = format!("{local}@b\u{fc}cher.example");
        let peer = MailServer::ascii().await;
        let cause = failure(&server(peer.port, &[]).await, &message(&to)).await;
        assert_eq!(cause, "the mail server does not take addresses beyond ASCII (SMTPUTF8)");
        assert!(peer.stop().await.is_empty());
        let peer = MailServer::plain().await;
        deliver(&server(peer.port, &[]).await, &message(&to)).await.unwrap();
        assert_eq!(peer.message().await["to"][0], format!("{local}@xn--bcher-kva.example"));
    }
}

#[tokio::test]
async fn no_message_can_add_a_header_or_a_recipient() {
    let peer = MailServer::plain().await;
    let server = server(peer.port, &[]).await;
    for to in [
        "jane@example.com\r\nBcc: jo@example.com",
        "jane@example.com\r\nRCPT TO:<jo@example.com>",
        "jane@example.com>\r\nRCPT TO:<jo@example.com",
        "jane@example.com, jo@example.com",
        "jane@example.com,jo@example.com",
        "Jane <jane@example.com>, jo@example.com",
        // Characters that become a separator, a second @ or a space when a domain is mapped.
        "jane@example.com\u{ff0c}jo@example.com",
        "jane@evil\u{ff20}example.com",
        "jane@b\u{fc}cher.example\u{ff1e}",
        "jane@b\u{fc}cher.example\u{3000}",
        "jane@b\u{fc}cher\u{ff0f}.example.com",
        "",
    ] {
        let cause = failure(&server, &message(to)).await;
        assert!(!cause.contains("example.com"), "{cause}");
    }
    let hostile = Message {
        subject: Some("x\r\nBcc: jo@example.com\r\n\r\nbody".to_owned()),
        text: "\r\n.\r\nMAIL FROM:<jo@example.com>\r\n".to_owned(),
        html: None,
        ..message("jane@example.com")
    };
    deliver(&server, &hostile).await.unwrap();
    let taken = peer.stop().await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0]["to"], serde_json::json!(["jane@example.com"]));
    assert!(!taken[0]["headers"].as_array().unwrap().iter().any(|line| line[0] == "Bcc"), "{}", taken[0]);
    assert!(taken[0]["plain"].as_str().unwrap().contains("MAIL FROM:<jo@example.com>"));
}

const REQUEST: &str = "/api/v1/auth/me/email/request";
const VERIFY: &str = "/api/v1/auth/me/email/verify";

async fn post(server: &Server, token: &str, path: &str, body: &'static str) -> Answer {
    server.request("POST", path).bearer(token).json(body).send().await
}

#[tokio::test]
async fn a_code_is_refused_while_the_server_is_down_and_leaves_no_trace() {
    let peer = MailServer::plain().await;
    let port = peer.port;
    let server = server(port, &[("SELFSAME__CODES__CHANGE_EMAIL__INTERVAL", "1h")]).await;
    let account = server.person(&[(Field::Email, "jane@example.com")]).await;
    let token = server.token(&account, Contract::RiverGen).await;
    peer.stop().await;
    let body = r#"{"new_email":"new@example.com"}"#;
    let answer = post(&server, &token, REQUEST, body).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"), "{answer}");
    assert_eq!(server.database().rows("SELECT count(*) FROM one_time_code").await, ["0"]);

    // The server is back and no longer counts as unreachable: the failed code did not start the interval of an hour.
    let peer = MailServer::plain_on(port).await;
    server.pass(Duration::from_secs(60));
    assert_eq!(post(&server, &token, REQUEST, body).await.status, 200);
    let taken = peer.message().await;
    let plain = taken["plain"].as_str().unwrap().to_owned();
    let code = plain.split_whitespace().find(|word| word.len() == 6 && word.parse::<u32>().is_ok()).unwrap();
    let body = format!(r#"{{"new_email":"new@example.com","otp_code":"{code}"}}"#);
    let answer = server.request("POST", VERIFY).bearer(&token).json(body).send().await;
    assert_eq!(answer.status, 200, "{answer}");
}

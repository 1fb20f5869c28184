//! The mailbox that `dev` shows.

use selfsame::account::Medium;
use selfsame::outbox::{Delivery, Message};

use crate::support::{Database, Server};

const MAILBOX: &str = "/dev/mailbox";

async fn deliver(server: &Server, number: u32) {
    let message = Message {
        medium: Medium::Email,
        to: format!("jane{number}@example.com"),
        subject: Some("<b>Subject</b>".to_owned()),
        text: "<script>alert(1)</script>".to_owned(),
        html: Some("<p>page</p>".to_owned()),
    };
    server.app.outbox().deliver(&message, server.app.now()).await.unwrap();
}

#[tokio::test]
async fn the_mailbox_shows_the_newest_message_first_as_json() {
    let server = Server::with(Database::sqlite(), &[]).await;
    let get = || server.request("GET", MAILBOX).header("Accept", "application/json");
    assert_eq!(get().send().await.body, "[]");
    deliver(&server, 1).await;
    server.pass(std::time::Duration::from_secs(1));
    deliver(&server, 2).await;
    insta::assert_snapshot!(get().send().await, @r#"
    200 OK
    cache-control: no-store
    content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'
    content-type: application/json
    vary: Accept

    [{"id":2,"channel":"email","to":"jane2@example.com","subject":"<b>Subject</b>","text":"<script>alert(1)</script>","html":"<p>page</p>","at":"2026-03-20T14:30:01Z"},{"id":1,"channel":"email","to":"jane1@example.com","subject":"<b>Subject</b>","text":"<script>alert(1)</script>","html":"<p>page</p>","at":"2026-03-20T14:30:00Z"}]
    "#);
}

#[tokio::test]
async fn the_mailbox_is_a_page_without_scripts_for_browsers() {
    let server = Server::with(Database::sqlite(), &[]).await;
    deliver(&server, 1).await;
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = server.request("GET", MAILBOX).header("Accept", accept).send().await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains("jane1@example.com"), "{page}");
    assert!(!page.body.contains("<script") && !page.body.contains("<b>"), "{page}");
}

#[tokio::test]
async fn the_mailbox_keeps_the_newest_200_messages() {
    let server = Server::with(Database::sqlite(), &[]).await;
    for number in 1..=203 {
        deliver(&server, number).await;
    }
    let mails = server.app.outbox().mailbox().unwrap().mails();
    assert_eq!((mails.len(), mails[0].id, mails[199].id), (200, 203, 4));
}

#[tokio::test]
async fn only_dev_serves_a_mailbox() {
    let server = Server::delivering(Database::sqlite(), &[], Delivery::Configured).await;
    assert_eq!(server.request("GET", MAILBOX).send().await.status, 404);
}

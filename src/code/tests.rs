use std::sync::Arc;

use super::*;
use crate::account::{CodeFault, Error, Text};
use crate::language::Language;
use crate::outbox::Delivery;
use crate::store::scratch::Scratch;
use crate::telemetry::Stopwatch;

/// The handle under test with its own database, keys and mailbox.
struct Bench {
    scratch: Scratch,
    tenant: Tenant,
    outbox: Arc<Outbox>,
    codes: Codes,
}

impl Bench {
    async fn new() -> Bench {
        let scratch = Scratch::new().await;
        let tenant = scratch.tenant().await;
        let outbox = Arc::new(Outbox::new(&scratch.config, Delivery::Mailbox).unwrap());
        let (store, keys, clock) = (scratch.store.clone(), scratch.keys.clone(), scratch.clock.clone());
        let codes = Codes::new(store, keys, clock, outbox.clone(), scratch.config.codes.clone());
        Bench { scratch, tenant, outbox, codes }
    }

    async fn send(&self, address: &str) -> Result<SentCode, Error> {
        let request = CodeRequest {
            tenant: &self.tenant,
            usage: Usage::UpdateUserinfo,
            contact: email(address),
            application: None,
            context: "",
            challenge: None,
            language: Language::English,
            since: Stopwatch::start(),
            deliver: true,
        };
        self.codes.send(request).await
    }

    async fn prove(&self, address: &str, token: &str, code: &str) -> Result<Proof, Error> {
        let attempt = CodeAttempt {
            tenant: &self.tenant,
            usage: Usage::UpdateUserinfo,
            contact: email(address),
            application: None,
            context: "",
            challenge: None,
            token,
            code,
        };
        self.codes.prove(attempt).await
    }

    /// The digits of the newest message.
    fn code(&self) -> String {
        let text = self.outbox.mailbox().unwrap().mails().remove(0).text;
        text.chars().filter(char::is_ascii_digit).take(6).collect()
    }

    /// Another code than that of the newest message.
    fn wrong(&self) -> &'static str {
        if self.code() == "000000" { "000001" } else { "000000" }
    }
}

fn email(address: &str) -> Contact {
    Contact::Email(Text::new(address).unwrap())
}

/// The error of a refused code.
fn fault(result: Result<Proof, Error>) -> Option<CodeFault> {
    match result {
        Err(Error::Code(fault)) => Some(fault),
        Err(other) => panic!("{other:?}"),
        Ok(_) => None,
    }
}

#[tokio::test]
async fn a_code_proves_the_address_that_it_was_sent_to() {
    let bench = Bench::new().await;
    let sent = bench.send("Jane@example.com").await.unwrap();
    assert_eq!(fault(bench.prove("jane@example.com", &sent.token, bench.wrong()).await), Some(CodeFault::Code));
    let proof = bench.prove("jane@example.com", &sent.token, &bench.code()).await.unwrap();
    assert_eq!(proof.contact(), &email("Jane@example.com"));
}

#[tokio::test]
async fn a_code_expires_after_its_lifetime() {
    let bench = Bench::new().await;
    let sent = bench.send("jane@example.com").await.unwrap();
    bench.scratch.pass(bench.scratch.config.codes.update_userinfo.lifetime);
    assert_eq!(fault(bench.prove("jane@example.com", &sent.token, &bench.code()).await), Some(CodeFault::Expired));
}

#[tokio::test]
async fn wrong_codes_use_up_the_tries() {
    let bench = Bench::new().await;
    let sent = bench.send("jane@example.com").await.unwrap();
    for _ in 0..bench.scratch.config.codes.update_userinfo.tries {
        assert_eq!(fault(bench.prove("jane@example.com", &sent.token, bench.wrong()).await), Some(CodeFault::Code));
    }
    assert_eq!(fault(bench.prove("jane@example.com", &sent.token, &bench.code()).await), Some(CodeFault::Token));
}

#[tokio::test]
async fn the_next_code_to_an_address_waits_for_its_interval() {
    let bench = Bench::new().await;
    bench.send("jane@example.com").await.unwrap();
    assert!(bench.send("jane@example.com").await.is_err());
    bench.scratch.pass(bench.scratch.config.codes.update_userinfo.interval);
    bench.send("jane@example.com").await.unwrap();
}

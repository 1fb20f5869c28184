//! One-time codes, tested below the contracts.

mod answer_time;
mod proving;
mod races;
mod sending;

use selfsame::account::{Contact, Error, Tenant, Text};
use selfsame::code::{CodeAttempt, CodeFault, CodeRequest, Proof, Usage};
use selfsame::language::Language;
use selfsame::outbox::mailbox::Mail;
use selfsame::telemetry::Stopwatch;

use crate::support::Server;

const JANE: &str = "jane@example.com";
const PHONE: &str = "+8613812345678";

fn contact(address: &str) -> Contact {
    let text = Text::new(address).unwrap();
    if address.contains('@') { Contact::Email(text) } else { Contact::Phone(text) }
}

/// A request for a code to update an address in CIAM, which most tests use.
fn request<'a>(tenant: &'a Tenant, address: &str) -> CodeRequest<'a> {
    CodeRequest {
        tenant,
        usage: Usage::UpdateUserinfo,
        contact: contact(address),
        application: None,
        context: "",
        challenge: None,
        language: Language::English,
        since: Stopwatch::start(),
        deliver: true,
    }
}

/// An attempt to use a code from [`request`].
fn attempt<'a>(tenant: &'a Tenant, address: &str, token: &'a str, code: &'a str) -> CodeAttempt<'a> {
    CodeAttempt {
        tenant,
        usage: Usage::UpdateUserinfo,
        contact: contact(address),
        application: None,
        context: "",
        challenge: None,
        token,
        code,
    }
}

/// Has a code sent, and returns its token and its digits.
async fn sent(server: &Server, request: CodeRequest<'_>) -> (String, String) {
    let token = server.app.codes().send(request).await.unwrap().token;
    (token, digits(&newest(server)))
}

fn mails(server: &Server) -> Vec<Mail> {
    server.app.outbox().mailbox().unwrap().mails()
}

fn newest(server: &Server) -> Mail {
    mails(server).remove(0)
}

/// The only run of more than three digits in a message.
fn digits(mail: &Mail) -> String {
    let runs: Vec<&str> = mail.text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() > 3).collect();
    assert_eq!(runs.len(), 1, "{}", mail.text);
    runs[0].to_owned()
}

/// A code that differs in every digit.
pub(crate) fn wrong(code: &str) -> String {
    code.bytes().map(|digit| if digit == b'9' { '0' } else { char::from(digit + 1) }).collect()
}

async fn prove(server: &Server, attempt: CodeAttempt<'_>) -> Result<Proof, CodeFault> {
    server.app.codes().prove(attempt).await.map_err(|error| match error {
        Error::Code(fault) => fault,
        error => panic!("{error:?}"),
    })
}

/// The reason why an attempt failed, if it did.
async fn fault(server: &Server, attempt: CodeAttempt<'_>) -> Option<CodeFault> {
    prove(server, attempt).await.err()
}

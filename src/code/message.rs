//! The text of a message with a one-time code.

use std::time::Duration;

use askama::Template;

use super::Usage;
use crate::account::{Contact, Medium};
use crate::language::{Argument, Language};
use crate::outbox::Message;

/// The message as an HTML page.
#[derive(Template)]
#[template(path = "code.html")]
struct Page<'a> {
    language: &'a str,
    subject: &'a str,
    purpose: &'a str,
    code: &'a str,
    validity: &'a str,
    warning: &'a str,
}

/// The message that carries a code.
pub(super) fn of(usage: Usage, contact: &Contact, code: &str, lifetime: Duration, language: Language) -> Message {
    let subject = language.text("code-subject");
    let purpose = language.text(match usage {
        Usage::Login => "code-login",
        Usage::Signup => "code-signup",
        Usage::UpdateUserinfo | Usage::ChangeEmail => "code-new-address",
        Usage::ResetPassword => "code-reset-password",
    });
    let validity = validity(lifetime, language);
    let warning = language.text("code-warning");
    let medium = contact.medium();
    let text = match medium {
        // SMS are billed by length.
        Medium::Sms => format!("{purpose} {code}\n{validity} {warning}"),
        Medium::Email => format!("{purpose}\n\n    {code}\n\n{validity}\n{warning}\n"),
    };
    let page = Page {
        language: language.tag(),
        subject: &subject,
        purpose: &purpose,
        code,
        validity: &validity,
        warning: &warning,
    };
    let is_mail = medium == Medium::Email;
    Message {
        medium,
        to: contact.text().as_str().to_owned(),
        html: page.render().ok().filter(|_| is_mail),
        subject: is_mail.then(|| subject.clone().into_owned()),
        text,
    }
}

/// Renders a lifetime in minutes if it is two or more whole minutes, else in seconds.
fn validity(lifetime: Duration, language: Language) -> String {
    let seconds = lifetime.as_secs();
    let (key, number) = match seconds {
        minutes if minutes > 60 && minutes.is_multiple_of(60) => ("code-valid-minutes", minutes / 60),
        seconds => ("code-valid-seconds", seconds),
    };
    language.text_with(key, &[("number", Argument::Number(u32::try_from(number).unwrap_or(u32::MAX)))])
}

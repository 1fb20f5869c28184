//! Changing the e-mail address: a code is sent to the new address, and the old one stays in place until the code is
//! confirmed.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::Success;
use super::{RiverGenAccess, answer, openapi};
use crate::account::history::ChangeContext;
use crate::account::{
    Account, AccountId, CodeFault, Contact, Contract, Email, Error, Fault, Field, Medium, Patch, Rule, Text, Unique,
};
use crate::app::App;
use crate::code::{CodeAttempt, CodeRequest, Repetition, Usage, digits_of};
use crate::http::body::members;
use crate::http::{Authenticated, change_context, language};
use crate::json::{Object, Value};
use crate::language::Language;
use crate::telemetry::Stopwatch;

/// The largest body, in bytes.
const MAX_BODY: usize = 64 * 1024;

pub(super) const NEW_EMAIL: &str = "new_email";
pub(super) const OTP_CODE: &str = "otp_code";

const SENT: &str = "OTP sent to new email address";
const UPDATED: &str = "Email updated successfully";

/// Sends a code to a new e-mail address.
///
/// The present address stays in place, and verified, until the code is confirmed. The newest two codes of an account are
/// valid, each for its own address.
#[utoipa::path(
    post,
    path = "/me/email/request",
    operation_id = "requestEmailChange",
    tag = "Person",
    request_body(content = openapi::EmailRequest, description = "At most 64 KiB."),
    security(("token" = []))
)]
pub(super) async fn request(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<RiverGenAccess>,
    request: Request,
) -> Result<Response, Error> {
    let asked_in = language(request.headers());
    let body = members(&app, request, MAX_BODY, |name| name == NEW_EMAIL).await?;
    let mut faults = Vec::new();
    let contact = read(&body, NEW_EMAIL, email, &mut faults);
    let Some(contact) = contact else { return Err(Error::Fields(faults)) };

    let since = Stopwatch::start();
    let account = &caller.account;
    // The person may prove their own address, and correct its capitals.
    if account.verified_contact(Medium::Email).as_ref() == Some(&contact) {
        return Err(Error::AddressUnchanged);
    }
    if app.profiles().is_taken(account, &contact).await? {
        app.codes().answer_time(since).await;
        return Err(Error::Taken(Unique::Email));
    }
    let code_request = CodeRequest {
        tenant: &caller.tenant,
        usage: Usage::ChangeEmail,
        contact: contact.clone(),
        application: None,
        context: &account.id.to_string(),
        challenge: None,
        language: account.text(Field::Language).and_then(Language::of_tag).unwrap_or(asked_in),
        since,
        deliver: true,
    };
    app.codes().send(code_request).await?;
    Ok(answer(&requested(contact.text().as_str())))
}

/// Changes the e-mail address, given the code that was sent to the new one.
///
/// The new address is verified by that, and no other account of the tenant can verify it. The same request again gets
/// the same answer while the time of the code lasts and the account has the address.
#[utoipa::path(
    post,
    path = "/me/email/verify",
    operation_id = "verifyEmailChange",
    tag = "Person",
    request_body(content = openapi::EmailVerification, description = "At most 64 KiB."),
    security(("token" = []))
)]
pub(super) async fn verify(
    State(app): State<App>,
    Authenticated { caller, .. }: Authenticated<RiverGenAccess>,
    request: Request,
) -> Result<Response, Error> {
    let context = change_context(Contract::RiverGen, &request);
    let body = members(&app, request, MAX_BODY, |name| [NEW_EMAIL, OTP_CODE].contains(&name)).await?;
    let mut faults = Vec::new();
    let contact = read(&body, NEW_EMAIL, email, &mut faults);
    let length = app.config().codes.change_email.length;
    let code = read(&body, OTP_CODE, |text| digits(text, length), &mut faults);
    let (Some(contact), Some(code)) = (contact, code) else { return Err(Error::Fields(faults)) };

    let id = caller.account.id;
    let attempt = CodeAttempt {
        tenant: &caller.tenant,
        usage: Usage::ChangeEmail,
        contact,
        application: None,
        context: &id.to_string(),
        challenge: None,
        token: "",
        code: &code,
    };
    match change(&app, caller.account, attempt.clone(), context).await {
        Err(fault @ Error::Code(_)) => repeated(&app, id, &attempt).await?.ok_or(fault),
        changed => changed,
    }
}

/// Changes the address of an account to the one that a code proves.
async fn change(
    app: &App,
    account: Account,
    attempt: CodeAttempt<'_>,
    context: ChangeContext,
) -> Result<Response, Error> {
    let proof = app.codes().prove(attempt).await?;
    let (old, new) = (account.contact(Medium::Email), proof.contact().clone());
    let proof = app.codes().keep(proof, old.as_ref());
    let permitted = Account::require_active;
    match app.profiles().update_proved(account, Patch::default(), vec![proof], context, permitted).await {
        Ok(_) => Ok(answer(&updated(old.as_ref().map(text_of), text_of(&new)))),
        // Another account has proved the address since the code was requested.
        Err(Error::Taken(_)) => Err(Error::Code(CodeFault::Token)),
        Err(error) => Err(error),
    }
}

/// Answers a request that changed the address already, as some clients send it twice: `None` if it did not, or if the account has
/// another address by now.
async fn repeated(app: &App, id: AccountId, attempt: &CodeAttempt<'_>) -> Result<Option<Response>, Error> {
    let Some(Repetition { contact, previous }) = app.codes().repetition(attempt).await? else { return Ok(None) };
    // Not the account as this request read it at first, which may be from before the change.
    let Some(account) = app.store().account(id).await? else { return Ok(None) };
    account.require_active()?;
    let is_present = account.verified_contact(Medium::Email).as_ref() == Some(&contact);
    Ok(is_present.then(|| answer(&updated(previous.as_ref().map(text_of), text_of(&contact)))))
}

fn text_of(contact: &Contact) -> &str {
    contact.text().as_str()
}

/// Reads a required member, and adds its error to `faults`.
fn read<T>(
    body: &Object,
    name: &'static str,
    check: impl FnOnce(&str) -> Result<T, Rule>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let read = match body.get(name) {
        None | Some(Value::Null) => Err(Rule::Required),
        Some(Value::String(text)) => check(text),
        Some(_) => Err(Rule::Text),
    };
    read.map_err(|rule| faults.push(Fault { field: name.into(), rule })).ok()
}

fn email(text: &str) -> Result<Contact, Rule> {
    match text {
        "" => Err(Rule::Required),
        text if text.contains('\0') => Err(Rule::NoControlCharacters),
        text if Email(text).is_well_formed() => Text::new(text).map(Contact::Email).map_err(|_| Rule::EmailAddress),
        _ => Err(Rule::EmailAddress),
    }
}

fn digits(text: &str, length: usize) -> Result<String, Rule> {
    match text {
        "" => Err(Rule::Required),
        text if text.contains('\0') => Err(Rule::NoControlCharacters),
        text => digits_of(text, length).ok_or_else(|| Rule::Digits(u8::try_from(length).unwrap_or(u8::MAX))),
    }
}

/// The new address, to which a code was sent.
#[derive(Serialize, ToSchema)]
pub(super) struct EmailRequested<'a> {
    message: &'static str,
    new_email: &'a str,
}

pub(super) fn requested(new_email: &str) -> Success<EmailRequested<'_>> {
    Success { success: true, data: EmailRequested { message: SENT, new_email }, message: SENT }
}

/// The old and the new address.
#[derive(Serialize, ToSchema)]
pub(super) struct EmailUpdated<'a> {
    message: &'static str,
    #[schema(required)]
    old_email: Option<&'a str>,
    new_email: &'a str,
}

pub(super) fn updated<'a>(old_email: Option<&'a str>, new_email: &'a str) -> Success<EmailUpdated<'a>> {
    let data = EmailUpdated { message: UPDATED, old_email, new_email };
    Success { success: true, data, message: UPDATED }
}

//! `POST /otp/send`: an application's back end requests a one-time code.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{self, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::client::Client;
use super::refusal::{Address, Refused, refusals};
use super::{discovery, update};
use crate::account::{Application, BodyFault, CredentialFault, Error, Tenant};
use crate::app::App;
use crate::code::{CodeChallenge, CodeRequest, Medium, Usage};
use crate::http::{body, caller_is_known, count_source_of, language};
use crate::json::{Object, Value};
use crate::telemetry::Stopwatch;

/// The token that must be presented with the code.
#[derive(Serialize, ToSchema)]
#[schema(as = Sent)]
pub(super) struct SentCode {
    pub(super) otp_token: String,
}

refusals! {
    /// Why no code is sent.
    SendError {
        UnknownUsage: "an unknown usage", "invalid_request", "Unknown usage.";
        NotOneAddress: "no address, or two", "invalid_request", "Exactly one of phone_number and email is required.";
        OnlyToSignIn: "another application or a code challenge, for a use other than to sign in or up", "invalid_request",
            "client_id and code_challenge are only for login and signup.";
        MalformedChallenge: "a code challenge of the wrong form, or only its method", "invalid_request",
            "code_challenge must be 43 characters of base64url.";
        UnsupportedMethod: "a code challenge by another method than S256", "invalid_request",
            "code_challenge_method must be S256.";
        PhoneUsed: "to sign up: an account has the number", "phone_number_is_used";
        EmailUsed: "to sign up: an account has the address", "email_is_used";
        InvalidEmail: "no message reaches the address, and the code is not to sign in or reset a password", "invalid_email";
        SmsTooOften: "too often to a number", "sms_rate_limit_exceeded", "SMS rate limit exceeded for same phone number";
        EmailTooOften: "too often to an address", "email_rate_limit_exceeded",
            "Email rate limit exceeded for same email address";
    }
}

impl SendError {
    /// Returns the refusal when too many codes were sent over a medium: 400, as published, and not 429.
    pub(super) fn too_often(medium: Medium) -> SendError {
        match medium {
            Medium::Sms => SendError::SmsTooOften,
            Medium::Email => SendError::EmailTooOften,
        }
    }
}

/// Sends a one-time code.
///
/// To sign in or to prove a new address, the response is the same whether or not an account has the address. A code to sign
/// in is sent only if an account has the address or the application signs people up automatically.
///
/// A back end can request a code to sign in for an application of its tenant that has no secret; only that application can
/// then use the code. With a code challenge (RFC 7636), the code is valid only together with its verifier.
#[utoipa::path(
    post,
    path = "/send",
    operation_id = "sendCode",
    tag = "Codes",
    request_body(content = super::openapi::CodeWanted, description = "At most 64 KiB."),
    security(("application" = []))
)]
pub(super) async fn send(State(app): State<App>, headers: HeaderMap, request: Request) -> response::Result<Response> {
    count_source_of(&app, &request)?;
    let client = Client::of_header(&headers)?;
    let (application, tenant) = client.authenticate(&app).await?;
    // Without a secret, the identifier of an application proves nothing.
    if application.secret_hash.is_none() {
        return Err(Error::from(CredentialFault::Invalid).into());
    }
    caller_is_known(request.extensions());
    let wanted = body::members(&app, request, super::MAX_BODY, |name| NAMES.contains(&name)).await?;
    let usage = usage(&wanted)?;
    let (address, value) = address(&wanted)?;
    let contact = value.as_str().and_then(|text| update::contact(address, text));
    let contact = contact.ok_or(Refused::MalformedAddress(address))?;
    let challenge = code_challenge(&wanted, usage)?;
    let application = user_of_code(&app, &wanted, usage, application, &tenant).await?;
    let since = Stopwatch::start();
    let owner = app.profiles().owner_of(tenant.id, &contact).await?;
    if usage == Usage::Signup && owner.is_some() {
        app.codes().answer_time(since).await;
        return Err(match address {
            Address::Phone => SendError::PhoneUsed.into(),
            Address::Email => SendError::EmailUsed.into(),
        });
    }
    let deliver = match usage {
        Usage::Login => owner.is_some() || application.auto_signup,
        Usage::ResetPassword => owner.is_some(),
        Usage::Signup | Usage::UpdateUserinfo | Usage::ChangeEmail => true,
    };
    let contact = match owner {
        Some(owner) if usage.opens_an_account() => owner.contact,
        _ => contact,
    };
    let source = auth_source(&wanted, usage)?;
    let wanted = CodeRequest {
        tenant: &tenant,
        usage,
        contact,
        application: Some(&application.id),
        context: source,
        challenge,
        language: language(&headers),
        since,
        deliver,
    };
    let sent = app.codes().send(wanted).await?;
    Ok(discovery::described(&SentCode { otp_token: sent.token }))
}

const NAMES: [&str; 7] =
    ["usage", "phone_number", "email", "auth_source_id", "client_id", "code_challenge", "code_challenge_method"];

/// Reads what the code is for; to sign in by default.
fn usage(wanted: &Object) -> Result<Usage, SendError> {
    let known = [Usage::Login, Usage::Signup, Usage::UpdateUserinfo, Usage::ResetPassword];
    let usage = match wanted.get("usage") {
        None | Some(Value::Null) => Some(Usage::Login),
        Some(Value::String(name)) => known.into_iter().find(|usage| usage.name() == name),
        Some(_) => None,
    };
    usage.ok_or(SendError::UnknownUsage)
}

/// Returns the only address that is given.
fn address(wanted: &Object) -> Result<(Address, &Value), SendError> {
    match (given(wanted, Address::Phone.name()), given(wanted, Address::Email.name())) {
        (Some(value), None) => Ok((Address::Phone, value)),
        (None, Some(value)) => Ok((Address::Email, value)),
        _ => Err(SendError::NotOneAddress),
    }
}

/// Returns a member; null is the same as absence.
fn given<'a>(wanted: &'a Object, name: &str) -> Option<&'a Value> {
    wanted.get(name).filter(|value| **value != Value::Null)
}

/// Reads the challenge that the code is bound to (RFC 7636 §4.3). Its method may be absent: S256 is the only one.
fn code_challenge(wanted: &Object, usage: Usage) -> Result<Option<CodeChallenge>, SendError> {
    let challenge = given(wanted, "code_challenge");
    let method = given(wanted, "code_challenge_method");
    if challenge.or(method).is_none() {
        return Ok(None);
    }
    if !usage.is_of_an_application() {
        return Err(SendError::OnlyToSignIn);
    }
    if method.is_some_and(|method| method.as_str() != Some("S256")) {
        return Err(SendError::UnsupportedMethod);
    }
    let challenge = challenge.and_then(Value::as_str).and_then(CodeChallenge::parse);
    challenge.map(Some).ok_or(SendError::MalformedChallenge)
}

/// Returns the application that can use the code: the sender, unless `client_id` names another application.
async fn user_of_code(
    app: &App,
    wanted: &Object,
    usage: Usage,
    sender: Application,
    tenant: &Tenant,
) -> response::Result<Application> {
    let id = match given(wanted, "client_id") {
        None => return Ok(sender),
        Some(id) => id.as_str().ok_or(Error::from(CredentialFault::Invalid))?,
    };
    if id == sender.id {
        return Ok(sender);
    }
    if !usage.is_of_an_application() {
        return Err(SendError::OnlyToSignIn.into());
    }
    if id.contains('\0') {
        return Err(Error::from(BodyFault::Malformed).into());
    }
    Ok(app.authenticator().public_application(id, tenant.id).await?)
}

/// Reads the source that the code is bound to; it counts for signing in alone.
fn auth_source(wanted: &Object, usage: Usage) -> Result<&str, Error> {
    match wanted.get("auth_source_id") {
        Some(Value::String(source)) if usage == Usage::Login && source.contains('\0') => {
            Err(BodyFault::Malformed.into())
        }
        Some(Value::String(source)) if usage == Usage::Login => Ok(source),
        _ => Ok(""),
    }
}

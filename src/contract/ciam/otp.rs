//! `POST /otp/send`: an application's back end has a code sent.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::client::Client;
use super::refusal::{self, Address, Refused};
use super::{discovery, wish};
use crate::account::{BodyFault, Contact, CredentialFault, Error};
use crate::app::App;
use crate::code::{Channel, Usage, Wanted};
use crate::http::{body, count_source_of, language};
use crate::json::{Object, Value};
use crate::telemetry::Stopwatch;

/// What must come back with the code.
#[derive(Serialize, ToSchema)]
pub(super) struct Sent {
    pub(super) otp_token: String,
}

/// Sends a one-time code.
///
/// To sign in or to prove a new address the answer is the same whoever has the address. A code to sign in only leaves where
/// somebody has the address, or the application signs people up by itself.
#[utoipa::path(
    post,
    path = "/send",
    operation_id = "sendCode",
    tag = "Codes",
    request_body(content = super::openapi::CodeWanted, description = "At most 64 KiB."),
    security(("application" = []))
)]
pub(super) async fn send(State(app): State<App>, headers: HeaderMap, request: Request) -> Result<Response, Response> {
    let said = |error: Error| error.into_response();
    count_source_of(&app, &request).map_err(said)?;
    let client = Client::of_header(&headers).map_err(said)?;
    let (application, tenant) = client.authenticate(&app).await.map_err(said)?;
    // One without a secret proves nothing by its name.
    if application.secret_hash.is_none() {
        return Err(said(Error::Credentials(CredentialFault::Invalid)));
    }
    let wanted = body::object(&app, request, super::MAX_BODY).await.map_err(said)?;
    body::refuse_nul_outside(&wanted, &NAMES).map_err(said)?;
    let usage = usage(&wanted).map_err(|refused| *refused)?;
    let (address, contact) = contact(&wanted).map_err(|refused| *refused)?;
    let since = Stopwatch::start();
    let owner = app.profiles().owner_of(tenant.id, &contact).await.map_err(said)?;
    if usage == Usage::Signup && owner.is_some() {
        let code = if address == Address::Phone { "phone_number_is_used" } else { "email_is_used" };
        return Err(refusal::answer(StatusCode::BAD_REQUEST, code, None));
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
    let source = auth_source(&wanted, usage).map_err(|refused| *refused)?;
    let wanted = Wanted {
        tenant: &tenant,
        usage,
        contact,
        application: Some(&application.id),
        context: source,
        language: language(&headers),
        since,
        deliver,
    };
    match app.codes().send(wanted).await {
        Ok(sent) => Ok(discovery::described(&Sent { otp_token: sent.token })),
        Err(error) => Err(said(error)),
    }
}

const NAMES: [&str; 4] = ["usage", "phone_number", "email", "auth_source_id"];

/// What the code is for; to sign in unless it is said.
fn usage(wanted: &Object) -> Result<Usage, Box<Response>> {
    let known = [Usage::Login, Usage::Signup, Usage::UpdateUserinfo, Usage::ResetPassword];
    let usage = match wanted.get("usage") {
        None | Some(Value::Null) => Some(Usage::Login),
        Some(Value::String(said)) => known.into_iter().find(|usage| usage.name() == said),
        Some(_) => None,
    };
    usage.ok_or_else(|| invalid("Unknown usage."))
}

/// To whom it goes.
fn contact(wanted: &Object) -> Result<(Address, Contact), Box<Response>> {
    let given = |address: Address| wanted.get(address.name()).filter(|value| **value != Value::Null);
    let (address, value) = match (given(Address::Phone), given(Address::Email)) {
        (Some(value), None) => (Address::Phone, value),
        (None, Some(value)) => (Address::Email, value),
        _ => return Err(invalid("Exactly one of phone_number and email is required.")),
    };
    let contact = value.as_str().and_then(|text| wish::contact(address, text));
    contact
        .map(|contact| (address, contact))
        .ok_or_else(|| Box::new(Refused::MalformedAddress(address).into_response()))
}

/// The source that the code is to be used with; it counts for signing in alone.
fn auth_source(wanted: &Object, usage: Usage) -> Result<&str, Box<Response>> {
    match wanted.get("auth_source_id") {
        Some(Value::String(source)) if usage == Usage::Login && source.contains('\0') => {
            Err(Box::new(Error::from(BodyFault::Malformed).into_response()))
        }
        Some(Value::String(source)) if usage == Usage::Login => Ok(source),
        _ => Ok(""),
    }
}

fn invalid(text: &'static str) -> Box<Response> {
    Box::new(refusal::answer(StatusCode::BAD_REQUEST, "invalid_request", Some(text)))
}

/// Said with 400, as published, and not with 429.
pub(super) fn too_often(channel: Channel) -> Response {
    let (error, text) = match channel {
        Channel::Sms => ("sms_rate_limit_exceeded", "SMS rate limit exceeded for same phone number"),
        Channel::Email => ("email_rate_limit_exceeded", "Email rate limit exceeded for same email address"),
    };
    refusal::answer(StatusCode::BAD_REQUEST, error, Some(text))
}

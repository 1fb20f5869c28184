//! Renders every error as the contract's response, localised: `{"success":false,"code":"<status × 10>","message":…}`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::secure_channel as channel;
use crate::account::{AccessFault, ChannelFault, CredentialFault, Error, Fault, HashFault, RequestFault, Rule, Status};
use crate::http::{ErrorContext, body, status_of};
use crate::identity::client_hash;
use crate::json::{Object, Value};
use crate::language::{Argument, Language};

/// Renders an error as the contract's response.
pub(super) fn render_error(error: &Error, context: &ErrorContext) -> Response {
    let language = context.language;
    let text = |status, key: &str| refusal(status, language, language.text(key).into_owned());
    let about_header = |key: &str, header| {
        let message = language.text_with(key, &[("header", Argument::Text(header))]);
        refusal(StatusCode::BAD_REQUEST, language, message)
    };
    match error {
        Error::Request(RequestFault::Host) => about_header("system-header-invalid", "Host"),
        Error::Request(fault) => text(status_of(fault), request_text(fault)),
        Error::Credentials(CredentialFault::Missing) => challenge(language, "Bearer realm=\"system\""),
        Error::Credentials(CredentialFault::OtherScheme | CredentialFault::Invalid)
        | Error::Access(AccessFault::AccountStatus(Status::Closed)) => {
            challenge(language, "Bearer realm=\"system\", error=\"invalid_token\"")
        }
        Error::Credentials(CredentialFault::ScopeMissing) => text(StatusCode::FORBIDDEN, "system-access-denied"),
        Error::Access(fault) => text(StatusCode::FORBIDDEN, access_text(fault)),
        Error::ClientHash(HashFault::Missing) => about_header("system-header-missing", client_hash::HEADER),
        Error::ClientHash(HashFault::Malformed) => about_header("system-header-invalid", client_hash::HEADER),
        Error::ClientHash(HashFault::Mismatch) => text(StatusCode::FORBIDDEN, "system-client-hash-mismatch"),
        Error::Channel(fault) => channel::Plain::mark_plain(text(channel_status(fault), channel_text(fault))),
        Error::Fields(faults) => invalid(language, faults),
        // No field that this contract writes must be unique, and it writes no attributes.
        Error::Taken(_) | Error::AttributesTooLarge | Error::Attributes(_) => {
            text(StatusCode::BAD_REQUEST, "system-parameters-invalid")
        }
        Error::Unavailable(_) => text(StatusCode::SERVICE_UNAVAILABLE, "system-unavailable"),
        // This contract reads no picture and no code.
        Error::PictureUnusable | Error::AddressUnchanged | Error::Code(_) | Error::Internal(_) => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, language, "INTERNAL_SERVER_ERROR".to_owned())
        }
    }
}

fn request_text(fault: &RequestFault) -> &'static str {
    match fault {
        RequestFault::NotFound => "system-not-found",
        RequestFault::MethodNotAllowed(_) => "system-method-not-allowed",
        RequestFault::MediaType | RequestFault::ContentEncoding => "system-content-type",
        RequestFault::BodyTooLarge => "system-body-too-large",
        RequestFault::BodyTooSlow => "system-timeout",
        // `render_error` names the header.
        RequestFault::Host => "system-parameters-invalid",
        RequestFault::Body(_) => "system-body-malformed",
        RequestFault::RateLimited(_) | RequestFault::DayUsedUp(_) => "system-too-many-requests",
    }
}

fn access_text(fault: &AccessFault) -> &'static str {
    match fault {
        AccessFault::AccountStatus(Status::Suspended) => "system-account-suspended",
        AccessFault::AccountStatus(Status::Locked) => "system-account-locked",
        AccessFault::AccountStatus(Status::PendingApproval) => "system-account-pending",
        AccessFault::AccountStatus(Status::Rejected) => "system-account-rejected",
        AccessFault::AccountStatus(Status::Active | Status::Closed)
        | AccessFault::TenantUnknown
        | AccessFault::TenantClosed
        | AccessFault::TenantExpired
        | AccessFault::AccountUnknown
        | AccessFault::Denied => "system-access-denied",
    }
}

fn channel_status(fault: &ChannelFault) -> StatusCode {
    match fault {
        ChannelFault::PublicKey(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn channel_text(fault: &ChannelFault) -> &'static str {
    match fault {
        ChannelFault::Payload => "system-channel-payload",
        ChannelFault::Session => "system-channel-session",
        ChannelFault::KeyId => "system-channel-key-id",
        ChannelFault::SessionKeys => "system-channel-session-keys",
        ChannelFault::PublicKey(_) => "system-channel-public-key",
    }
}

/// The envelope of every error response.
#[derive(Serialize, ToSchema)]
pub(super) struct Refusal {
    success: bool,
    /// The HTTP status followed by a zero.
    #[schema(pattern = "^[45][0-9]{2}0$")]
    code: String,
    /// The error message, in the language of the response.
    message: String,
    /// The errors of each member of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>, required = false)]
    data: Option<Value>,
}

fn refusal(status: StatusCode, language: Language, message: String) -> Response {
    respond(status, language, message, None)
}

fn challenge(language: Language, challenge: &'static str) -> Response {
    let refused = refusal(StatusCode::UNAUTHORIZED, language, language.text("system-unauthorized").into_owned());
    ([(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))], refused).into_response()
}

fn invalid(language: Language, faults: &[Fault]) -> Response {
    let mut data = Object::new();
    for fault in faults {
        let text = Value::from(rule(&fault.rule, language));
        match data.get_mut(&fault.field) {
            Some(Value::Array(texts)) => texts.push(text),
            _ => drop(data.insert(&*fault.field, Value::Array(vec![text]))),
        }
    }
    let message = language.text("system-parameters-invalid").into_owned();
    respond(StatusCode::BAD_REQUEST, language, message, Some(Value::Object(data)))
}

fn rule(rule: &Rule, language: Language) -> String {
    match rule {
        Rule::MaxLength(max) => {
            let max = Argument::Number(u32::try_from(*max).unwrap_or(u32::MAX));
            language.text_with("system-size", &[("max", max)])
        }
        Rule::Text => language.text("system-not-text").into_owned(),
        // No field of this contract has such a rule.
        Rule::Required
        | Rule::Object
        | Rule::TooDeep
        | Rule::KeyLength
        | Rule::NumberRange
        | Rule::Picture(_)
        | Rule::ForeignPicture
        | Rule::Schema
        | Rule::ReadOnly
        | Rule::PhoneNumber
        | Rule::EmailAddress
        | Rule::Digits(_)
        | Rule::Identifier
        | Rule::Registered(_) => language.text("system-parameters-invalid").into_owned(),
        Rule::NoControlCharacters => language.text("system-control-characters").into_owned(),
    }
}

fn respond(status: StatusCode, language: Language, message: String, data: Option<Value>) -> Response {
    let refusal = Refusal { success: false, code: format!("{}0", status.as_u16()), message, data };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
    ];
    (status, headers, body::json(&refusal)).into_response()
}

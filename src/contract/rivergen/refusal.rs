//! Renders every error as the contract's response.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{
    AccessFault, CodeFault, CredentialFault, Error, Fault, PictureRule, RequestFault, Rule, Status, TooMany,
};
use crate::clock::after;
use crate::http::body::seconds;
use crate::http::{ErrorContext, body, retry_after, status_of};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Renders an error as the contract's response.
pub(super) fn render_error(error: &Error, context: &ErrorContext) -> Response {
    let plain = |status, code, message| refusal(context, status, code, message, None);
    let challenge = |challenge| {
        let refused = plain(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Invalid or missing token");
        ([(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))], refused).into_response()
    };
    let denied = |message| plain(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message);
    let failed = |field: &str, reason: &str| {
        let details = Details { field: field.to_owned(), reason: reason.to_owned(), errors: Vec::new() };
        refusal(context, StatusCode::BAD_REQUEST, "PROFILE_UPDATE_FAILED", "Profile update failed", Some(details))
    };
    let bad = |code, message| plain(StatusCode::BAD_REQUEST, code, message);
    match error {
        Error::Request(fault) => request(context, fault),
        Error::Credentials(CredentialFault::Missing) => challenge("Bearer realm=\"rivergen\""),
        Error::Credentials(CredentialFault::OtherScheme | CredentialFault::Invalid)
        | Error::Access(AccessFault::AccountStatus(Status::Closed)) => {
            challenge("Bearer realm=\"rivergen\", error=\"invalid_token\"")
        }
        Error::Credentials(CredentialFault::ScopeMissing) => denied("Permission denied"),
        Error::Access(AccessFault::AccountStatus(_)) => denied("User account is disabled"),
        Error::Access(
            AccessFault::TenantUnknown
            | AccessFault::TenantClosed
            | AccessFault::TenantExpired
            | AccessFault::AccountUnknown
            | AccessFault::Denied,
        ) => denied("Permission denied"),
        Error::Fields(faults) => {
            let faults: Vec<_> = faults.iter().map(|fault| (fault.field.to_string(), reason(fault))).collect();
            invalid(context, &faults)
        }
        Error::Attributes(faults) => {
            let place = |fault: &Fault| format!("{}{}", super::body::PROFILE, fault.field);
            let faults: Vec<_> = faults.iter().map(|fault| (place(fault), reason(fault))).collect();
            invalid(context, &faults)
        }
        Error::PictureUnusable => failed("profile_image_url", "image is damaged"),
        Error::AttributesTooLarge => failed("profile", "profile too large"),
        Error::Unavailable(_) => plain(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "Service unavailable"),
        Error::AddressUnchanged | Error::Code(CodeFault::Undeliverable) => {
            bad("EMAIL_UPDATE_REQUEST_FAILED", "Request failed")
        }
        Error::Taken(_) => bad("EMAIL_ALREADY_TAKEN", "Email already registered"),
        Error::Code(CodeFault::Token | CodeFault::Used) => bad("EMAIL_UPDATE_VERIFY_FAILED", "Verification failed"),
        Error::Code(CodeFault::Code) => bad("INVALID_OTP", "Invalid OTP code"),
        Error::Code(CodeFault::Expired) => bad("OTP_EXPIRED", "OTP expired"),
        Error::Code(CodeFault::TooOften { wait, .. }) => {
            let refused = plain(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "Rate limit exceeded");
            ([(header::RETRY_AFTER, retry_after(*wait))], refused).into_response()
        }
        // This contract reads no client hash and no encrypted body.
        Error::ClientHash(_) | Error::Channel(_) | Error::Internal(_) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Internal server error")
        }
    }
}

fn request(context: &ErrorContext, fault: &RequestFault) -> Response {
    let (code, message) = match fault {
        // Unlike the other contracts, this one answers a body that is not a JSON object like invalid fields, with 422.
        RequestFault::Body(_) => return invalid(context, &[("body".to_owned(), "invalid JSON".to_owned())]),
        RequestFault::Host => return malformed_host(context),
        RequestFault::RateLimited(early) => return too_many(context, *early),
        RequestFault::DayUsedUp(_) => ("RATE_LIMITED", "Rate limit exceeded"),
        RequestFault::NotFound => ("RESOURCE_NOT_FOUND", "Not found"),
        RequestFault::MethodNotAllowed(_) => ("METHOD_NOT_ALLOWED", "Method not allowed"),
        RequestFault::MediaType | RequestFault::ContentEncoding => ("UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"),
        RequestFault::BodyTooLarge => ("PAYLOAD_TOO_LARGE", "Request body too large"),
        RequestFault::BodyTooSlow => ("REQUEST_TIMEOUT", "Request timeout"),
    };
    refusal(context, status_of(fault), code, message, None)
}

/// The envelope of every error response.
#[derive(Serialize, ToSchema)]
pub(super) struct Refusal {
    success: bool,
    error: Description,
    message: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Description {
    code: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    #[schema(format = DateTime)]
    timestamp: String,
}

/// The first error, and all of them if there are several.
#[derive(Serialize, ToSchema)]
struct Details {
    field: String,
    reason: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Each>,
}

#[derive(Serialize, ToSchema)]
struct Each {
    field: String,
    reason: String,
}

fn refusal(
    context: &ErrorContext,
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    details: Option<Details>,
) -> Response {
    let error = Description { code, message, details, timestamp: seconds(context.now) };
    let refusal = Refusal { success: false, error, message };
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body::json(&refusal))
        .into_response()
}

fn invalid(context: &ErrorContext, faults: &[(String, String)]) -> Response {
    let details = faults.first().map(|(field, reason)| Details {
        field: field.clone(),
        reason: reason.clone(),
        errors: match faults {
            [_] => Vec::new(),
            several => {
                let each = several.iter().map(|(field, reason)| Each { field: field.clone(), reason: reason.clone() });
                each.collect()
            }
        },
    });
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    refusal(context, status, "VALIDATION_ERROR", "Request validation failed", details)
}

/// Like [`invalid`], with the status that HTTP requires (RFC 9112 §3.2).
fn malformed_host(context: &ErrorContext) -> Response {
    let details = Details { field: "Host".to_owned(), reason: "must name one host".to_owned(), errors: Vec::new() };
    refusal(context, StatusCode::BAD_REQUEST, "VALIDATION_ERROR", "Request validation failed", Some(details))
}

fn reason(fault: &Fault) -> String {
    match &fault.rule {
        Rule::Required => "must not be blank".to_owned(),
        Rule::MaxLength(max) => format!("must be at most {max} characters"),
        Rule::Text => "must be a string".to_owned(),
        Rule::NoControlCharacters => "must not contain control characters".to_owned(),
        Rule::Object => "must be an object".to_owned(),
        Rule::TooDeep => "nesting too deep".to_owned(),
        Rule::KeyLength => format!("keys must be 1 to {} characters", crate::account::attributes::MAX_KEY),
        Rule::NumberRange => "number out of range".to_owned(),
        Rule::Picture(rule) => picture_reason(*rule).to_owned(),
        Rule::ForeignPicture => "not a picture of this account".to_owned(),
        Rule::Schema => "does not match the schema".to_owned(),
        Rule::ReadOnly => "is read-only".to_owned(),
        Rule::EmailAddress => "must be an e-mail address".to_owned(),
        Rule::Digits(6) => "must be six digits".to_owned(),
        Rule::Digits(length) => format!("must be {length} digits"),
        // This contract writes no phone number and no identifier, and a taken address is `Error::Taken`.
        Rule::PhoneNumber | Rule::Identifier | Rule::Registered(_) => "invalid value".to_owned(),
    }
}

fn picture_reason(rule: PictureRule) -> &'static str {
    match rule {
        PictureRule::NotAPicture => "must be an http or https URL or a base64 image data URI",
        PictureRule::AddressTooLong => "must be at most 2048 characters",
        PictureRule::UnsupportedType => "unsupported image type",
        PictureRule::InvalidBase64 => "invalid base64 data",
        PictureRule::TooLarge => "image too large",
    }
}

fn too_many(context: &ErrorContext, early: TooMany) -> Response {
    let refused = refusal(context, StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "Rate limit exceeded", None);
    let wait = jiff::SignedDuration::try_from(early.wait).unwrap_or(jiff::SignedDuration::MAX);
    let reset = after(context.now, wait);
    // Rounded up to whole seconds, so that a request at that time is accepted.
    let reset = reset.as_second() + i64::from(reset.subsec_nanosecond() > 0);
    let headers =
        [(LIMIT, HeaderValue::from(early.limit)), (REMAINING, HeaderValue::from(0)), (RESET, HeaderValue::from(reset))];
    (headers, refused).into_response()
}

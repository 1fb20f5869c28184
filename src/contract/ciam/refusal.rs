//! Renders every error as the contract's response.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::otp::SendError;
use crate::account::{AccessFault, CodeFault, CredentialFault, Error, RequestFault, Status, Unique};
use crate::http::{ErrorContext, body, status_of};

/// The exact `Content-Type` of errors and of issued tokens.
pub(super) const ERROR_TYPE: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

/// Renders an error as the contract's response.
pub(super) fn render_error(error: &Error, _: &ErrorContext) -> Response {
    match error {
        // `Accept-Patch` names the media type of changes (RFC 5789 §3.1).
        Error::Request(fault @ RequestFault::MediaType) => {
            ([(ACCEPT_PATCH, HeaderValue::from_static("application/json"))], request(fault)).into_response()
        }
        Error::Request(fault) => request(fault),
        Error::Credentials(CredentialFault::Missing | CredentialFault::OtherScheme) => {
            bearer(StatusCode::BAD_REQUEST, "invalid_request", "Bearer token not found in the request")
        }
        Error::Credentials(CredentialFault::Invalid)
        | Error::Access(
            AccessFault::TenantUnknown | AccessFault::TenantClosed | AccessFault::TenantExpired | AccessFault::Denied,
        ) => bearer(StatusCode::UNAUTHORIZED, "invalid_token", "Error decoding JWT"),
        Error::Credentials(CredentialFault::ScopeMissing) => bearer(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "The request requires higher privileges than provided by the access token.",
        ),
        Error::Access(AccessFault::AccountUnknown | AccessFault::AccountStatus(Status::Closed)) => {
            answer(StatusCode::NOT_FOUND, "user_not_found", None)
        }
        Error::Access(AccessFault::AccountStatus(status)) => {
            let text = if *status == Status::Locked { "User is locked." } else { "User is frozen." };
            answer(StatusCode::BAD_REQUEST, "abnormal_user_status", Some(text))
        }
        Error::Fields(_) | Error::AttributesTooLarge | Error::Attributes(_) => Refused::IllegalValue.into_response(),
        Error::Taken(Unique::Email) => Refused::Duplicate(Address::Email).into_response(),
        Error::Taken(Unique::Phone) => Refused::Duplicate(Address::Phone).into_response(),
        Error::Unavailable(_) => answer(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", None),
        Error::Code(CodeFault::TooOften { medium, .. }) => SendError::too_often(*medium).into_response(),
        Error::Code(CodeFault::Undeliverable) => SendError::InvalidEmail.into_response(),
        // This contract reads no client hash, no encrypted body and no picture, and its handlers render a refused code
        // themselves.
        Error::ClientHash(_)
        | Error::Channel(_)
        | Error::Taken(_)
        | Error::PictureUnusable
        | Error::AddressUnchanged
        | Error::Code(CodeFault::Token | CodeFault::Code | CodeFault::Expired | CodeFault::Used)
        | Error::Internal(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None),
    }
}

/// Renders an error where applications authenticate (RFC 6749 §5.2).
pub(super) fn render_for_application(error: &Error, context: &ErrorContext) -> Response {
    match error {
        Error::Credentials(CredentialFault::Missing | CredentialFault::OtherScheme | CredentialFault::Invalid) => {
            let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"ciam\""))];
            (challenge, answer(StatusCode::UNAUTHORIZED, "invalid_client", None)).into_response()
        }
        Error::Request(fault) => request(fault),
        error => render_error(error, context),
    }
}

/// Renders an error where codes are sent.
pub(super) fn render_for_sender(error: &Error, context: &ErrorContext) -> Response {
    match error {
        Error::Unavailable(_) => {
            let text = "Failed to send OTP. Please try again later.";
            answer(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", Some(text))
        }
        error => render_for_application(error, context),
    }
}

fn request(fault: &RequestFault) -> Response {
    let (error, text) = match fault {
        RequestFault::NotFound | RequestFault::MethodNotAllowed(_) => return empty(status_of(fault)),
        RequestFault::Host => ("invalid_request", "Invalid Host header."),
        RequestFault::MediaType => ("invalid_request", "Unsupported Content-Type."),
        RequestFault::ContentEncoding => ("invalid_request", "Unsupported Content-Encoding."),
        RequestFault::BodyTooLarge => ("invalid_request", "Request body is too large."),
        RequestFault::BodyTooSlow => ("invalid_request", "Request body did not arrive in time."),
        RequestFault::Body(_) => ("invalid_request", "Malformed request body."),
        RequestFault::RateLimited(_) | RequestFault::DayUsedUp(_) => ("rate_limit_exceeded", "Too many requests."),
    };
    answer(status_of(fault), error, Some(text))
}

/// Why a change is refused, in the contract's own terms; the status is always 400.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    /// A member is not an attribute.
    Unknown,
    /// An attribute cannot be changed here.
    Unsupported,
    MalformedAddress(Address),
    IllegalValue,
    BadToken(Address),
    BadCode(Address),
    Duplicate(Address),
}

/// The two addresses that a code can prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Phone,
    Email,
}

impl Address {
    /// Returns the address's name in a body.
    pub(super) fn name(self) -> &'static str {
        match self {
            Address::Phone => "phone_number",
            Address::Email => "email",
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let of = |address: Address, phone, email| match address {
            Address::Phone => (phone, None),
            Address::Email => (email, None),
        };
        let (error, text) = match self {
            Refused::Unknown => ("invalid_request", Some("Unknown attribute(s) found.")),
            Refused::Unsupported => ("invalid_request", Some("Unsupported user attribute(s) found.")),
            Refused::MalformedAddress(address) => of(address, "malformed_phone_number", "malformed_email"),
            Refused::IllegalValue => ("illegal_parameter_value", None),
            Refused::BadToken(address) => of(address, "bad_phone_number_otp_token", "bad_email_otp_token"),
            Refused::BadCode(address) => of(address, "bad_phone_number_otp", "bad_email_otp"),
            Refused::Duplicate(address) => of(address, "duplicate_phone_number", "duplicate_email"),
        };
        answer(StatusCode::BAD_REQUEST, error, text)
    }
}

/// Defines the refusals of one endpoint, all of them with 400: when each is given, its code, and its description if it has
/// one (RFC 6749 §5.2). The responses and the document are both built from them.
macro_rules! refusals {
    ($(#[$doc:meta])* $name:ident { $($variant:ident: $when:literal, $code:literal $(, $text:expr)?;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($variant),+ }

        impl $name {
            /// Every refusal, in the order of the contract's document.
            pub(super) const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Returns when the refusal is given, for the contract's document.
            pub(super) fn when(self) -> &'static str {
                match self { $($name::$variant => $when),+ }
            }
        }

        impl axum::response::IntoResponse for $name {
            fn into_response(self) -> axum::response::Response {
                let (code, text) = match self { $($name::$variant => ($code, None$(.or(Some($text)))?)),+ };
                $crate::contract::ciam::refusal::answer(axum::http::StatusCode::BAD_REQUEST, code, text)
            }
        }
    };
}
pub(super) use refusals;

/// The header that names the media types of changes.
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The body of every refusal that has one (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
pub(super) struct Description {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
}

/// Returns a refusal with a body.
pub(super) fn answer(status: StatusCode, error: &'static str, text: Option<&'static str>) -> Response {
    let description = Description { error, error_description: text };
    let headers = [(header::CONTENT_TYPE, ERROR_TYPE), (header::CACHE_CONTROL, super::NO_STORE)];
    (status, headers, body::json(&description)).into_response()
}

/// Returns an error about a token (RFC 6750 §3): the challenge contains all of it, and there is no body.
fn bearer(status: StatusCode, error: &str, text: &str) -> Response {
    let challenge = format!(
        "Bearer error=\"{error}\", error_description=\"{text}\", \
         error_uri=\"https://tools.ietf.org/html/rfc6750#section-3.1\""
    );
    let mut response = empty(status);
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn empty(status: StatusCode) -> Response {
    (status, [(header::CACHE_CONTROL, super::NO_STORE)]).into_response()
}

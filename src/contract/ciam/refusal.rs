//! The contract's words for every error.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{Error, Status, Unique};
use crate::http::{Asked, body};

/// What errors are sent as, to the byte.
pub(super) const ERROR_TYPE: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");

/// Says an error.
pub(super) fn say(error: &Error, _: &Asked) -> Response {
    match error {
        Error::CredentialsMissing | Error::CredentialsOfOtherScheme => {
            bearer(StatusCode::BAD_REQUEST, "invalid_request", "Bearer token not found in the request")
        }
        Error::CredentialsInvalid
        | Error::TenantUnknown
        | Error::TenantClosed
        | Error::TenantExpired
        | Error::AccessDenied => bearer(StatusCode::UNAUTHORIZED, "invalid_token", "Error decoding JWT"),
        Error::ScopeMissing => bearer(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            "The request requires higher privileges than provided by the access token.",
        ),
        Error::AccountUnknown | Error::AccountStatus(Status::Closed) => Refused::UserNotFound.into_response(),
        Error::AccountStatus(status) => Refused::AbnormalUserStatus(*status).into_response(),
        Error::NotFound => empty(StatusCode::NOT_FOUND),
        Error::MethodNotAllowed(allow) => {
            ([(header::ALLOW, HeaderValue::from_static(allow))], empty(StatusCode::METHOD_NOT_ALLOWED)).into_response()
        }
        Error::MediaType => Refused::MediaType.into_response(),
        Error::ContentEncoding => {
            let refused = Refused::ContentEncoding.into_response();
            ([(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))], refused).into_response()
        }
        Error::BodyTooLarge => Refused::BodyTooLarge.into_response(),
        Error::BodyTooSlow => Refused::BodyTooSlow.into_response(),
        Error::Body(_) => Refused::Malformed.into_response(),
        Error::Fields(_) | Error::AttributesTooLarge | Error::Attributes(_) => Refused::IllegalValue.into_response(),
        Error::Taken(Unique::Email) => Refused::Duplicate(Address::Email).into_response(),
        Error::Taken(Unique::Phone) => Refused::Duplicate(Address::Phone).into_response(),
        Error::RateLimited(_) => Refused::TooMany.into_response(),
        Error::Unavailable(_) => Refused::Unavailable.into_response(),
        Error::CodeTooOften(channel) => super::otp::too_often(*channel),
        // This contract reads no client hash and no encrypted body, takes no picture, and who looks at a code says at once what is wrong.
        Error::ClientHash(_)
        | Error::Channel(_)
        | Error::Taken(_)
        | Error::PictureUnusable
        | Error::AddressUnchanged
        | Error::Code(_)
        | Error::CodeUsed
        | Error::Internal(_) => Refused::ServerError.into_response(),
    }
}

/// Says an error where applications prove who they are (RFC 6749 §5.2).
pub(super) fn say_to_applications(error: &Error, asked: &Asked) -> Response {
    match error {
        Error::CredentialsMissing | Error::CredentialsOfOtherScheme | Error::CredentialsInvalid => {
            let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"ciam\""))];
            (challenge, answer(StatusCode::UNAUTHORIZED, "invalid_client", None)).into_response()
        }
        Error::MediaType => {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            answer(status, "invalid_request", Some("Unsupported Content-Type."))
        }
        error => say(error, asked),
    }
}

/// Says an error where codes are sent.
pub(super) fn say_to_senders(error: &Error, asked: &Asked) -> Response {
    match error {
        Error::Unavailable(_) => {
            let text = "Failed to send OTP. Please try again later.";
            answer(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", Some(text))
        }
        error => say_to_applications(error, asked),
    }
}

/// Why a request is refused, in the contract's own terms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    UserNotFound,
    AbnormalUserStatus(Status),
    MediaType,
    ContentEncoding,
    BodyTooLarge,
    BodyTooSlow,
    Malformed,
    /// Members that are not attributes at all.
    Unknown,
    /// Attributes that cannot be changed here.
    Unsupported,
    MalformedAddress(Address),
    IllegalValue,
    BadToken(Address),
    BadCode(Address),
    Duplicate(Address),
    TooMany,
    Unavailable,
    ServerError,
}

/// The two addresses that a code can prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Phone,
    Email,
}

impl Address {
    /// What the address is called in a body.
    pub(super) fn name(self) -> &'static str {
        match self {
            Address::Phone => "phone_number",
            Address::Email => "email",
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let bad = StatusCode::BAD_REQUEST;
        let invalid = |status, text| answer(status, "invalid_request", Some(text));
        let of = |address: Address, phone, email| match address {
            Address::Phone => answer(bad, phone, None),
            Address::Email => answer(bad, email, None),
        };
        match self {
            Refused::UserNotFound => answer(StatusCode::NOT_FOUND, "user_not_found", None),
            Refused::AbnormalUserStatus(Status::Locked) => answer(bad, "abnormal_user_status", Some("User is locked.")),
            Refused::AbnormalUserStatus(_) => answer(bad, "abnormal_user_status", Some("User is frozen.")),
            Refused::MediaType => {
                let accept = [(ACCEPT_PATCH, HeaderValue::from_static("application/json"))];
                (accept, invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Content-Type.")).into_response()
            }
            Refused::ContentEncoding => invalid(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Content-Encoding."),
            Refused::BodyTooLarge => invalid(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large."),
            Refused::BodyTooSlow => invalid(StatusCode::REQUEST_TIMEOUT, "Request body did not arrive in time."),
            Refused::Malformed => invalid(bad, "Malformed request body."),
            Refused::Unknown => invalid(bad, "Unknown attribute(s) found."),
            Refused::Unsupported => invalid(bad, "Unsupported user attribute(s) found."),
            Refused::MalformedAddress(address) => of(address, "malformed_phone_number", "malformed_email"),
            Refused::IllegalValue => answer(bad, "illegal_parameter_value", None),
            Refused::BadToken(address) => of(address, "bad_phone_number_otp_token", "bad_email_otp_token"),
            Refused::BadCode(address) => of(address, "bad_phone_number_otp", "bad_email_otp"),
            Refused::Duplicate(address) => of(address, "duplicate_phone_number", "duplicate_email"),
            Refused::TooMany => {
                answer(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", Some("Too many requests."))
            }
            Refused::Unavailable => answer(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", None),
            Refused::ServerError => answer(StatusCode::INTERNAL_SERVER_ERROR, "server_error", None),
        }
    }
}

/// What a resource may be patched with (RFC 5789 §3.1).
const ACCEPT_PATCH: axum::http::HeaderName = axum::http::HeaderName::from_static("accept-patch");

/// The body of every refusal that has one (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
pub(super) struct Description {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
}

/// A refusal with a body.
pub(super) fn answer(status: StatusCode, error: &'static str, text: Option<&'static str>) -> Response {
    let description = Description { error, error_description: text };
    let headers = [(header::CONTENT_TYPE, ERROR_TYPE), (header::CACHE_CONTROL, super::NO_STORE)];
    (status, headers, body::json(&description)).into_response()
}

/// What is wrong with a token (RFC 6750 §3): all of it stands in the challenge, and there is no body.
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

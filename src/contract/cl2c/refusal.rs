//! Renders every error as the contract's response: problem details for an invalid body, an error result for the rest.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{AccessFault, BodyFault, CredentialFault, Error, Fault, RequestFault, Rule, Status};
use crate::http::{ErrorContext, body, status_of};
use crate::json::{Object, Value};

/// Renders an error as the contract's response.
pub(super) fn render_error(error: &Error, context: &ErrorContext) -> Response {
    let result = |status, exception, message| result(context, status, exception, message);
    let unauthorized = |message| {
        let refused = result(StatusCode::UNAUTHORIZED, "UnauthorizedException", message);
        ([(header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey realm=\"cl2c\""))], refused).into_response()
    };
    let forbidden =
        || result(StatusCode::FORBIDDEN, "ForbiddenException", "You are not authorized to access this resource.");
    match error {
        Error::Request(fault) => request(context, fault),
        Error::Credentials(CredentialFault::Missing | CredentialFault::OtherScheme | CredentialFault::Invalid) => {
            unauthorized("Authentication Failed.")
        }
        Error::Credentials(CredentialFault::ScopeMissing) => forbidden(),
        Error::Access(fault) => match fault {
            AccessFault::TenantUnknown => unauthorized("Invalid Tenant."),
            AccessFault::TenantClosed => {
                unauthorized("Tenant is not Active. Please contact the Application Administrator.")
            }
            AccessFault::TenantExpired => {
                unauthorized("Tenant Validity Has Expired. Please contact the Application Administrator.")
            }
            AccessFault::AccountStatus(Status::Closed) | AccessFault::AccountUnknown => {
                result(StatusCode::NOT_FOUND, "NotFoundException", "User Not Found.")
            }
            AccessFault::AccountStatus(_) => unauthorized("User Not Active. Please contact the administrator."),
            AccessFault::Denied => forbidden(),
        },
        Error::Fields(faults) => invalid(context, faults),
        Error::Unavailable(_) => {
            let message = "Service temporarily unavailable.";
            result(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", message)
        }
        // This contract reads no client hash, no encrypted body, no picture and no code, and its changes add no unique key.
        Error::ClientHash(_)
        | Error::Channel(_)
        | Error::Taken(_)
        | Error::AttributesTooLarge
        | Error::Attributes(_)
        | Error::PictureUnusable
        | Error::AddressUnchanged
        | Error::Code(_)
        | Error::Internal(_) => {
            result(StatusCode::INTERNAL_SERVER_ERROR, "System.Exception", "An unexpected error occurred.")
        }
    }
}

fn request(context: &ErrorContext, fault: &RequestFault) -> Response {
    let (exception, message) = match fault {
        RequestFault::Body(fault) => return malformed(context, *fault),
        RequestFault::Host => return problem_of(context, "Host", "The request must name one host."),
        RequestFault::NotFound => ("NotFoundException", "Resource not found."),
        RequestFault::MethodNotAllowed(_) => ("MethodNotAllowedException", "Method not allowed."),
        RequestFault::MediaType | RequestFault::ContentEncoding => {
            ("UnsupportedMediaTypeException", "Unsupported media type.")
        }
        RequestFault::BodyTooLarge => ("PayloadTooLargeException", "Request body is too large."),
        RequestFault::BodyTooSlow => ("RequestTimeoutException", "Request timeout."),
        RequestFault::RateLimited(_) | RequestFault::DayUsedUp(_) => ("TooManyRequestsException", "Too many requests."),
    };
    result(context, status_of(fault), exception, message)
}

/// Describes what is wrong with a body, in the shape of RFC 9457 but sent as `application/json`.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    /// The request's identifier.
    instance: &'a str,
    /// The errors of each member of the request.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    errors: Object,
}

/// Any other error.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorResult {
    /// The error message.
    #[schema(min_items = 1, max_items = 1)]
    messages: [&'static str; 1],
    source: &'static str,
    exception: &'static str,
    /// The error's identifier in the log.
    #[schema(pattern = "^error-")]
    error_id: String,
    support_message: &'static str,
    status_code: u16,
}

fn malformed(context: &ErrorContext, fault: BodyFault) -> Response {
    let (member, text) = match fault {
        BodyFault::Empty | BodyFault::Null => ("", "A non-empty request body is required."),
        BodyFault::Malformed => ("$", "The request body is not valid JSON."),
        BodyFault::NotAnObject => ("$", "The request body must be a JSON object."),
    };
    problem_of(context, member, text)
}

/// Describes the only error of a request: where it is, and what.
fn problem_of(context: &ErrorContext, place: &str, text: &str) -> Response {
    problem(context, Object::from_iter([(place.to_owned(), Value::Array(vec![Value::from(text)]))]))
}

fn invalid(context: &ErrorContext, faults: &[Fault]) -> Response {
    let mut errors = Object::new();
    for fault in faults {
        let text = Value::from(text(fault));
        match errors.get_mut(&fault.field) {
            Some(Value::Array(texts)) => texts.push(text),
            _ => drop(errors.insert(&*fault.field, Value::Array(vec![text]))),
        }
    }
    problem(context, errors)
}

fn text(fault: &Fault) -> String {
    let name = match &*fault.field {
        "firstName" => "First name",
        "lastName" => "Last name",
        "pushToken" => "Push token",
        "phoneNumber" => "Phone number",
        _ => "User ID",
    };
    match &fault.rule {
        Rule::Required => format!("{name} is required"),
        Rule::MaxLength(max) => format!("{name} must be {max} characters or fewer"),
        Rule::Text => "The value must be a string.".to_owned(),
        Rule::NoControlCharacters => "The value must not contain control characters.".to_owned(),
        // This contract writes no attributes, pictures or e-mail addresses, and reads no codes.
        Rule::Object
        | Rule::TooDeep
        | Rule::KeyLength
        | Rule::NumberRange
        | Rule::Picture(_)
        | Rule::ForeignPicture
        | Rule::Schema
        | Rule::EmailAddress
        | Rule::Digits(_)
        | Rule::ReadOnly => "The value is not valid.".to_owned(),
        Rule::PhoneNumber => "Invalid phone number format".to_owned(),
        Rule::Registered(number) => format!("Phone number {number} is already registered."),
        Rule::Identifier => "Invalid user ID format".to_owned(),
    }
}

fn problem(context: &ErrorContext, errors: Object) -> Response {
    let problem = Problem {
        r#type: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        title: "Invalid Request",
        status: 400,
        detail: "The request parameters are incorrect.",
        instance: &context.request_id,
        errors,
    };
    json(StatusCode::BAD_REQUEST, &problem)
}

fn result(context: &ErrorContext, status: StatusCode, exception: &'static str, message: &'static str) -> Response {
    let result = ErrorResult {
        messages: [message],
        source: "API Gateway",
        exception,
        error_id: format!("error-{}", context.error_id),
        support_message: "Please contact support with this error ID.",
        status_code: status.as_u16(),
    };
    json(status, &result)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body::json(value)).into_response()
}

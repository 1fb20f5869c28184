//! The contract's OpenAPI document.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::body::{FIRST_NAME, ID, LAST_NAME, MAX_NAME, MAX_PHONE, MAX_PUSH_TOKEN, PHONE_NUMBER, PUSH_TOKEN, User};
use super::refusal::{ErrorResult, Problem};
use super::{ERROR_RENDERER, PREFIX, answer, paths};
use crate::account::{AccessFault, CredentialFault, Error, Fault, Field, Rule, Status};
use crate::contract::openapi::{
    Description, Ending, HIDDEN, NO_NUL, Operation, SPACE, body_faults, change_faults, failures, person, request_header,
};
use crate::json::Object;

/// The pattern of a phone number or the empty string; numbers in other forms that a phone pastes are accepted, too.
const PHONE: &str = r"^(\+?[1-9][0-9]{6,14}|\+[1-9]([ .-]?[0-9]){6,14})?$";

/// Builds the document.
pub(in crate::contract) fn document() -> Object {
    let schemas = vec![
        (User::name().into_owned(), User::schema()),
        (Problem::name().into_owned(), Problem::schema()),
        (ErrorResult::name().into_owned(), ErrorResult::schema()),
    ];
    let key =
        ApiKeyValue::with_description("X-API-Key", "A key of the tenant, bound to one user or good for all of them.");
    Description {
        title: "CL2C: users",
        introduction: "A back end reads and changes the users of its tenant.".to_owned(),
        annotated: OpenApiRouter::new().nest(PREFIX, paths()).into_openapi(),
        security: ("key", SecurityScheme::ApiKey(ApiKey::Header(key))),
        tags: &[("User", "The users of the key's tenant.")],
        schemas,
        additions: Vec::new(),
        render_error: ERROR_RENDERER,
        refusal: |status| if status == StatusCode::BAD_REQUEST { "Problem" } else { "ErrorResult" },
        operations: vec![
            Operation {
                id: "showUser",
                requests: Vec::new(),
                answers: shown,
                endings: [access(), failures()].concat(),
            },
            Operation {
                id: "updateUser",
                requests: vec![("every member", UPDATE), ("the names, and the phone number made unset", PART)],
                answers: shown,
                endings: [access(), body_faults(), field_faults(), change_faults(), failures()].concat(),
            },
        ],
    }
    .draw()
}

const UPDATE: &str = r#"{"id":"string","firstName":"John","lastName":"Doe","phoneNumber":"+1234567890","pushToken":"push_token_example"}"#;
const PART: &str = r#"{"firstName":"John","lastName":"Doe","phoneNumber":null}"#;

/// The headers that every operation of the contract reads, apart from the key.
pub(super) struct Headers;

impl IntoParams for Headers {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![request_header("tenant", Required::True, None, "The tenant's name.".to_owned())]
    }
}

/// The body of an update, which is read member by member and has no struct.
pub(super) struct UserUpdate;

impl PartialSchema for UserUpdate {
    fn schema() -> RefOr<Schema> {
        let text = |pattern: &str, max, description| {
            ObjectBuilder::new().pattern(Some(pattern)).max_length(max).description(Some(description))
        };
        // A name has a visible character, and no U+0000.
        let name = format!(r"^[^\u0000]*[^{SPACE}{HIDDEN}][^\u0000]*$");
        let required = |max, description| text(&name, Some(max), description).schema_type(Type::String);
        let nullable = || SchemaType::from_iter([Type::String, Type::Null]);
        let optional = |pattern, max, description| text(pattern, max, description).schema_type(nullable());
        ObjectBuilder::new()
            .property(ID, ObjectBuilder::new().schema_type(nullable()).description(Some("The user to change.")))
            .property(FIRST_NAME, required(MAX_NAME, "The given name."))
            .required(FIRST_NAME)
            .property(LAST_NAME, required(MAX_NAME, "The family name."))
            .required(LAST_NAME)
            .property(
                PHONE_NUMBER,
                optional(
                    PHONE,
                    Some(MAX_PHONE),
                    "The phone number; absent keeps it, null or empty erases it. A number with `+` may also contain \
                     parentheses, other dashes and spaces, digits of other scripts and invisible characters.",
                ),
            )
            .property(
                PUSH_TOKEN,
                optional(
                    NO_NUL,
                    Some(MAX_PUSH_TOKEN),
                    "Where notifications go; absent keeps it, null or empty erases it.",
                ),
            )
            .description(Some("What the user becomes."))
            .into()
    }
}

impl ToSchema for UserUpdate {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("UserUpdate")
    }
}

fn shown() -> Vec<(&'static str, &'static str, Response)> {
    let fields = [
        (Field::Username, "john_doe"),
        (Field::GivenName, "John"),
        (Field::FamilyName, "Doe"),
        (Field::Email, "john.doe@example.com"),
        (Field::AuthLocation, "USA"),
        (Field::Phone, "+1234567890"),
        (Field::WalletAddress, "0x123456789ABCDEF"),
    ];
    let mut full = person(&fields, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    full.email_verified = true;
    full.auth_valid_until = Some(Timestamp::constant(1_730_835_746, 587_000_000));
    let bare = person(&fields[1..3], Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    vec![("the user", "User", answer(&full)), ("a user with few values", "User", answer(&bare))]
}

/// Returns the errors that occur before the body is read.
fn access() -> Vec<Ending> {
    vec![
        ("no tenant, or an unknown one", AccessFault::TenantUnknown.into()),
        ("no key, or one that is not valid", CredentialFault::Invalid.into()),
        ("the tenant is out of use", AccessFault::TenantClosed.into()),
        ("the tenant's time is over", AccessFault::TenantExpired.into()),
        ("the user may not be used", AccessFault::AccountStatus(Status::Suspended).into()),
        ("another user than the key's", AccessFault::Denied.into()),
        ("no such user in the tenant", AccessFault::AccountUnknown.into()),
    ]
}

fn field_faults() -> Vec<Ending> {
    let fault = |field: &'static str, rule| Fault { field: field.into(), rule };
    vec![
        (
            "members break their rules",
            Error::Fields(vec![fault(FIRST_NAME, Rule::Required), fault(PHONE_NUMBER, Rule::PhoneNumber)]),
        ),
        (
            "members are too long",
            Error::Fields(vec![
                fault(FIRST_NAME, Rule::MaxLength(MAX_NAME)),
                fault(PUSH_TOKEN, Rule::MaxLength(MAX_PUSH_TOKEN)),
            ]),
        ),
        ("a name is missing or blank", Error::Fields(vec![fault(LAST_NAME, Rule::Required)])),
        ("a member is not a string", Error::Fields(vec![fault(LAST_NAME, Rule::Text)])),
        ("a member contains U+0000", Error::Fields(vec![fault(LAST_NAME, Rule::NoControlCharacters)])),
        (
            "another account has verified the number",
            Error::Fields(vec![fault(PHONE_NUMBER, Rule::Registered("+1234567890".to_owned()))]),
        ),
        ("a key of the whole tenant, and no id", Error::Fields(vec![fault(ID, Rule::Required)])),
        ("a key of the whole tenant, and an id that is none", Error::Fields(vec![fault(ID, Rule::Identifier)])),
    ]
}

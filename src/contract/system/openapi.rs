//! The contract's OpenAPI document.

use std::borrow::Cow;

use jiff::Timestamp;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::body::{Success, WRITABLE};
use super::refusal::Refusal;
use super::{CHANNEL_PREFIX, ERROR_RENDERER, PREFIX, answer, paths};
use crate::account::{AccessFault, CredentialFault, Error, Fault, Field, HashFault, Rule, Status};
use crate::contract::openapi::{
    ACCEPT_LANGUAGE, Description, Ending, NO_NUL, Operation, body_faults, change_faults, failures, person,
    request_header, tenant,
};
use crate::identity::client_hash;
use crate::json::Object;
use crate::language::Language;

/// Builds the document.
pub(in crate::contract) fn document() -> Object {
    let mut schemas =
        vec![(Success::name().into_owned(), Success::schema()), (Refusal::name().into_owned(), Refusal::schema())];
    Success::schemas(&mut schemas);
    for (name, schema) in super::secure_channel_openapi::schemas() {
        schemas.push((name, schema));
    }
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of the embedded issuer or of one that the operator trusts."));
    Description {
        title: "System portal: own profile",
        introduction:
            "A signed-in person reads and changes their own profile. `message`, labels and the texts in `data` are \
                       in the language that `Accept-Language` asks for; the examples are in English."
                .to_owned(),
        annotated: OpenApiRouter::new()
            .nest(PREFIX, paths())
            .nest(CHANNEL_PREFIX, super::secure_channel::paths())
            .into_openapi(),
        security: ("token", SecurityScheme::Http(token.build())),
        tags: &[
            ("Profile", "The signed-in person's profile."),
            (
                "SecureChannel",
                "Keys and sessions for encrypted bodies; a client that sends plain JSON over TLS needs none.",
            ),
        ],
        schemas,
        additions: Vec::new(),
        render_error: ERROR_RENDERER,
        refusal: |_| "Refusal",
        operations: profile().into_iter().chain(super::secure_channel_openapi::operations()).collect(),
    }
    .draw()
}

fn profile() -> [Operation; 2] {
    [
        Operation { id: "showProfile", requests: Vec::new(), answers: shown, endings: [access(), failures()].concat() },
        Operation {
            id: "updateProfile",
            requests: vec![("every member", UPDATE), ("one member, and one made unset", PART), ("nothing", "{}")],
            answers: updated,
            endings: [
                access(),
                body_faults(),
                super::secure_channel_openapi::faults(),
                field_faults(),
                change_faults(),
                failures(),
            ]
            .concat(),
        },
    ]
}

const UPDATE: &str = r#"{"accountName":"Jane Admin","accountPhone":"+1987654321","defaultLanguage":"zh","defaultTimezone":"Asia/Shanghai","defaultCountry":"CN"}"#;
const PART: &str = r#"{"accountName":"Jane Admin","accountPhone":null,"defaultCountry":""}"#;

/// The headers that every operation of the contract reads.
pub(super) struct Headers;

impl IntoParams for Headers {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let hash = "A value of the client's choice that stays the same for the whole session. The first request with a token \
                    binds it. The server may be configured not to require it.";
        let tags = Language::ALL.map(Language::tag).join(", ");
        let language = format!("The languages that the person reads (RFC 9110 §12.5.4): {tags}. Default: en.");
        vec![
            request_header(client_hash::HEADER, Required::True, Some(client_hash::MAX_LENGTH), hash.to_owned()),
            request_header(ACCEPT_LANGUAGE, Required::False, None, language),
        ]
    }
}

/// The body of an update, which is read member by member and has no struct.
pub(super) struct ProfileUpdate;

impl PartialSchema for ProfileUpdate {
    fn schema() -> RefOr<Schema> {
        let members = WRITABLE.iter().fold(ObjectBuilder::new(), |members, (name, field, max)| {
            let member = ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .max_length(Some(*max))
                .pattern(Some(NO_NUL))
                .description(Some(meaning(*field)));
            members.property(*name, member)
        });
        members.description(Some("The members to change.")).into()
    }
}

impl ToSchema for ProfileUpdate {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ProfileUpdate")
    }
}

fn meaning(field: Field) -> &'static str {
    match field {
        Field::DisplayName => "The name that others see.",
        Field::Phone => "The phone number, in any form.",
        Field::Language => "The preferred language, such as `zh-Hant`.",
        Field::TimeZone => "The preferred time zone, such as `Asia/Shanghai`.",
        Field::Country => "The preferred country, such as `CN`.",
        _ => "",
    }
}

const CREATED: Timestamp = Timestamp::constant(1_768_464_000, 0);

fn shown() -> Vec<(&'static str, &'static str, axum::response::Response)> {
    let fields = [
        (Field::Email, "admin@example.com"),
        (Field::Phone, "+1234567890"),
        (Field::DisplayName, "System Admin"),
        (Field::Language, "en"),
        (Field::TimeZone, "America/New_York"),
        (Field::Country, "US"),
    ];
    let account = person(&fields, CREATED, Timestamp::constant(1_774_017_000, 0));
    vec![
        ("the profile", "Success", answer(&account, &tenant(), Language::English)),
        ("the profile, in Chinese", "Success", answer(&account, &tenant(), Language::Chinese)),
    ]
}

fn updated() -> Vec<(&'static str, &'static str, axum::response::Response)> {
    let fields = [
        (Field::Email, "admin@example.com"),
        (Field::Phone, "+1987654321"),
        (Field::DisplayName, "Jane Admin"),
        (Field::Language, "zh"),
        (Field::TimeZone, "Asia/Shanghai"),
        (Field::Country, "CN"),
    ];
    let account = person(&fields, CREATED, Timestamp::constant(1_774_260_000, 0));
    let plain = answer(&account, &tenant(), Language::English);
    vec![("the whole profile as it is now", "Success", plain), super::secure_channel_openapi::encrypted_answer()]
}

/// Returns the errors that occur before the body is read.
pub(super) fn access() -> Vec<Ending> {
    vec![
        ("no token", CredentialFault::Missing.into()),
        ("the token is not valid", CredentialFault::Invalid.into()),
        ("the account is suspended", AccessFault::AccountStatus(Status::Suspended).into()),
        ("the account is locked", AccessFault::AccountStatus(Status::Locked).into()),
        ("the account waits for approval", AccessFault::AccountStatus(Status::PendingApproval).into()),
        ("the account was rejected", AccessFault::AccountStatus(Status::Rejected).into()),
        ("the token, the account or its tenant is for something else", AccessFault::Denied.into()),
        ("no client hash", HashFault::Missing.into()),
        ("a malformed client hash", HashFault::Malformed.into()),
        ("another client hash than the session's", HashFault::Mismatch.into()),
    ]
}

fn field_faults() -> Vec<Ending> {
    let [(name, _, name_max), (phone, _, phone_max), ..] = WRITABLE;
    let long = [(name, name_max), (phone, phone_max)];
    let long = long.map(|(field, max)| Fault { field: field.into(), rule: Rule::MaxLength(max) });
    vec![
        ("members are too long", Error::Fields(long.to_vec())),
        ("a member is not a string", Error::Fields(vec![Fault { field: name.into(), rule: Rule::Text }])),
        (
            "a member contains U+0000",
            Error::Fields(vec![Fault { field: name.into(), rule: Rule::NoControlCharacters }]),
        ),
    ]
}

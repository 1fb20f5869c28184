//! The contract's OpenAPI document.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, SchemaType};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::body::{self, DISPLAY_NAME, MAX_DISPLAY_NAME, Me, PICTURE, PROFILE, Success, Updated};
use super::email::{self, EmailRequested, EmailUpdated, NEW_EMAIL, OTP_CODE};
use super::refusal::Refusal;
use super::{ERROR_RENDERER, PREFIX, answer, paths};
use crate::account::attributes::{MAX_BYTES, MAX_DEPTH, MAX_KEY};
use crate::account::{
    AccessFault, Account, CodeFault, CredentialFault, Error, Fault, Field, Medium, PictureRule, Rule, Rules, Status,
    Unique,
};
use crate::contract::openapi::{
    Description, Ending, HIDDEN, NO_NUL, Operation, SPACE, body_faults, change_faults, email_address, failures, person,
    schema, tenant,
};
use crate::json::Object;
use crate::store::Identity;

/// Builds the document.
pub(in crate::contract) fn document() -> Object {
    let mut schemas = vec![
        (SHOWN.to_owned(), Success::<Me>::schema()),
        (CHANGED.to_owned(), Success::<Updated>::schema()),
        (REQUESTED.to_owned(), Success::<EmailRequested>::schema()),
        (PROVED.to_owned(), Success::<EmailUpdated>::schema()),
        (EmailRequested::name().into_owned(), EmailRequested::schema()),
        (EmailUpdated::name().into_owned(), EmailUpdated::schema()),
        (Me::name().into_owned(), Me::schema()),
        (Updated::name().into_owned(), Updated::schema()),
        (Refusal::name().into_owned(), Refusal::schema()),
        (PROFILE_MEMBERS.to_owned(), profile_members()),
    ];
    Me::schemas(&mut schemas);
    Refusal::schemas(&mut schemas);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of the embedded issuer or of one that the operator trusts."));
    Description {
        title: "RiverGen: own profile",
        introduction:
            "A signed-in person reads everything about themselves, and changes their name, their picture and \
                       what their applications keep about them."
                .to_owned(),
        annotated: OpenApiRouter::new().nest(PREFIX, paths()).into_openapi(),
        security: ("token", SecurityScheme::Http(token.build())),
        tags: &[("Person", "The signed-in person.")],
        schemas,
        additions: additions(),
        render_error: ERROR_RENDERER,
        refusal: |_| "Refusal",
        operations: vec![
            Operation { id: "showMe", requests: Vec::new(), answers: shown, endings: [access(), failures()].concat() },
            Operation {
                id: "updateProfile",
                requests: vec![
                    ("every member", UPDATE),
                    ("a picture", UPLOAD),
                    ("a member of the profile removed", REMOVAL),
                    ("nothing", "{}"),
                ],
                answers: changed,
                endings: [access(), body_faults(), field_faults(), change_faults(), failures()].concat(),
            },
            Operation {
                id: "requestEmailChange",
                requests: vec![("another address", REQUEST)],
                answers: || vec![("a code was sent", REQUESTED, answer(&email::requested(OTHER_EMAIL)))],
                endings: [access(), body_faults(), request_faults(), failures()].concat(),
            },
            Operation {
                id: "verifyEmailChange",
                requests: vec![("the code that came", VERIFICATION)],
                answers: || {
                    vec![(
                        "the address is changed",
                        PROVED,
                        answer(&email::updated(jane().text(Field::Email), OTHER_EMAIL)),
                    )]
                },
                endings: [access(), body_faults(), verification_faults(), change_faults(), failures()].concat(),
            },
        ],
    }
    .draw()
}

const PROFILE_MEMBERS: &str = "ProfileMembers";
const SHOWN: &str = "MeSuccess";
const CHANGED: &str = "UpdatedSuccess";
const REQUESTED: &str = "EmailRequestedSuccess";
const PROVED: &str = "EmailUpdatedSuccess";

const UPDATE: &str = r#"{"display_name":"Jane Smith","profile_image_url":"https://example.com/avatar.jpg","profile":{"bio":"Software developer","location":"San Francisco"}}"#;
const UPLOAD: &str = r#"{"profile_image_url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}"#;
const REMOVAL: &str = r#"{"profile":{"location":null}}"#;

const OTHER_EMAIL: &str = "jane.smith@example.com";
const REQUEST: &str = r#"{"new_email":"jane.smith@example.com"}"#;
const VERIFICATION: &str = r#"{"new_email":"jane.smith@example.com","otp_code":"123456"}"#;

fn address() -> ObjectBuilder {
    email_address("The new e-mail address.")
}

/// The body of a request for a code.
pub(super) struct EmailRequest;

impl PartialSchema for EmailRequest {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().property(NEW_EMAIL, address()).required(NEW_EMAIL).into()
    }
}

impl ToSchema for EmailRequest {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EmailRequest")
    }
}

/// The body that verifies a new address by its code.
pub(super) struct EmailVerification;

impl PartialSchema for EmailVerification {
    fn schema() -> RefOr<Schema> {
        let code = ObjectBuilder::new().schema_type(Type::String).description(Some(
            "The code that was sent to the new address: six digits of any script, unless the operator configures another \
             length. White space, hyphens and invisible characters do not count.",
        ));
        ObjectBuilder::new()
            .property(NEW_EMAIL, address())
            .property(OTP_CODE, code)
            .required(NEW_EMAIL)
            .required(OTP_CODE)
            .into()
    }
}

impl ToSchema for EmailVerification {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EmailVerification")
    }
}

/// The body of an update, which is read member by member and has no struct.
pub(super) struct ProfileUpdate;

impl PartialSchema for ProfileUpdate {
    fn schema() -> RefOr<Schema> {
        let text = |description: String| {
            ObjectBuilder::new().schema_type(nullable(Type::String)).description(Some(description))
        };
        let profile = OneOfBuilder::new()
            .item(Ref::from_schema_name(PROFILE_MEMBERS))
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .description(Some(format!(
                "Merged into the profile (RFC 7396): objects member by member, null removes, everything else replaces. \
                 Nothing nests deeper than {MAX_DEPTH}. The merged profile has at most {MAX_BYTES} bytes, and matches the \
                 tenant's JSON Schema, which `GET /me/schema` shows."
            )));
        ObjectBuilder::new()
            .property(
                DISPLAY_NAME,
                text(format!(
                    "The name that others see: 1 to {MAX_DISPLAY_NAME} characters without the white space around, one of \
                     them visible."
                ))
                .pattern(Some(name_pattern())),
            )
            .property(PICTURE, picture())
            .property(PROFILE, profile)
            .description(Some("The members to change."))
            .into()
    }
}

impl ToSchema for ProfileUpdate {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ProfileUpdate")
    }
}

fn nullable(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

/// Returns the schema of a picture: an address, or an empty text.
fn picture() -> Schema {
    let uri = ObjectBuilder::new()
        .schema_type(nullable(Type::String))
        .format(Some(SchemaFormat::Custom("uri".to_owned())))
        .description(Some(
            "The address of a picture (`http` or `https`, at most 2048 bytes), or a PNG, JPEG, GIF or WebP of at most 2 MiB \
             as a data URI in Base64.",
        ));
    let nothing = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some([""]))
        .description(Some("Removes the picture."));
    Schema::AnyOf(AnyOfBuilder::new().item(uri).item(nothing).build())
}

/// Returns the schema of the profile in answers.
pub(super) fn shown_profile() -> RefOr<Schema> {
    ObjectBuilder::new()
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some("The data that the person's applications store."))
        .into()
}

/// Returns the schema of an object in a profile, at any depth.
fn profile_members() -> RefOr<Schema> {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_KEY))
        .pattern(Some(NO_NUL));
    ObjectBuilder::new()
        .property_names(Some(name))
        .additional_properties(Some(AdditionalProperties::RefOr(Ref::from_schema_name("ProfileValue").into())))
        .description(Some("Members by name, none of which contains U+0000."))
        .into()
}

/// Returns what the library cannot represent: the recursive schema of a profile's values, and that a name is not blank.
///
/// A value is an object or anything else. Generators of clients cannot represent a type that contains lists of itself, so the
/// rule for lists stands where they do not look: they make it any value.
fn additions() -> Vec<(&'static str, Object)> {
    let value = r##"{
        "description": "Any JSON value. Numbers are within the range of a double, and are kept in the text that they were sent in.",
        "anyOf": [
            {"$ref": "#/components/schemas/ProfileMembers"},
            {
                "description": "Anything but an object.",
                "not": {"type": "object"},
                "pattern": "^[^\\u0000]*$",
                "if": {"type": "array", "items": {}},
                "then": {"items": {"$ref": "#/components/schemas/ProfileValue"}}
            }
        ]
    }"##;
    let blank = Object::from_iter([("type", "string".to_owned()), ("pattern", format!("^[{SPACE}{HIDDEN}]*$"))]);
    vec![
        ("ProfileValue", schema(value)),
        ("ProfileUpdate/properties/display_name", Object::from_iter([("not", blank)])),
    ]
}

/// Returns the pattern of a name: at most `MAX_DISPLAY_NAME` characters, trimmed, with any white space around them.
fn name_pattern() -> String {
    let between = MAX_DISPLAY_NAME - 2;
    format!(r"^[{SPACE}]*[^\u0000{SPACE}]([^\u0000]{{0,{between}}}[^\u0000{SPACE}])?[{SPACE}]*$")
}

fn jane() -> Account {
    let fields = [
        (Field::Email, "jane@example.com"),
        (Field::DisplayName, "Jane Smith"),
        (Field::Picture, "https://example.com/avatar.jpg"),
        (Field::Attributes, r#"{"bio":"Software developer","location":"San Francisco"}"#),
    ];
    let mut jane = person(&fields, CREATED, Timestamp::constant(1_704_114_000, 0));
    jane.email_verified = true;
    jane
}

const CREATED: Timestamp = Timestamp::constant(1_704_067_200, 0);
const PUBLIC_URL: &str = "https://profile.example.com";

fn shown() -> Vec<(&'static str, &'static str, Response)> {
    let provider = Identity { issuer: "https://login.example.com".to_owned(), subject: "jane".to_owned() };
    let nobody = person(&[], CREATED, CREATED);
    vec![
        ("the person", SHOWN, success(body::me(&jane(), &Rules::Free, &tenant(), &[provider], 1, PUBLIC_URL))),
        ("a person without any value", SHOWN, success(body::me(&nobody, &Rules::Free, &tenant(), &[], 0, PUBLIC_URL))),
    ]
}

fn changed() -> Vec<(&'static str, &'static str, Response)> {
    vec![("the whole profile as it is now", CHANGED, success(body::updated(&jane(), &Rules::Free, PUBLIC_URL)))]
}

fn success(shown: Result<Success<impl Serialize>, Error>) -> Response {
    shown.map_or_else(IntoResponse::into_response, |shown| answer(&shown))
}

/// Returns the errors that occur before the body is read.
fn access() -> Vec<Ending> {
    vec![
        ("no token", CredentialFault::Missing.into()),
        ("the token is not valid", CredentialFault::Invalid.into()),
        ("the account may not be used", AccessFault::AccountStatus(Status::Suspended).into()),
        ("the token, the account or its tenant is for something else", AccessFault::Denied.into()),
    ]
}

fn fault(field: &'static str, rule: Rule) -> Fault {
    Fault { field: field.into(), rule }
}

fn one(field: &'static str, rule: Rule) -> Error {
    Error::Fields(vec![fault(field, rule)])
}

fn address_faults() -> Vec<Ending> {
    vec![
        ("the address is missing", one(NEW_EMAIL, Rule::Required)),
        ("the address is not a string", one(NEW_EMAIL, Rule::Text)),
        ("the address is none", one(NEW_EMAIL, Rule::EmailAddress)),
        ("the address contains U+0000", one(NEW_EMAIL, Rule::NoControlCharacters)),
    ]
}

const TOO_OFTEN: CodeFault = CodeFault::TooOften { medium: Medium::Email, wait: Duration::from_secs(30) };

fn request_faults() -> Vec<Ending> {
    let others = vec![
        ("the address is the present one, and verified", Error::AddressUnchanged),
        ("another account has verified the address", Error::Taken(Unique::Email)),
        ("the address had enough codes for today", TOO_OFTEN.into()),
        ("no message reaches the address", CodeFault::Undeliverable.into()),
    ];
    [address_faults(), others].concat()
}

fn verification_faults() -> Vec<Ending> {
    let several = vec![fault(NEW_EMAIL, Rule::Required), fault(OTP_CODE, Rule::Required)];
    let others = vec![
        ("several members break their rules", Error::Fields(several)),
        ("the code is missing", one(OTP_CODE, Rule::Required)),
        ("the code is not a string", one(OTP_CODE, Rule::Text)),
        ("the code is not six digits", one(OTP_CODE, Rule::Digits(6))),
        ("the code contains U+0000", one(OTP_CODE, Rule::NoControlCharacters)),
        ("there is no code for this address, or all tries were made", CodeFault::Token.into()),
        ("another code was sent", CodeFault::Code.into()),
        ("the code has expired", CodeFault::Expired.into()),
    ];
    [address_faults(), others].concat()
}

fn field_faults() -> Vec<Ending> {
    let attribute = |place: &'static str, rule| Error::Attributes(vec![Fault { field: place.into(), rule }]);
    let several = vec![
        fault(DISPLAY_NAME, Rule::MaxLength(MAX_DISPLAY_NAME)),
        fault(PICTURE, Rule::Picture(PictureRule::NotAPicture)),
        fault(PROFILE, Rule::Object),
    ];
    vec![
        ("several members break their rules", Error::Fields(several)),
        ("the name is not a string", one(DISPLAY_NAME, Rule::Text)),
        ("the name is blank", one(DISPLAY_NAME, Rule::Required)),
        ("the name is too long", one(DISPLAY_NAME, Rule::MaxLength(MAX_DISPLAY_NAME))),
        ("the name contains U+0000", one(DISPLAY_NAME, Rule::NoControlCharacters)),
        ("the picture is not a string", one(PICTURE, Rule::Text)),
        ("neither an address nor a data URI", one(PICTURE, Rule::Picture(PictureRule::NotAPicture))),
        ("the address is too long", one(PICTURE, Rule::Picture(PictureRule::AddressTooLong))),
        ("a picture of another kind", one(PICTURE, Rule::Picture(PictureRule::UnsupportedType))),
        ("the Base64 is malformed", one(PICTURE, Rule::Picture(PictureRule::InvalidBase64))),
        ("the picture is too large", one(PICTURE, Rule::Picture(PictureRule::TooLarge))),
        ("another account's picture, or a replaced one", one(PICTURE, Rule::ForeignPicture)),
        ("the profile is not an object", one(PROFILE, Rule::Object)),
        ("the profile nests too deep", one(PROFILE, Rule::TooDeep)),
        ("a member's name is empty or too long", one(PROFILE, Rule::KeyLength)),
        ("a number is too large", one("profile/height", Rule::NumberRange)),
        ("a text contains U+0000", one("profile/bio", Rule::NoControlCharacters)),
        ("the merged profile does not match the tenant's schema", attribute("/birthday", Rule::Schema)),
        ("the tenant's schema calls a member read-only", attribute("/plan", Rule::ReadOnly)),
        ("the bytes are not a whole picture", Error::PictureUnusable),
        ("the merged profile is too large", Error::AttributesTooLarge),
    ]
}

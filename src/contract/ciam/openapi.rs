//! The contract's OpenAPI document.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Object as Properties, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::claims;
use super::discovery::{self, Metadata};
use super::otp::{SendError, SentCode};
use super::refusal::{self, Address, Description as Refusal, Refused};
use super::revoke::RevokeError;
use super::token::{self, Granted, TokenError};
use super::{PREFIXES, paths, revoke, update};
use crate::account::{AccessFault, Account, Application, CredentialFault, Field, Kind, Rules, Status};
use crate::contract::ErrorRenderer;
use crate::contract::openapi::{
    Description, Ending, NO_NUL, Operation, body_faults, change_faults, email_address, example_of, failures, person,
    schema, tenant,
};
use crate::json::Object;

/// Builds the document.
pub(in crate::contract) fn document() -> Object {
    let schemas = vec![
        (CLAIMS.to_owned(), claims_schema()),
        (SentCode::name().into_owned(), SentCode::schema()),
        (Granted::name().into_owned(), Granted::schema()),
        (Metadata::name().into_owned(), Metadata::schema()),
        (KEY_SET.to_owned(), keys_schema()),
        (REFUSAL.to_owned(), Refusal::schema()),
    ];
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
        "An access token of an application, or of an issuer that the operator trusts, with the scope `openid`.",
    ));
    let application = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("The identifier and the secret of an application, each form-encoded (RFC 6749 §2.3.1)."));
    let mut annotated =
        PREFIXES.iter().fold(OpenApiRouter::new(), |all, (prefix, _)| all.nest(prefix, paths(prefix))).into_openapi();
    annotated
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme("application", SecurityScheme::Http(application.build()));
    Description {
        title: "CIAM: claims, codes and tokens",
        introduction: "A person signs in to an application with a code that is sent to their phone or e-mail address. With \
                       the token that the application gets, they read what it may know of them and change it."
            .to_owned(),
        annotated,
        security: ("token", SecurityScheme::Http(token.build())),
        tags: &[
            ("Person", "The claims of the token's person."),
            ("Codes", "One-time codes, which an application requests."),
            ("Tokens", "Tokens of an application."),
            ("Discovery", "Addresses and keys for libraries."),
        ],
        schemas,
        additions: additions(),
        render_error: refusal::render_error,
        refusal: |_| REFUSAL,
        operations: vec![
            Operation { id: "showClaims", requests: Vec::new(), answers: shown, endings: [access(), failures()].concat() },
            Operation {
                id: "showClaimsPosted",
                requests: Vec::new(),
                answers: shown,
                endings: [access(), failures()].concat(),
            },
            Operation {
                id: "updateClaims",
                requests: vec![
                    ("one attribute", r#"{"nickname":"MOCK_NICKNAME"}"#),
                    ("a phone number", PHONE),
                    ("a name cleared", r#"{"name":""}"#),
                    ("nothing", "{}"),
                ],
                answers: changed,
                endings: [access(), body_faults(), change_faults(), failures()].concat(),
            },
            Operation {
                id: "sendCode",
                requests: vec![
                    ("to sign in", r#"{"phone_number":"13800138000"}"#),
                    ("to sign in to a page", FOR_A_PAGE),
                    ("to prove a new address", r#"{"usage":"update_userinfo","email":"jane@example.com"}"#),
                ],
                answers: sent,
                endings: Vec::new(),
            },
            Operation {
                id: "issueTokens",
                requests: vec![
                    ("for a code", CODE),
                    ("for a code, by a page", BY_A_PAGE),
                    (
                        "for a refresh token",
                        r#"{"grant_type":"refresh_token","client_id":"app","client_secret":"secret","refresh_token":"ssr_0"}"#,
                    ),
                ],
                answers: granted,
                endings: Vec::new(),
            },
            Operation {
                id: "revokeToken",
                requests: vec![("a refresh token", r#"{"client_id":"app","client_secret":"secret","token":"ssr_0"}"#)],
                answers: revoked,
                endings: Vec::new(),
            },
            Operation { id: "showKeys", requests: Vec::new(), answers: keys, endings: failures() },
            Operation { id: "showConfiguration", requests: Vec::new(), answers: configuration, endings: failures() },
        ],
    }
    .draw()
}

const CLAIMS: &str = "Claims";
const KEY_SET: &str = "KeySet";
const REFUSAL: &str = "Refusal";
const PUBLIC_URL: &str = "https://profile.example.com";
/// What [`CodeChallenge::parse`](crate::code::CodeChallenge::parse) accepts: the last character encodes four bits.
const CHALLENGE: &str = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$";
const PHONE: &str =
    r#"{"phone_number":"13800138000","phone_number_otp_token":"of POST /otp/send","phone_number_otp":"123456"}"#;
const CODE: &str = r#"{"grant_type":"http://tencentciam.com/oauth2/grant-type/otp/sms","client_id":"app","client_secret":"secret","phone_number":"13800138000","otp_token":"of POST /otp/send","otp":"123456","auto_signup":true}"#;

const FOR_A_PAGE: &str = r#"{"email":"jane@example.com","client_id":"page","code_challenge":"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM","code_challenge_method":"S256"}"#;
const BY_A_PAGE: &str = r#"{"grant_type":"http://tencentciam.com/oauth2/grant-type/otp/email","client_id":"page","email":"jane@example.com","otp_token":"of POST /otp/send","otp":"123456","code_verifier":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}"#;

/// Defines the schema of a body that is read member by member and has no struct.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident, $schema:expr) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    };
}

body! {
    /// The body of a change.
    ClaimsUpdate,
    ObjectBuilder::new()
        .property("name", text(update::MAX_NAME, "The name that others see."))
        .property("nickname", text(update::MAX_NICKNAME, "A casual name."))
        .property("zoneinfo", words("The time zone: a name of the IANA time zone database. An empty text clears."))
        .property(
            "locale",
            text(update::MAX_LOCALE, "The language: a tag (BCP 47); `_` counts as `-`.").pattern(Some(LANGUAGE_TAG)),
        )
        .property(
            "picture",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some([""]))
                .description(Some("An empty text removes the picture.")),
        )
        .property("phone_number", mobile_number())
        .property("phone_number_otp_token", words("What `POST /otp/send` answered."))
        .property("phone_number_otp", words("The code that was sent to the number."))
        .property("email", email_address("An e-mail address."))
        .property("email_otp_token", words("What `POST /otp/send` answered."))
        .property("email_otp", words("The code that was sent to the address."))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some("Further members are attributes that the tenant's schema defines; others refuse the change."))
}

body! {
    /// The body of a request for a code.
    CodeWanted,
    ObjectBuilder::new()
        .property(
            "usage",
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .enum_values(Some([Some("login"), Some("signup"), Some("update_userinfo"), Some("reset_password"), None]))
                .description(Some("The use of the code; `login` by default.")),
        )
        .property("phone_number", mobile_number().schema_type(SchemaType::from_iter([Type::String, Type::Null])))
        .property(
            "email",
            email_address("An e-mail address; one of the two is given.")
                .schema_type(SchemaType::from_iter([Type::String, Type::Null])),
        )
        .property(
            "auth_source_id",
            any("The value that the same member of `POST /oauth2/token` will have; only for `login`."),
        )
        .property(
            "client_id",
            words_or_null(
                "The application that can use the code, if it is not the sender: one of the same tenant that has no secret; \
                 only for `login` and `signup`.",
            ),
        )
        .property(
            "code_challenge",
            words_or_null(
                "If given, the code is valid only with the verifier of this challenge (RFC 7636); only for `login` and \
                 `signup`.",
            )
            .pattern(Some(CHALLENGE)),
        )
        .property(
            "code_challenge_method",
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .enum_values(Some([Some("S256"), None]))
                .description(Some("The method of the challenge; only `S256`, which is the default.")),
        )
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

body! {
    /// The body of a request for tokens.
    TokenWanted,
    ObjectBuilder::new()
        .property(
            "grant_type",
            words(
                "`http://tencentciam.com/oauth2/grant-type/otp/sms`, the same with `email`, either with this server's own \
                 address in place of the host, `refresh_token` or `client_credentials`.",
            )
            .pattern(Some(GRANT_TYPE)),
        )
        .required("grant_type")
        .property("client_id", words("The application."))
        .property("client_secret", words("Its secret, if it keeps one."))
        .property("phone_number", words("The number that the code was sent to."))
        .property("email", words("The address that the code was sent to."))
        .property("otp_token", words("What `POST /otp/send` answered."))
        .property("otp", words("The code."))
        .property("code_verifier", words("The verifier of the challenge in `POST /otp/send` (RFC 7636 §4.1), if there was one."))
        .property("auth_source_id", words("The same value as in `POST /otp/send`."))
        .property(
            "auto_signup",
            words("`true` to create an account if none has the address and the application may do so.")
                .schema_type(SchemaType::from_iter([Type::String, Type::Boolean])),
        )
        .property("refresh_token", words("A refresh token; it can be used once, and again only within `issuer.refresh_grace_period`."))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

body! {
    /// The body of a revocation.
    Revoked,
    ObjectBuilder::new()
        .property("token", scalar("An access token or a refresh token.").min_length(Some(1)))
        .required("token")
        .property("client_id", lenient("The application."))
        .property("client_secret", lenient("Its secret, if it keeps one."))
        .property("token_type_hint", any("Ignored: tokens have distinct forms."))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

fn words(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(NO_NUL)).description(Some(description))
}

/// Returns the schema of a member for which `null` is the same as absence.
fn words_or_null(description: &str) -> ObjectBuilder {
    words(description).schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn mobile_number() -> ObjectBuilder {
    words("A mobile number of mainland China in its eleven digits.").pattern(Some("^1[3-9][0-9]{9}$"))
}

/// The published names of the ways to get tokens, for any server's address.
const GRANT_TYPE: &str = r"^(refresh_token|client_credentials|https?://[^\u0000]+/oauth2/grant-type/otp/(sms|email))$";
/// A language tag (RFC 5646 §2.1), but for the obsolete irregular ones, which are accepted too, or an empty text.
const LANGUAGE_TAG: &str = "^(([A-Za-z]{2,3}([-_][A-Za-z]{3}){0,3}|[A-Za-z]{4,8})([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?([-_]([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*([-_][0-9A-WYZa-wyz]([-_][A-Za-z0-9]{2,8})+)*([-_][Xx]([-_][A-Za-z0-9]{1,8})+)?|[Xx]([-_][A-Za-z0-9]{1,8})+)?$";

/// Returns what the library cannot represent: which members belong together.
fn additions() -> Vec<(&'static str, Object)> {
    let proofs = r#"{"dependentRequired": {
        "phone_number_otp_token": ["phone_number"],
        "phone_number_otp": ["phone_number"],
        "email_otp_token": ["email"],
        "email_otp": ["email"]
    }}"#;
    let one_address = r#"{
        "if": {"required": ["phone_number"], "properties": {"phone_number": {"type": "string"}}},
        "then": {"properties": {"email": {"type": "null"}}},
        "else": {"required": ["email"], "properties": {"email": {"type": "string"}}}
    }"#;
    vec![("ClaimsUpdate", schema(proofs)), ("CodeWanted", schema(one_address))]
}

/// Returns the schema of a parameter of which any scalar counts as text.
fn scalar(description: &str) -> ObjectBuilder {
    let scalars = [Type::String, Type::Number, Type::Boolean];
    let description = format!("{description} A number or a boolean counts as text.");
    words(&description).schema_type(SchemaType::from_iter(scalars))
}

/// Describes a parameter that may be in the header instead, so that a value of another type does no harm.
fn lenient(description: &str) -> ObjectBuilder {
    any(&format!("{description} A number or a boolean counts as text, `null`, a list or an object as absent."))
}

fn any(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(description))
}

fn text(max_length: usize, description: &str) -> ObjectBuilder {
    words(&format!("{description} An empty text clears.")).max_length(Some(max_length))
}

fn claims_schema() -> RefOr<Schema> {
    let own = claims::CLAIMS.iter().fold(ObjectBuilder::new(), |object, claim| {
        let kind = if claim.ends_with("_verified") { Type::Boolean } else { Type::String };
        object.property(*claim, ObjectBuilder::new().schema_type(kind))
    });
    let subject = ObjectBuilder::new().schema_type(Type::String).description(Some("The identifier of the person."));
    own.property("sub", subject)
        .required("sub")
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .into()
}

fn keys_schema() -> RefOr<Schema> {
    let key: Properties =
        ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true))).build();
    ObjectBuilder::new().property("keys", utoipa::openapi::ArrayBuilder::new().items(key)).required("keys").into()
}

fn jane() -> (Account, Application) {
    let fields = [
        (Field::Email, "MOCK_USERNAME@example.com"),
        (Field::DisplayName, "MOCK_NAME"),
        (Field::Nickname, "MOCK_NICKNAME"),
        (Field::TimeZone, "Asia/Shanghai"),
        (Field::Language, "zh-CN"),
    ];
    let mut account = person(&fields, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    account.email_verified = true;
    let application = Application {
        id: "app".to_owned(),
        tenant_id: tenant().id,
        name: "An application".to_owned(),
        kind: Kind::Web,
        grants: Kind::Web.grants(),
        claims: claims::CLAIMS.map(str::to_owned).to_vec(),
        writes: None,
        origins: Vec::new(),
        auto_signup: false,
        token_lifetime: Application::TOKEN_LIFETIME,
        secret_hash: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    (account, application)
}

type Answers = Vec<(&'static str, &'static str, Response)>;

fn shown() -> Answers {
    let (account, application) = jane();
    let shown = |visible: &[String]| {
        let shown = claims::shown("MOCK_USER_ID", &account, &Rules::Free, visible, PUBLIC_URL);
        shown.map_or_else(IntoResponse::into_response, |shown| discovery::described(&shown))
    };
    vec![
        ("the person", CLAIMS, shown(&application.claims)),
        ("an application that may see no claims", CLAIMS, shown(&[])),
    ]
}

fn changed() -> Answers {
    let refused = |when, refused: Refused| (when, REFUSAL, refused.into_response());
    let mut answers = vec![shown().swap_remove(0)];
    answers.extend([
        refused("a member is no attribute", Refused::Unknown),
        refused("an attribute that is not changed here", Refused::Unsupported),
        refused("a value of the wrong form, or that the schema does not allow", Refused::IllegalValue),
    ]);
    answers.extend([
        refused("a number of the wrong form", Refused::MalformedAddress(Address::Phone)),
        refused(
            "the number's token is unknown, over, used up or for something else",
            Refused::BadToken(Address::Phone),
        ),
        refused("the number's code is wrong or old", Refused::BadCode(Address::Phone)),
        refused("another account has verified the number", Refused::Duplicate(Address::Phone)),
        refused("an address of the wrong form", Refused::MalformedAddress(Address::Email)),
        refused(
            "the address' token is unknown, over, used up or for something else",
            Refused::BadToken(Address::Email),
        ),
        refused("the address' code is wrong or old", Refused::BadCode(Address::Email)),
        refused("another account has verified the address", Refused::Duplicate(Address::Email)),
    ]);
    answers
}

fn sent() -> Answers {
    let mut answers = vec![(
        "a code is on its way, or everything looks as if it were",
        "Sent",
        discovery::described(&SentCode { otp_token: "mJ0bvT9nYwqkUj1jLr6f2Zb8o3uE7cXsQ4dKpVhW5iA".to_owned() }),
    )];
    for error in SendError::ALL {
        answers.push((error.when(), REFUSAL, error.into_response()));
        if *error == SendError::NotOneAddress {
            let malformed = |address| Refused::MalformedAddress(address).into_response();
            answers.push(("a number of the wrong form", REFUSAL, malformed(Address::Phone)));
            answers.push(("an address of the wrong form", REFUSAL, malformed(Address::Email)));
        }
    }
    answers.extend(refusals(to_applications(), refusal::render_for_sender));
    answers
}

fn granted() -> Answers {
    let mut answers = vec![("tokens", "Granted", token::example())];
    answers.extend(TokenError::ALL.iter().map(|error| (error.when(), REFUSAL, error.into_response())));
    answers.extend(refusals(to_applications(), refusal::render_for_application));
    answers
}

fn revoked() -> Answers {
    let mut answers = vec![("the token is revoked", "", revoke::done())];
    answers.extend(RevokeError::ALL.iter().map(|error| (error.when(), REFUSAL, error.into_response())));
    answers.extend(refusals(to_applications(), refusal::render_for_application));
    answers
}

fn keys() -> Answers {
    let key = Object::from_iter([
        ("kty", "RSA"),
        ("use", "sig"),
        ("alg", "RS256"),
        ("kid", "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"),
        ("n", "of the key"),
        ("e", "AQAB"),
    ]);
    let set = Object::from_iter([("keys", vec![crate::json::Value::from(key)])]);
    vec![("the keys", KEY_SET, discovery::shown_keys(&set))]
}

fn configuration() -> Answers {
    vec![("where everything is", "Metadata", discovery::shown_metadata(PUBLIC_URL))]
}

/// Returns the errors of a request with a token, before its body is read.
fn access() -> Vec<Ending> {
    vec![
        ("no token", CredentialFault::Missing.into()),
        ("the token is not valid", CredentialFault::Invalid.into()),
        ("the token is not about a person", CredentialFault::ScopeMissing.into()),
        ("the account no longer exists", AccessFault::AccountUnknown.into()),
        ("the account is locked", AccessFault::AccountStatus(Status::Locked).into()),
        ("the account may not be used", AccessFault::AccountStatus(Status::Suspended).into()),
    ]
}

/// Returns the errors that any request of an application can end in.
fn to_applications() -> Vec<Ending> {
    let access = vec![("the credentials are not valid", CredentialFault::Invalid.into())];
    [access, body_faults(), failures()].concat()
}

/// Renders each error.
fn refusals(
    endings: Vec<Ending>,
    render_error: ErrorRenderer,
) -> impl Iterator<Item = (&'static str, &'static str, Response)> {
    endings.into_iter().map(move |(when, error)| (when, REFUSAL, example_of(&error, render_error)))
}

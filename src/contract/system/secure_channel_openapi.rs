//! The part of the contract's document about encrypted bodies.

use std::borrow::Cow;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use uuid::Uuid;

use super::secure_channel::{
    ChannelClosed, ChannelKeySet, ChannelPublicKey, ChannelSession, SESSION_ID, VERSION, key_answer, private_answer,
};
use crate::account::{BodyFault, Cause, ChannelFault, Error, Fault, RequestFault, Rule};
use crate::contract::openapi::{Ending, Operation, body_faults, failures, request_header};
use crate::identity::client_hash;
use crate::json::Object;

/// The description of an update's body.
pub(super) const BODIES: &str = "At most 64 KiB, counted when it is opened if it is encrypted. As `application/json` it may also be an envelope of the session form of \
     SecureChannel: binary, or an object of exactly the members `v` and `p`. `application/jose` and `application/jose+json` are JWEs \
     (RFC 7516) whose plaintext is the JSON. The answer to an envelope that opens is an envelope of the same form, whatever its \
     status; that to a JWE is one if `Accept` names `application/jose` and the request brought a key in `reply_jwk`.";

/// Returns the errors of a request with an encrypted body.
pub(super) fn faults() -> Vec<Ending> {
    vec![
        (
            "the body does not open, was accepted before, is bound to another access token, or is plain or unbound and must not \
          be",
            ChannelFault::Payload.into(),
        ),
        ("the session of the body is unknown, expired, or another client's", ChannelFault::Session.into()),
    ]
}

/// Returns a response that is a JWE.
pub(super) fn encrypted_answer() -> (&'static str, &'static str, Response) {
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/jose"))];
    let answer =
        (headers, "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSJ9..48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdv")
            .into_response();
    ("the answer, whatever it is, to a JWE that wants it so", "EncryptedAnswer", answer)
}

/// Returns the operations on keys and sessions.
pub(super) fn operations() -> Vec<Operation> {
    let keys = || {
        let missing =
            ("there is no key, because of an internal error", ChannelFault::PublicKey(Cause::new("an example")).into());
        // Any other internal error becomes `ChannelFault::PublicKey` here.
        let failures = failures().into_iter().filter(|(_, error)| !matches!(error, Error::Internal(_)));
        [missing].into_iter().chain(failures).collect()
    };
    let session_faults = vec![
        ("the key is unknown, or no longer in use", ChannelFault::KeyId.into()),
        ("the keys do not decrypt, or are the same", ChannelFault::SessionKeys.into()),
    ];
    let with_body = body_faults()
        .into_iter()
        .filter(|(_, error)| !matches!(error, Error::Request(RequestFault::Body(BodyFault::Empty | BodyFault::Null))))
        .collect();
    let session_id_faults =
        vec![("a member is not a string", Error::Fields(vec![Fault { field: "sessionId".into(), rule: Rule::Text }]))];
    vec![
        Operation { id: "showChannelKey", requests: Vec::new(), answers: shown_key, endings: keys() },
        Operation { id: "showChannelKeySet", requests: Vec::new(), answers: shown_keys, endings: keys() },
        Operation {
            id: "openChannelSession",
            requests: Vec::new(),
            answers: opened,
            endings: [super::openapi::access(), body_faults(), session_faults, failures()].concat(),
        },
        Operation {
            id: "closeChannelSession",
            requests: vec![("a session", CLOSING)],
            answers: closed,
            endings: [with_body, session_id_faults, failures()].concat(),
        },
    ]
}

/// Returns the schemas of the responses.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![
        (EncryptedAnswer::name().into_owned(), EncryptedAnswer::schema()),
        (ChannelPublicKey::name().into_owned(), ChannelPublicKey::schema()),
        (ChannelKeySet::name().into_owned(), ChannelKeySet::schema()),
        (ChannelSession::name().into_owned(), ChannelSession::schema()),
        (ChannelClosed::name().into_owned(), ChannelClosed::schema()),
    ];
    ChannelPublicKey::schemas(&mut schemas);
    ChannelKeySet::schemas(&mut schemas);
    ChannelSession::schemas(&mut schemas);
    schemas
}

/// The headers that an update reads for an encrypted body.
pub(super) struct Headers;

impl IntoParams for Headers {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let version = "The version of the session form; only with an encrypted body: 2.";
        vec![session_header(), request_header(VERSION.as_str(), Required::False, None, version.to_owned())]
    }
}

/// The header that a session is bound to when it is opened with an access token.
pub(super) struct OwnerHeader;

impl IntoParams for OwnerHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let hash = "The same value as with every message of the session. Only with an access token, and required then unless the \
                    server is configured otherwise.";
        vec![request_header(client_hash::HEADER, Required::False, Some(client_hash::MAX_LENGTH), hash.to_owned())]
    }
}

/// The header that names a session.
pub(super) struct SessionHeader;

impl IntoParams for SessionHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![session_header()]
    }
}

fn session_header() -> Parameter {
    let session = "The session that an envelope belongs to.";
    request_header(SESSION_ID.as_str(), Required::False, None, session.to_owned())
}

macro_rules! schema {
    ($(#[$about:meta])* $name:ident($text:literal) => $schema:expr) => {
        $(#[$about])*
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($text)
            }
        }
    };
}

schema! {
    /// A JWE in compact form.
    CompactMessage("CompactMessage") => ObjectBuilder::new().schema_type(Type::String).pattern(Some(COMPACT)).description(Some(
        "A JWE in compact form (RFC 7516 §7.1): `RSA-OAEP-256`, `ECDH-ES` or `ECDH-ES+A256KW` with `A256GCM`, to a key of \
         `/web/v1/secure-channel/jwks.json`, with `iat`, `jti`, to bind it to the access token `ath` (RFC 9449 §4.2), and, for an encrypted answer, `reply_jwk` in its \
         protected header.",
    ))
}

schema! {
    /// A response that is a JWE.
    EncryptedAnswer("EncryptedAnswer") => ObjectBuilder::new().schema_type(Type::String).description(Some(
        "A JWE in compact form to the key in `reply_jwk`; its plaintext is the JSON that would otherwise be the body. Refusals \
         are answered so too.",
    ))
}

schema! {
    /// A JWE in flattened form.
    FlattenedMessage("FlattenedMessage") => members(
        &[("protected", PROTECTED), ("iv", IV), ("ciphertext", BASE64URL), ("tag", TAG)],
        &[("encrypted_key", BASE64URL), ("aad", BASE64URL)],
    )
        .description(Some("The same in flattened form (RFC 7516 §7.2.2)."))
}

schema! {
    /// The keys of a session to open.
    OpeningSession("OpeningSession") => members(
        &[("keyId", THUMBPRINT), ("encReqKey", ENCRYPTED_KEY), ("encRespKey", ENCRYPTED_KEY)],
        &[],
    )
        .description(Some(
        "The server's key, and the keys of requests and answers, each encrypted to it and in Base64.",
    ))
}

schema! {
    /// A session to close.
    ClosingSession("ClosingSession") => ObjectBuilder::new()
        .property("sessionId", ObjectBuilder::new().schema_type(Type::String))
        .description(Some("The session to close."))
}

/// Describes texts by their names and patterns.
fn members(required: &[(&str, &str)], optional: &[(&str, &str)]) -> ObjectBuilder {
    let text = |pattern: &str| ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
    let all = required.iter().chain(optional);
    let all = all.fold(ObjectBuilder::new(), |all, (name, pattern)| all.property(*name, text(pattern)));
    required.iter().fold(all, |all, (name, _)| all.required(*name))
}

/// Base64url without padding (RFC 7515 §2).
const BASE64URL: &str = "^[A-Za-z0-9_-]*$";
const PROTECTED: &str = "^[A-Za-z0-9_-]+$";
/// 12 bytes.
const IV: &str = "^[A-Za-z0-9_-]{16}$";
/// 16 bytes.
const TAG: &str = "^[A-Za-z0-9_-]{22}$";
const COMPACT: &str = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{22}$";
/// The SHA-256 of a key (RFC 7638), in Base64url.
const THUMBPRINT: &str = "^[A-Za-z0-9_-]{43}$";
/// The 256 bytes that RSA-OAEP with 2048 bits makes, in Base64.
const ENCRYPTED_KEY: &str = "^[A-Za-z0-9+/]{341}[AQgw]==$";

const CLOSING: &str = r#"{"sessionId":"0f8fad5b-d9cb-469f-a165-70867728950e"}"#;
const MADE: Timestamp = Timestamp::constant(1_768_464_000, 0);
const KEY_ID: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

fn shown_key() -> Vec<(&'static str, &'static str, Response)> {
    let answer =
        key_answer("application/json", &ChannelPublicKey::new(KEY_ID, "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A…", MADE));
    vec![("the key", "ChannelPublicKey", answer)]
}

fn shown_keys() -> Vec<(&'static str, &'static str, Response)> {
    let key = Object::from_iter([
        ("crv", "X25519"),
        ("kty", "OKP"),
        ("x", "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"),
        ("kid", KEY_ID),
        ("use", "enc"),
    ]);
    let keys = Object::from_iter([("keys", vec![crate::json::Value::Object(key)])]);
    vec![("the keys", "ChannelKeySet", key_answer("application/jwk-set+json", &keys))]
}

fn opened() -> Vec<(&'static str, &'static str, Response)> {
    let id = Uuid::from_u128(0x0f8f_ad5b_d9cb_469f_a165_7086_7728_950e);
    vec![("the session", "ChannelSession", private_answer(&ChannelSession::new(id, MADE)))]
}

fn closed() -> Vec<(&'static str, &'static str, Response)> {
    vec![("the session is closed", "ChannelClosed", private_answer(&ChannelClosed::default()))]
}

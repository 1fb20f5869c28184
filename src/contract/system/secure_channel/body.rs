use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The key that a session's keys are encrypted to.
#[derive(Serialize, ToSchema)]
pub(in crate::contract::system) struct ChannelPublicKey<'a> {
    success: bool,
    #[schema(pattern = "^2000$")]
    code: &'static str,
    #[schema(pattern = "^SUCCESS$")]
    message: &'static str,
    data: PublicKey<'a>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::contract::system) struct PublicKey<'a> {
    key_id: &'a str,
    /// SubjectPublicKeyInfo (RFC 5280) in DER, in Base64.
    public_key: &'a str,
    /// RSA-OAEP with SHA-256, for the mask generation too.
    #[schema(pattern = "^RSA-OAEP-2048$")]
    algorithm: &'static str,
    key_size: i64,
    /// Milliseconds since 1970 UTC.
    created_at: i64,
    /// Always null: a key stays valid for some time after it was replaced.
    #[schema(required)]
    expires_at: Option<i64>,
}

/// A session that was opened.
#[derive(Serialize, ToSchema)]
pub(in crate::contract::system) struct ChannelSession {
    success: bool,
    #[schema(pattern = "^2000$")]
    code: &'static str,
    #[schema(pattern = "^SUCCESS$")]
    message: &'static str,
    data: Session,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::contract::system) struct Session {
    /// The value of `X-SC-Session-Id`, which is also authenticated with every message.
    session_id: String,
    /// Milliseconds since 1970 UTC.
    expires_at: i64,
}

/// A session that is closed, whether or not it was open before.
#[derive(Serialize, ToSchema)]
pub(in crate::contract::system) struct ChannelClosed {
    success: bool,
    #[schema(pattern = "^2000$")]
    code: &'static str,
    #[schema(pattern = "^SUCCESS$")]
    message: &'static str,
    #[schema(value_type = Option<bool>, required)]
    data: Option<bool>,
}

/// The keys that messages in JOSE form are encrypted to (RFC 7517 §5).
#[derive(Serialize, ToSchema)]
pub(in crate::contract::system) struct ChannelKeySet {
    keys: Vec<ChannelKey>,
}

/// A JWK (RFC 7517 §4): an RSA key with `n`, `e` and `alg`, a key on P-256 with `x` and `y`, a key on X25519 with `x`.
#[derive(Serialize, ToSchema)]
struct ChannelKey {
    kty: String,
    kid: String,
    #[schema(pattern = "^enc$")]
    r#use: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl<'a> ChannelPublicKey<'a> {
    /// Renders a key.
    pub(in crate::contract::system) fn new(key_id: &'a str, spki: &'a str, created_at: Timestamp) -> Self {
        let data = PublicKey {
            key_id,
            public_key: spki,
            algorithm: "RSA-OAEP-2048",
            key_size: 2048,
            created_at: created_at.as_millisecond(),
            expires_at: None,
        };
        ChannelPublicKey { success: true, code: "2000", message: "SUCCESS", data }
    }
}

impl ChannelSession {
    /// Renders a session.
    pub(in crate::contract::system) fn new(id: Uuid, expires_at: Timestamp) -> Self {
        let data = Session { session_id: id.to_string(), expires_at: expires_at.as_millisecond() };
        ChannelSession { success: true, code: "2000", message: "SUCCESS", data }
    }
}

impl Default for ChannelClosed {
    fn default() -> Self {
        ChannelClosed { success: true, code: "2000", message: "SUCCESS", data: None }
    }
}

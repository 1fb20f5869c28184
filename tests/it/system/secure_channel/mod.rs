//! The secure channel: encrypted requests and responses, in the portal's session form and in JOSE form.

mod binding;
mod bounds;
mod keys;
mod one_offs;
mod peers;
mod races;
mod required;
mod sessions;
mod tampering;
mod tokens;
mod vectors;

use std::time::Duration;

use serde_json::{Value, json};

use super::{AuthenticatedPerson, PROFILE, UPDATE, admin, sign_in};
use crate::support::secure_channel::{CHANNEL, Sealed, ServerKey, Session, jwe};
use crate::support::{Database, Request, Server, Transcript};

const OPEN: &str = "/web/v1/secure-channel/session";
const JANE: &str = r#"{"accountName":"Jane Admin"}"#;
const JOHN: &str = r#"{"accountName":"John Admin"}"#;

impl AuthenticatedPerson<'_> {
    /// Begins an update in a session.
    fn in_session(&self, session: &Session) -> Request {
        let request = self.request("POST", UPDATE).header("Content-Type", "application/json;charset=UTF-8");
        request.header("X-SC-Session-Id", &session.id).header("X-SC-Version", "2")
    }

    /// Opens a session with the person's credentials.
    async fn open(&self) -> Session {
        Session::open_by(self.server, self.request("POST", OPEN)).await
    }

    /// Sends a binary envelope in a session.
    async fn send_in(&self, session: &Session, envelope: impl Into<reqwest::Body>) -> Sealed {
        Sealed::of(self.in_session(session).body(envelope)).await
    }

    /// Sends a binary envelope without a session.
    async fn send_one_off(&self, envelope: impl Into<reqwest::Body>) -> Sealed {
        Sealed::of(self.request("POST", UPDATE).header("X-SC-Version", "2").json(envelope)).await
    }

    /// Sends a JWE.
    async fn send_token(&self, token: String) -> Sealed {
        Sealed::of(self.request("POST", UPDATE).header("Content-Type", "application/jose").body(token)).await
    }

    /// The stored name.
    async fn name(&self) -> String {
        self.stored().await.text(selfsame::account::Field::DisplayName).unwrap_or_default().to_owned()
    }
}

/// The protected header of a current JWE to a key.
fn header(server: &Server, key: &ServerKey, jti: &str) -> Value {
    json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.id, "iat": server.app.now().as_second(), "jti": jti})
}

/// A header with one parameter changed, or removed by `null`.
fn with(header: &Value, name: &str, value: Value) -> Value {
    let mut header = header.clone();
    match value {
        Value::Null => drop(header.as_object_mut().unwrap().remove(name)),
        value => header[name] = value,
    }
    header
}

//! Responses to encrypted requests: every response, error responses included, is encrypted as the last step.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;

use super::{VERSION, VERSION_TEXT};
use crate::account::{Cause, Error};
use crate::app::App;
use crate::contract::system::ERROR_RENDERER;
use crate::http::{RequestContext, render_and_log};
use crate::jose::Recipient;
use crate::json::Object;
use crate::keys::SealingKey;
use crate::secure_channel::envelope;

/// How the response to a request is encrypted.
pub(super) enum Answer {
    /// With the response key of a session, or of a message without a session, whose name is then empty.
    Envelope {
        /// The key.
        key: [u8; 32],
        /// The session's name.
        session: String,
        /// Whether the envelope is JSON instead of binary.
        json: bool,
    },
    /// To the key that the request brought.
    Token {
        /// The key, with which a shared secret was agreed on already, so that it is known to be valid.
        recipient: Recipient,
        /// The `jti` of the request.
        token_id: String,
    },
}

/// Passes the encryption of the response from the code that decrypts a request to [`seal`].
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Answer>>>);

/// Marks a response that is never encrypted: one that refuses an encrypted body, and must not reveal whether it was
/// decrypted.
#[derive(Clone, Copy)]
pub(in crate::contract::system) struct Plain;

impl Plain {
    /// Marks a response.
    pub(in crate::contract::system) fn mark_plain(mut response: Response) -> Response {
        response.extensions_mut().insert(Plain);
        response
    }
}

impl Slot {
    pub(super) fn fill(&self, answer: Answer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    fn take(&self) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Encrypts the response to a request that was encrypted and decrypted successfully.
///
/// This layer wraps everything that may respond, time-outs and panics included.
pub(in crate::contract::system) async fn seal(State(app): State<App>, mut request: Request, next: Next) -> Response {
    // Only a body can be encrypted, and only of these methods it is read.
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let slot = Slot::default();
    request.extensions_mut().insert(slot.clone());
    let context = RequestContext::read(&request);
    let response = next.run(request).await;
    let is_plain = response.extensions().get::<Plain>().is_some();
    match slot.take().filter(|_| !is_plain) {
        Some(answer) => answer
            .encrypt(&app, response)
            .await
            .unwrap_or_else(|error| render_and_log(error, &context.of_error(&app), ERROR_RENDERER)),
        None => response,
    }
}

impl Answer {
    /// Encrypts a response. Fails with [`Error::Internal`]: a response that cannot be encrypted is not sent.
    async fn encrypt(self, app: &App, response: Response) -> Result<Response, Error> {
        let (mut parts, body) = response.into_parts();
        let is_token = matches!(self, Answer::Token { .. });
        let plain = body.collect().await.map_err(|error| Error::Internal(Cause::new(error)))?.to_bytes();
        let sealed = self.sealed(app, &plain);
        let sealed = sealed.ok_or_else(|| Error::Internal(Cause::new("an answer could not be encrypted")))?;
        if is_token {
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jose"));
        } else {
            parts.headers.insert(VERSION, HeaderValue::from_static(VERSION_TEXT));
        }
        Ok(Response::from_parts(parts, Body::from(sealed)))
    }

    fn sealed(self, app: &App, plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Answer::Envelope { key, session, json } => {
                let payload = SealingKey::new(&key).seal(app.random(), session.as_bytes(), plain);
                Some(if json { envelope::response_json(&payload) } else { envelope::response(&payload) })
            }
            Answer::Token { recipient, token_id } => {
                let parameters = Object::from_iter([("cty", "application/json"), ("jti", &token_id)]);
                recipient.seal(app.random(), app.random(), &parameters, plain).map(String::into_bytes)
            }
        }
    }
}

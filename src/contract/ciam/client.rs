use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::parameters::{Parameters, decode};
use crate::account::{Application, CredentialFault, Error, Tenant};
use crate::app::App;
use crate::identity::credentials;

/// The longest identifier or secret that is accepted, in bytes.
const MAX_LENGTH: usize = 1024;

/// A client's credentials, from the header or, where allowed, the body (RFC 6749 §2.3.1).
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<String>,
}

impl Client {
    /// Reads `Authorization: Basic`: identifier and secret, each form-encoded, in Base64.
    pub(super) fn of_header(headers: &HeaderMap) -> Result<Client, Error> {
        let encoded = credentials(headers, "Basic")?;
        let pair = STANDARD.decode(encoded).ok().and_then(|pair| String::from_utf8(pair).ok());
        let pair = pair.ok_or(CredentialFault::Invalid)?;
        let (id, secret) = pair.split_once(':').ok_or(CredentialFault::Invalid)?;
        let (id, secret) = decode(id).zip(decode(secret)).ok_or(CredentialFault::Invalid)?;
        // A client without a secret may send an empty one (RFC 6749 §2.3.1).
        Ok(Client { id, secret: Some(secret).filter(|secret| !secret.is_empty()) })
    }

    /// Reads the header or, without one, the body. Returns `None` when the body has a secret or another identifier beside
    /// the header: only one of them may carry credentials (RFC 6749 §2.3).
    pub(super) fn of(headers: &HeaderMap, parameters: &Parameters) -> Result<Option<Client>, Error> {
        let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        match Client::of_header(headers) {
            Ok(client) if secret.is_some() || id.is_some_and(|id| id != client.id) => {
                drop(client);
                Ok(None)
            }
            Ok(client) => Ok(Some(client)),
            Err(Error::Credentials(CredentialFault::Missing)) => {
                let id = id.ok_or(CredentialFault::Missing)?;
                Ok(Some(Client { id: id.to_owned(), secret: secret.map(str::to_owned) }))
            }
            Err(error) => Err(error),
        }
    }

    /// Authenticates the application and returns it with its tenant.
    pub(super) async fn authenticate(&self, app: &App) -> Result<(Application, Tenant), Error> {
        let fits = |text: &str| text.len() <= MAX_LENGTH;
        if !fits(&self.id) || !self.secret.as_deref().is_none_or(fits) {
            return Err(CredentialFault::Invalid.into());
        }
        app.authenticator().application(&self.id, self.secret.as_deref()).await
    }
}

//! The credentials of applications (RFC 6749 §2.3): an identifier, and a secret where one can be kept.

use crate::account::{Application, CredentialFault, Error, Tenant};
use crate::app::App;
use crate::keys::{KeyedHash, equal, hex};

/// What every secret begins with, so that secret scanners and people can tell one.
const PREFIX: &str = "ssc_";

/// A new secret; it is shown once and kept by nobody.
pub fn mint_secret(app: &App) -> String {
    format!("{PREFIX}{}", hex(&app.random::<32>()))
}

/// What a secret of an application is recognised by.
pub fn secret_hash(app: &App, application: &str, secret: &str) -> KeyedHash {
    app.keys().digest("application secret", &[application.as_bytes(), secret.as_bytes()])
}

/// The application that presents these credentials, and its tenant, which is in use. One that keeps a secret must present it,
/// one that keeps none cannot. Every reason for refusal is the same error, and the same work.
pub async fn authenticate(app: &App, id: &str, secret: Option<&str>) -> Result<(Application, Tenant), Error> {
    let found = app.store().application(id).await?;
    let presented = secret_hash(app, id, secret.unwrap_or_default());
    let (application, tenant) = found.ok_or(CredentialFault::Invalid)?;
    let holds = match (application.secret_hash, secret) {
        (Some(kept), Some(_)) => equal(&kept, &presented),
        (None, None) => true,
        _ => false,
    };
    if holds && tenant.is_open(app.now()) {
        Ok((application, tenant))
    } else {
        Err(Error::Credentials(CredentialFault::Invalid))
    }
}

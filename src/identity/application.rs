//! The credentials of applications (RFC 6749 §2.3): an identifier, and a secret where one can be kept.

use data_encoding::HEXLOWER;

use super::Authenticator;
use crate::account::{Application, CredentialFault, Error, Tenant};
use crate::clock::random;
use crate::keys::{KeyedHash, Keyring, equal};

/// What every secret begins with, so that secret scanners and people can tell one.
const PREFIX: &str = "ssc_";

/// A new secret; it is shown once and kept by nobody.
pub fn mint_secret() -> String {
    format!("{PREFIX}{}", HEXLOWER.encode(&random::<32>()))
}

/// What a secret of an application is recognised by.
pub fn secret_hash(keys: &Keyring, application: &str, secret: &str) -> KeyedHash {
    keys.digest("application secret", &[application.as_bytes(), secret.as_bytes()])
}

impl Authenticator {
    /// The application that presents these credentials, and its tenant, which is in use. One that keeps a secret must present it,
    /// one that keeps none cannot. Every reason for refusal is the same error, and the same work.
    pub async fn application(&self, id: &str, secret: Option<&str>) -> Result<(Application, Tenant), Error> {
        let found = self.store.application(id).await?;
        let presented = secret_hash(&self.keys, id, secret.unwrap_or_default());
        let (application, tenant) = found.ok_or(CredentialFault::Invalid)?;
        let is_valid = match (application.secret_hash, secret) {
            (Some(kept), Some(_)) => equal(&kept, &presented),
            (None, None) => true,
            _ => false,
        };
        if is_valid && tenant.is_open(self.clock.now()) {
            Ok((application, tenant))
        } else {
            Err(Error::Credentials(CredentialFault::Invalid))
        }
    }
}

//! The credentials of applications (RFC 6749 §2.3): an identifier, and a secret if the application can keep one.

use data_encoding::HEXLOWER;

use super::Authenticator;
use crate::account::{Application, CredentialFault, Error, Tenant, TenantId};
use crate::clock::random;
use crate::keys::{KeyedHash, Keyring, equal};

/// The prefix of every secret, by which secret scanners and people recognise one.
const PREFIX: &str = "ssc_";

/// Generates a new secret, which is shown once and stored only as a hash.
pub fn mint_secret() -> String {
    format!("{PREFIX}{}", HEXLOWER.encode(&random::<32>()))
}

/// Returns the hash by which an application's secret is checked.
pub fn secret_hash(keys: &Keyring, application: &str, secret: &str) -> KeyedHash {
    keys.digest("application secret", &[application.as_bytes(), secret.as_bytes()])
}

impl Authenticator {
    /// Authenticates an application and returns it with its tenant, which must be open. An application with a secret
    /// must present it, one without must present none. Every refusal is the same error after the same work.
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

    /// Returns the application of a tenant that has this identifier and no secret (a public client, RFC 6749 §2.1). Every
    /// refusal is the same error, so that it does not reveal the applications of other tenants.
    pub async fn public_application(&self, id: &str, tenant: TenantId) -> Result<Application, Error> {
        let found = self.store.application(id).await?.map(|(application, _)| application);
        let is_public = |found: &Application| found.secret_hash.is_none() && found.tenant_id == tenant;
        found.filter(is_public).ok_or(Error::Credentials(CredentialFault::Invalid))
    }
}

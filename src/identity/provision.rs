use super::{Authenticator, Token};
use crate::account::history::{Actor, ChangeContext};
use crate::account::{AccessFault, CredentialFault, Edit, Error, Field, Patch, Text, Unique};
use crate::config::TrustedIssuer;
use crate::json::{Object, Value};
use crate::store::{Identity, Link};

/// The longest claim that is copied, in bytes.
const MAX_CLAIM: usize = 1024;

impl Authenticator {
    /// Creates an account from a verified token's claims, once. Of two concurrent first requests one succeeds, and both
    /// then find its account.
    pub(super) async fn provision(
        &self,
        settings: &TrustedIssuer,
        token: &Token,
        claims: &Object,
    ) -> Result<(), Error> {
        let Some(tenant) = self.store.tenant_by_name(&settings.tenant).await? else {
            tracing::error!(
                issuer = settings.issuer,
                tenant = settings.tenant,
                "tenant of trusted issuer does not exist"
            );
            return Err(CredentialFault::Invalid.into());
        };
        if !tenant.is_open(self.clock.now()) {
            return Err(AccessFault::TenantClosed.into());
        }
        let mut patch = patch(settings, claims);
        loop {
            let account = self.profiles.draft(&tenant).await?;
            let identity = Identity { issuer: token.issuer.clone(), subject: token.subject.clone() };
            let link = Link { key: self.keys.subject(&token.subject), identity };
            match self.profiles.create(account, &patch, Some(&link), &change_context()).await {
                Ok(_) | Err(Error::Taken(Unique::Identity)) => return Ok(()),
                // A value that another account has proved stays with it: the claim is stored unverified and never links
                // two people.
                Err(Error::Taken(Unique::Email)) if patch.email_verified == Some(true) => patch.email_verified = None,
                Err(Error::Taken(Unique::Phone)) if patch.phone_verified == Some(true) => patch.phone_verified = None,
                Err(Error::Taken(Unique::Username)) if *patch.edit_of(Field::Username) != Edit::Keep => {
                    patch.edit(Field::Username, Edit::Keep);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The patch of the claims that the operator maps to fields; claims that are not strings of bounded length are left
/// out.
fn patch(settings: &TrustedIssuer, claims: &Object) -> Patch {
    let mut patch = Patch::default();
    for (field, claim) in &settings.claims {
        let text = claims.get(claim).and_then(Value::as_str).filter(|text| text.len() <= MAX_CLAIM);
        if let (Some(field), Some(Ok(text))) = (Field::from_name(field), text.map(Text::new)) {
            patch.edit(field, Edit::Set(text));
        }
    }
    let proved =
        |claim| (settings.trust_verified_claims && claims.get(claim) == Some(&Value::Bool(true))).then_some(true);
    patch.email_verified = proved("email_verified");
    patch.phone_verified = proved("phone_number_verified");
    patch
}

fn change_context() -> ChangeContext {
    ChangeContext { actor: Actor::System, contract: "provisioning", ..ChangeContext::operator() }
}

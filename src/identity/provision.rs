use super::{Authenticator, Token};
use crate::account::history::{Actor, ChangeContext};
use crate::account::{AccessFault, Edit, Error, Field, Patch, Phone, Tenant, Text, Unique, is_hidden, is_time_zone};
use crate::config::TrustedIssuer;
use crate::json::{Object, Value};
use crate::language;
use crate::picture::{self, PictureInput};
use crate::store::{Identity, Link};

/// The longest claim that is copied, in bytes.
const MAX_CLAIM: usize = 1024;

impl Authenticator {
    /// Creates an account from a verified token's claims, once. Of two concurrent first requests one succeeds, and both
    /// then find its account.
    pub(super) async fn provision(
        &self,
        settings: &TrustedIssuer,
        tenant: &Tenant,
        token: &Token,
        claims: &Object,
    ) -> Result<(), Error> {
        if !tenant.is_open(self.clock.now()) {
            return Err(AccessFault::TenantClosed.into());
        }
        let mut patch = patch(settings, claims, self.public_url.as_str());
        let mut has_drawn_again = false;
        loop {
            let account = self.profiles.draft(tenant).await?;
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
                // An imported account has a number that this instance had drawn in advance.
                Err(Error::Taken(Unique::Number)) if !has_drawn_again => has_drawn_again = true,
                Err(error) => return Err(error),
            }
        }
    }
}

/// The patch of the claims that the operator maps to fields; claims that are not strings, or that no contract would write
/// into the field, are left out.
fn patch(settings: &TrustedIssuer, claims: &Object, public_url: &str) -> Patch {
    let mut patch = Patch::default();
    for (field, claim) in &settings.claims {
        let text = claims.get(claim).and_then(Value::as_str).filter(|text| text.len() <= MAX_CLAIM);
        if let (Some(field), Some(text)) = (Field::from_name(field), text)
            && let Some(text) = copied(field, text, public_url)
        {
            patch.edit(field, Edit::Set(text));
        }
    }
    // Some providers write the mark as text.
    let is_true = |value: &Value| *value == Value::Bool(true) || value.as_str() == Some("true");
    let proved = |claim| (settings.trust_verified_claims && claims.get(claim).is_some_and(is_true)).then_some(true);
    patch.email_verified = proved("email_verified");
    // Providers write numbers of other countries without `+`, too: eleven digits may be one of North America.
    let is_international = |phone: &str| phone.starts_with('+') && Phone(phone).e164().is_some();
    let marked = matches!(patch.edit_of(Field::Phone), Edit::Set(phone) if is_international(phone.as_str()));
    patch.phone_verified = proved("phone_number_verified").filter(|_| marked);
    patch
}

/// Returns a claim as it is stored in a field, or `None` if no contract would write it there. In particular a picture is
/// never the internal form of a stored one, nor an address of this installation: it may be another person's.
fn copied(field: Field, claim: &str, public_url: &str) -> Option<Text> {
    let text = match field {
        // Some providers write tags with underscores (OpenID Connect Core §5.1).
        Field::Language => claim.replace('_', "-"),
        Field::DisplayName | Field::GivenName | Field::FamilyName | Field::Nickname | Field::Username => {
            claim.trim().to_owned()
        }
        _ => claim.to_owned(),
    };
    let fits = match field {
        Field::Picture => matches!(picture::read(&text, public_url), Ok(PictureInput::Address(_))),
        Field::Attributes => false,
        Field::Phone => !text.contains(is_hidden),
        Field::Language => language::is_well_formed(&text),
        Field::TimeZone => is_time_zone(&text),
        _ => true,
    };
    Text::new(text).ok().filter(|text| fits && field.check(text.as_str()).is_ok())
}

fn change_context() -> ChangeContext {
    ChangeContext { actor: Actor::System, contract: "provisioning", ..ChangeContext::operator() }
}

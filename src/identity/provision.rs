use super::Token;
use crate::account::history::{Actor, Occasion};
use crate::account::{Account, AccountId, Edit, Error, Field, Patch, Text, Unique};
use crate::app::App;
use crate::config::TrustedIssuer;
use crate::json::{Object, Value};
use crate::profile;
use crate::store::{Identity, Link};

/// The longest claim that is copied, in bytes.
const MAX_CLAIM: usize = 1024;

/// Makes an account of a verified token's claims, once. Of two first requests one wins, and both then find its account.
pub(super) async fn provision(
    app: &App,
    settings: &TrustedIssuer,
    token: &Token,
    claims: &Object,
) -> Result<(), Error> {
    let Some(tenant) = app.store().tenant_by_name(&settings.tenant).await? else {
        tracing::error!(issuer = settings.issuer, tenant = settings.tenant, "the issuer's tenant does not exist");
        return Err(Error::CredentialsInvalid);
    };
    if !tenant.is_open(app.now()) {
        return Err(Error::TenantClosed);
    }
    let mut patch = patch(settings, claims);
    loop {
        let id = AccountId(app.new_id());
        let number = app.store().next_account_number().await?;
        let account = Account::new(id, number, None, &tenant, app.now());
        let identity = Identity { issuer: token.issuer.clone(), subject: token.subject.clone() };
        let link = Link { key: app.keys().subject(&token.subject), identity };
        match profile::create(app, account, &patch, Some(&link), &occasion()).await {
            Ok(_) | Err(Error::Taken(Unique::Identity)) => return Ok(()),
            // What somebody else has proved stays theirs: the claim is kept unproved, and never links two people.
            Err(Error::Taken(Unique::Email)) if patch.email_verified == Some(true) => patch.email_verified = None,
            Err(Error::Taken(Unique::Phone)) if patch.phone_verified == Some(true) => patch.phone_verified = None,
            Err(Error::Taken(Unique::Username)) if *patch.wish(Field::Username) != Edit::Keep => {
                patch.edit(Field::Username, Edit::Keep);
            }
            Err(error) => return Err(error),
        }
    }
}

/// What the operator wants copied; claims that are no bounded text are left out.
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

fn occasion() -> Occasion {
    Occasion { actor: Actor::System, contract: "provisioning", ..Occasion::operator() }
}

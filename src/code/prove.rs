use super::{Binding, Usage, code_hash, token_hash};
use crate::account::{CodeFault, Contact, Error, Tenant};
use crate::app::App;
use crate::keys;
use crate::store::Challenge;

/// A code that comes back.
pub struct Offered<'a> {
    /// The tenant in which the address is to be proved.
    pub tenant: &'a Tenant,
    /// What it is to be used for.
    pub usage: Usage,
    /// The address that it is to prove.
    pub contact: Contact,
    /// The application that it is used by; counts only for signing in and up.
    pub application: Option<&'a str>,
    /// What [`Wanted`](super::Wanted) had as its context.
    pub context: &'a str,
    /// What [`send`](super::send) returned.
    pub token: &'a str,
    /// The digits.
    pub code: &'a str,
}

/// An address is somebody's: they had the code that was sent to it. Counts once, with the change that uses it up.
#[derive(Debug)]
pub struct Proof {
    challenge: Challenge,
    contact: Contact,
}

impl Proof {
    /// What is to be used up: [`Effect::UseCode`](crate::store::Effect::UseCode).
    pub fn challenge(&self) -> Challenge {
        self.challenge
    }

    /// The address that is proved, as it came with the code.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }
}

/// Counts a try, in a committed statement of its own, and then compares, in a time that does not tell where codes differ.
/// The code is not used up by it. [`Error::Code`] when it proves nothing.
pub async fn prove(app: &App, offered: Offered<'_>) -> Result<Proof, Error> {
    let Offered { tenant, usage, contact, application, context, token, code } = offered;
    let binding = Binding { tenant, usage, contact: &contact, application, context };
    let (slot, hash) = (binding.slot(app.keys()), binding.hash(app.keys()));
    let tries = i64::try_from(usage.rules(&app.config().codes).tries).unwrap_or(i64::MAX);
    let now = app.now();
    let tried = app.store().count_try(slot, token_hash(app.keys(), token), hash, now, tries).await?;
    let tried = tried.ok_or(Error::Code(CodeFault::Token))?;
    let is_same = keys::equal(&tried.code, &code_hash(app.keys(), tried.id, hash, code));
    if now >= tried.code_expires_at {
        return Err(CodeFault::Expired.into());
    }
    if !is_same {
        return Err(CodeFault::Code.into());
    }
    Ok(Proof { challenge: Challenge { slot, id: tried.id }, contact })
}

/// Whether the token of a code that proved nothing belongs to one that was sent with other parameters.
pub async fn is_mismatched(app: &App, usage: Usage, token: &str) -> Result<bool, Error> {
    let tries = i64::try_from(usage.rules(&app.config().codes).tries).unwrap_or(i64::MAX);
    app.store().is_code_outstanding(token_hash(app.keys(), token), app.now(), tries).await
}

use super::{Binding, CodeChallenge, Codes, Usage, code_hash, digits_of, sent_to, token_hash};
use crate::account::{CodeFault, Contact, Error, Tenant};
use crate::keys;
use crate::store::{CodeId, Effect, UsedCode};

/// A code that a client presents.
#[derive(Clone)]
pub struct CodeAttempt<'a> {
    /// The tenant in which the address is to be proved.
    pub tenant: &'a Tenant,
    /// The use that the code is presented for.
    pub usage: Usage,
    /// The address that it was sent to, in any spelling that compares equal.
    pub contact: Contact,
    /// The application that presents it; counts only for signing in and up.
    pub application: Option<&'a str>,
    /// The context of the [`CodeRequest`](super::CodeRequest).
    pub context: &'a str,
    /// The challenge of the verifier that came with the code; `None` if none came.
    pub challenge: Option<CodeChallenge>,
    /// The token that [`Codes::send`] returned.
    pub token: &'a str,
    /// The code as it was typed; see [`digits_of`].
    pub code: &'a str,
}

/// Proof that the client received the code sent to an address. It counts once, with the change that uses the code up.
#[derive(Debug)]
pub struct Proof {
    contact: Contact,
    /// The code as it is kept when it is used, if it is.
    pub(super) used: UsedCode,
    pub(super) is_kept: bool,
}

impl Proof {
    /// The code to use up with [`Effect::UseCode`](crate::store::Effect::UseCode).
    pub fn code_id(&self) -> CodeId {
        self.used.code_id
    }

    /// The effects of its use.
    pub fn effects(&self) -> Vec<Effect> {
        let kept = self.is_kept.then(|| Effect::KeepUsedCode(self.used.clone()));
        [Effect::UseCode(self.code_id())].into_iter().chain(kept).collect()
    }

    /// The proved address: exactly the text that the code was sent to, not the one that came back with the code.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }
}

impl Codes {
    /// Counts a try, in a committed statement of its own, and then compares the code in constant time. Does not use the
    /// code up.
    ///
    /// Without a token, it is compared with both codes that were sent to the address; with one, only with the token's code.
    /// A text that is no code at all costs no try.
    pub async fn prove(&self, attempt: CodeAttempt<'_>) -> Result<Proof, Error> {
        let CodeAttempt { tenant, usage, contact, application, context, challenge, token, code } = attempt;
        let binding = Binding { tenant, usage, contact: &contact, application, context, challenge };
        let (slot, hash, token) = (binding.slot(&self.keys), binding.hash(&self.keys), token_hash(&self.keys, token));
        let rules = usage.rules(&self.settings);
        let tries = i64::try_from(rules.tries).unwrap_or(i64::MAX);
        let now = self.clock.now();
        let Some(code) = digits_of(code, rules.length) else {
            let can_try = self.store.can_try(slot, token, hash, now, tries).await?;
            return Err(Error::Code(if can_try { CodeFault::Code } else { CodeFault::Token }));
        };
        let tried = self.store.count_try(slot, token, hash, now, tries).await?;
        if tried.is_empty() {
            return Err(Error::Code(CodeFault::Token));
        }
        let (mut is_expired, mut found) = (true, None);
        // All are compared, so that the time does not show which one is the same.
        for stored in &tried {
            let is_same = keys::equal(&stored.code, &code_hash(&self.keys, stored.id, hash, &code));
            if now < stored.code_expires_at {
                is_expired = false;
                found = found.or(is_same.then_some(stored));
            }
        }
        let wrong = if is_expired { CodeFault::Expired } else { CodeFault::Code };
        let stored = found.ok_or(Error::Code(wrong))?;
        let Some(contact) = sent_to::open(self.keys.outbox(), stored.id, contact.medium(), &stored.contact) else {
            // An instance of an older version replaced the code and left the address of the previous one.
            tracing::warn!("one-time code refused: its address cannot be decrypted");
            return Err(Error::Code(CodeFault::Token));
        };
        let used = UsedCode {
            code_id: CodeId { slot, id: stored.id },
            binding: hash,
            code: stored.code,
            expires_at: stored.code_expires_at,
            contact: stored.contact.clone(),
            previous: None,
        };
        Ok(Proof { contact, used, is_kept: false })
    }

    /// Checks whether the code of a token can still be tried. After [`CodeFault::Token`], true means that the code was
    /// presented with parameters other than those that it was sent with.
    pub async fn is_mismatched(&self, usage: Usage, token: &str) -> Result<bool, Error> {
        let tries = i64::try_from(usage.rules(&self.settings).tries).unwrap_or(i64::MAX);
        self.store.is_code_outstanding(token_hash(&self.keys, token), self.clock.now(), tries).await
    }
}

use super::{Binding, CodeAttempt, Codes, Proof, code_hash, digits_of, sent_to};
use crate::account::{Contact, Error};
use crate::clock::random;
use crate::keys;

/// The most attempts to present a code again after it was used. None of them changes anything.
const REPETITIONS: i64 = 100;

/// A code that was used and is presented once more, in the same request as the first time.
#[derive(Debug)]
pub struct Repetition {
    /// The address that it proved.
    pub contact: Contact,
    /// The address that this one replaced, if there was one.
    pub previous: Option<Contact>,
}

impl Codes {
    /// Keeps the code of a proof when it is used, until its time is over, so that [`Codes::repetition`] finds it. `previous` is
    /// the address that the proved one replaces.
    pub fn keep(&self, mut proof: Proof, previous: Option<&Contact>) -> Proof {
        let id = proof.used.code_id.id;
        proof.used.previous = previous.map(|contact| sent_to::seal_previous(self.keys.outbox(), random(), id, contact));
        proof.is_kept = true;
        proof
    }

    /// Checks whether a code is one that was [kept](Codes::keep) when it was used, presented with the same parameters while its
    /// time lasts. Proves nothing and changes nothing, but is counted.
    pub async fn repetition(&self, attempt: &CodeAttempt<'_>) -> Result<Option<Repetition>, Error> {
        let CodeAttempt { tenant, usage, contact, application, context, challenge, token: _, code } = attempt;
        let (usage, medium) = (*usage, contact.medium());
        let binding = Binding { tenant, usage, contact, application: *application, context, challenge: *challenge };
        let (slot, hash) = (binding.slot(&self.keys), binding.hash(&self.keys));
        let Some(code) = digits_of(code, usage.rules(&self.settings).length) else { return Ok(None) };
        let Some(used) = self.store.count_repetition(slot, hash, self.clock.now(), REPETITIONS).await? else {
            return Ok(None);
        };
        if !keys::equal(&used.code, &code_hash(&self.keys, used.code_id.id, hash, &code)) {
            return Ok(None);
        }
        let (key, id) = (self.keys.outbox(), used.code_id.id);
        let previous = used.previous.and_then(|sealed| sent_to::open_previous(key, id, medium, &sealed));
        let contact = sent_to::open(key, id, medium, &used.contact);
        Ok(contact.map(|contact| Repetition { contact, previous }))
    }
}

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::{Binding, Codes, Usage, code_hash, message, sent_to, token_hash};
use crate::account::{CodeFault, Contact, Error, Tenant};
use crate::clock::{after, before, random};
use crate::keys::KeyedHash;
use crate::language::Language;
use crate::store::{CodeId, NewCode, SendingLimit};
use crate::telemetry::Stopwatch;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A code that somebody wants to be sent.
pub struct CodeRequest<'a> {
    /// The tenant in which the address is to be proved.
    pub tenant: &'a Tenant,
    /// What it is for.
    pub usage: Usage,
    /// To whom it goes, and what it will prove, to the letter. For a use that
    /// [opens an account](Usage::opens_an_account) the address as the account has it.
    pub contact: Contact,
    /// The application that it is for; counts only for signing in and up.
    pub application: Option<&'a str>,
    /// What else must be the same when the code comes back; for [`Usage::ChangeEmail`] the account.
    pub context: &'a str,
    /// The language of the message.
    pub language: Language,
    /// The start of the answer's least time: before the address's owner is looked up, and after the body was read, since the
    /// client decides how long that takes.
    pub since: Stopwatch,
    /// False: everything happens (limits, token, time), but no message leaves and no code proves anything, so that nobody can
    /// tell who has an address.
    pub deliver: bool,
}

/// A code is on its way.
pub struct SentCode {
    /// What must come back with the code; empty for [`Usage::ChangeEmail`], where the account proves itself.
    pub token: String,
}

impl Codes {
    /// Makes a code and hands it over. An older code in its place is void from then on.
    ///
    /// The answer, whichever it is, takes at least `codes.answer_time` from [`CodeRequest::since`]. Fails with [`CodeFault::TooOften`]
    /// when the address was sent enough, and with [`Error::Unavailable`] when the message could not be handed over; then
    /// nothing that this call made can be used.
    pub async fn send(&self, request: CodeRequest<'_>) -> Result<SentCode, Error> {
        let least = tokio::time::sleep(self.settings.answer_time.saturating_sub(request.since.elapsed()));
        let outcome = self.send_now(request).await;
        least.await;
        outcome
    }

    /// Deletes codes that nobody can use any more, and counts of sendings that limit nothing any more.
    pub async fn forget_expired(&self) -> Result<(), Error> {
        self.store.forget_codes(self.clock.now(), before(self.clock.now(), DAY)).await
    }

    async fn send_now(&self, request: CodeRequest<'_>) -> Result<SentCode, Error> {
        let CodeRequest { tenant, usage, contact, application, context, language, deliver, since: _ } = request;
        let binding = Binding { tenant, usage, contact: &contact, application, context };
        let rules = usage.rules(&self.settings);
        let now = self.clock.now();
        // Checked before anything is counted: without a transport no message can be sent.
        match deliver {
            true => self.outbox.is_configured(contact.medium())?,
            false => self.outbox.check_reachable(contact.medium(), now)?,
        }
        let recipient = self.count(&binding, now).await?;

        let token = if usage.is_of_an_account() { String::new() } else { URL_SAFE_NO_PAD.encode(random::<32>()) };
        let id = self.clock.new_id();
        let hash = binding.hash(&self.keys);
        let code = if deliver {
            let code = digits(rules.length);
            let message = message::of(usage, &contact, &code, rules.lifetime, language);
            // The message is sent before the code is stored: a code that was not sent is never stored.
            if let Err(error) = self.outbox.deliver(&message, now).await {
                if let Err(error) = self.store.end_sending_interval(recipient, now).await {
                    tracing::warn!(%error, "the next code to this address has to wait for its interval");
                }
                return Err(error);
            }
            code_hash(&self.keys, id, hash, &code)
        } else {
            random()
        };
        let sent = NewCode {
            code_id: CodeId { slot: binding.slot(&self.keys), id },
            token: token_hash(&self.keys, &token),
            binding: hash,
            code,
            code_expires_at: after(now, rules.lifetime),
            expires_at: after(now, rules.token_lifetime),
            contact: sent_to::seal(self.keys.outbox(), random(), id, &contact),
        };
        self.store.put_code(&sent).await?;
        Ok(SentCode { token })
    }

    /// Counts a sending to the address, and for the account that asks if there is one. Returns what was counted for the address.
    async fn count(&self, binding: &Binding<'_>, now: Timestamp) -> Result<KeyedHash, Error> {
        let Binding { tenant, usage, contact, context, .. } = binding;
        let rules = usage.rules(&self.settings);
        // Codes that an account asks for count apart: it must not keep others from signing in with an address.
        let kind = if usage.is_of_an_account() { usage.name() } else { "" };
        let recipient = |what: &str, of: &str| {
            let parts = [tenant.id.0.as_bytes(), kind.as_bytes(), what.as_bytes(), of.as_bytes()];
            self.keys.digest("one-time code: recipient", &parts)
        };
        let limit = |interval| SendingLimit {
            last_until: before(now, interval),
            day_until: before(now, DAY),
            a_day: i64::try_from(rules.per_day).unwrap_or(i64::MAX),
        };
        let address = recipient(contact.medium().name(), &contact.comparable());
        let mut counted = true;
        if usage.is_of_an_account() {
            let account = recipient("account", context);
            counted = self.store.count_sending(account, now, limit(SignedDuration::ZERO)).await?;
        }
        let interval = SignedDuration::try_from(rules.interval).unwrap_or(SignedDuration::MAX);
        if counted && self.store.count_sending(address, now, limit(interval)).await? {
            Ok(address)
        } else {
            Err(Error::Code(CodeFault::TooOften(contact.medium())))
        }
    }
}

/// So many decimal digits, each as likely as any other.
fn digits(length: usize) -> String {
    let mut digits = String::with_capacity(length);
    while digits.len() < length {
        // 250 is the largest multiple of ten in a byte: the bytes above would make some digits likelier.
        let fair = random::<32>().into_iter().filter(|byte| *byte < 250);
        digits.extend(fair.take(length - digits.len()).map(|byte| char::from(b'0' + byte % 10)));
    }
    digits
}

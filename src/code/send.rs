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

/// A request to send a code.
pub struct CodeRequest<'a> {
    /// The tenant in which the address is to be proved.
    pub tenant: &'a Tenant,
    /// The use of the code.
    pub usage: Usage,
    /// The address that the code is sent to and will prove, exactly as spelled here. If the use
    /// [opens an account](Usage::opens_an_account), it is the address as the account stores it.
    pub contact: Contact,
    /// The application that it is for; counts only for signing in and up.
    pub application: Option<&'a str>,
    /// A value that must be the same when the code comes back; for [`Usage::ChangeEmail`] the account.
    pub context: &'a str,
    /// The language of the message.
    pub language: Language,
    /// The start of the minimum response time: before the owner of the address is looked up, and after the body was read,
    /// since the client decides how long that takes.
    pub since: Stopwatch,
    /// Whether to deliver the message. If false, limits, token and time are the same, but no message is sent and the code
    /// proves nothing, so that a response does not reveal whether an account has the address.
    pub deliver: bool,
}

/// A code that was sent.
pub struct SentCode {
    /// The token that must come back with the code; empty for [`Usage::ChangeEmail`], where the account authenticates
    /// itself.
    pub token: String,
}

impl Codes {
    /// Makes a code and delivers it. An older code in the same slot becomes void.
    ///
    /// Every outcome takes at least `codes.answer_time` from [`CodeRequest::since`]. Fails with [`CodeFault::TooOften`]
    /// when the address has reached its limit, and with [`Error::Unavailable`] when the message could not be handed over;
    /// then nothing that this call made can be used.
    pub async fn send(&self, request: CodeRequest<'_>) -> Result<SentCode, Error> {
        let least = tokio::time::sleep(self.settings.answer_time.saturating_sub(request.since.elapsed()));
        let outcome = self.send_now(request).await;
        least.await;
        outcome
    }

    /// Deletes expired codes, and sending counts that no longer limit anything.
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
                    tracing::warn!(%error, "interval between codes not reset");
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

    /// Counts a sending to the address, and for the account if one requests the code. Returns the key that was counted for
    /// the address.
    async fn count(&self, binding: &Binding<'_>, now: Timestamp) -> Result<KeyedHash, Error> {
        let Binding { tenant, usage, contact, context, .. } = binding;
        let rules = usage.rules(&self.settings);
        // Codes requested by accounts are counted separately: an account must not keep others from signing in with an
        // address.
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

/// Returns this many decimal digits, uniformly distributed.
fn digits(length: usize) -> String {
    let mut digits = String::with_capacity(length);
    while digits.len() < length {
        // 250 is the largest multiple of ten in a byte: higher values would make some digits likelier.
        let fair = random::<32>().into_iter().filter(|byte| *byte < 250);
        digits.extend(fair.take(length - digits.len()).map(|byte| char::from(b'0' + byte % 10)));
    }
    digits
}

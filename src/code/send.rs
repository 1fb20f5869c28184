use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::{Binding, CodeChallenge, Codes, Usage, code_hash, message, sent_to, token_hash};
use crate::account::{CodeFault, Contact, Error, Tenant};
use crate::clock::{after, before, random};
use crate::keys::KeyedHash;
use crate::language::Language;
use crate::outbox::Undelivered;
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
    /// The application that can use the code; counts only for signing in and up.
    pub application: Option<&'a str>,
    /// A value that must be the same when the code comes back; for [`Usage::ChangeEmail`] the account.
    pub context: &'a str,
    /// If given, the code is valid only with the verifier of this challenge.
    pub challenge: Option<CodeChallenge>,
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
    /// Makes a code and delivers it. Of the older codes for the same use, only the newest stays valid.
    ///
    /// Every outcome takes at least `codes.answer_time` from [`CodeRequest::since`]. Fails with [`CodeFault::TooOften`]
    /// when the address has reached one of its limits, with [`CodeFault::Undeliverable`] when no message can reach it, and
    /// with [`Error::Unavailable`] when the message could not be handed over; then nothing that this call made can be used.
    /// If the use [opens an account](Usage::opens_an_account), a refusal of this one message is a success, as without an account.
    pub async fn send(&self, request: CodeRequest<'_>) -> Result<SentCode, Error> {
        let since = request.since;
        let outcome = self.send_now(request).await;
        self.answer_time(since).await;
        outcome
    }

    /// Completes `codes.answer_time` after a moment. A contract that refuses to send a code because of who has the address waits
    /// for it, too.
    pub async fn answer_time(&self, since: Stopwatch) {
        tokio::time::sleep(self.settings.answer_time.saturating_sub(since.elapsed())).await;
    }

    /// Deletes expired codes, and sending counts that no longer limit anything.
    pub async fn forget_expired(&self) -> Result<(), Error> {
        self.store.forget_codes(self.clock.now(), before(self.clock.now(), DAY)).await
    }

    async fn send_now(&self, request: CodeRequest<'_>) -> Result<SentCode, Error> {
        let CodeRequest { tenant, usage, contact, application, context, challenge, language, deliver, since: _ } =
            request;
        let binding = Binding { tenant, usage, contact: &contact, application, context, challenge };
        let rules = usage.rules(&self.settings);
        let now = self.clock.now();
        // Checked before anything is counted: without a transport no message can be sent.
        match deliver {
            true => self.outbox.is_configured(contact.medium())?,
            false => self.outbox.check_reachable(contact.medium(), now)?,
        }
        let ends_with_failure = self.count(&binding, now).await?;

        let token = if usage.is_of_an_account() { String::new() } else { URL_SAFE_NO_PAD.encode(random::<32>()) };
        let id = self.clock.new_id();
        let hash = binding.hash(&self.keys);
        let code = if deliver {
            let code = digits(rules.length);
            let message = message::of(usage, &contact, &code, rules.lifetime, language);
            // The message is sent before the code is stored: a code that was not sent is never stored.
            match self.outbox.deliver(&message, now).await {
                Ok(()) => code_hash(&self.keys, id, hash, &code),
                // Without an account no message is sent, and the answer must be the same.
                Err(Undelivered::BadAddress(cause) | Undelivered::Refused(cause)) if usage.opens_an_account() => {
                    tracing::warn!(%cause, medium = contact.medium().name(), "one-time code not delivered");
                    random()
                }
                Err(undelivered) => {
                    if let Some(recipient) = ends_with_failure
                        && let Err(error) = self.store.end_sending_interval(recipient, now).await
                    {
                        tracing::warn!(%error, "interval between codes not reset");
                    }
                    return Err(undelivered.into());
                }
            }
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

    /// Counts a sending to the address for its use and for all uses together, and for the account if one requests the code.
    /// Returns the key whose interval ends if the delivery fails, if any.
    async fn count(&self, binding: &Binding<'_>, now: Timestamp) -> Result<Option<KeyedHash>, Error> {
        let Binding { tenant, usage, contact, context, .. } = binding;
        let rules = usage.rules(&self.settings);
        let (medium, address) = (contact.medium(), contact.comparable());
        let recipient = |usage: &str, what: &str, of: &str| {
            let parts = [tenant.id.0.as_bytes(), usage.as_bytes(), what.as_bytes(), of.as_bytes()];
            self.keys.digest("one-time code: recipient", &parts)
        };
        let limit = |interval: Duration, a_day: usize| SendingLimit {
            last_until: before(now, SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX)),
            day_until: before(now, DAY),
            a_day: i64::try_from(a_day).unwrap_or(i64::MAX),
        };
        let of_usage = recipient(usage.name(), medium.name(), &address);
        let of_address = recipient("", medium.name(), &address);
        let mut counted = Vec::with_capacity(3);
        if usage.is_of_an_account() {
            counted.push((recipient(usage.name(), "account", context), limit(Duration::ZERO, rules.per_day)));
        }
        counted.push((of_usage, limit(rules.interval, rules.per_day)));
        counted.push((of_address, limit(Duration::ZERO, self.settings.address_per_day)));
        match self.store.count_sending(medium, now, &counted).await {
            Ok(()) => Ok(Some(of_usage)),
            // Other people can use up what an address gets in a day; its owner must still be able to sign in. This interval
            // stays if the delivery fails: no other limit applies.
            Err(Error::Code(CodeFault::TooOften { .. })) if *usage == Usage::Login => {
                let extra = limit(self.settings.extra_login_interval.max(rules.interval), usize::MAX);
                self.store.count_sending(medium, now, &[(of_usage, extra)]).await.map(|()| None)
            }
            Err(error) => Err(error),
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

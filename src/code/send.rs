use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::{Binding, Usage, code_hash, message, token_hash};
use crate::account::{CodeFault, Contact, Error, Tenant};
use crate::app::App;
use crate::clock::{after, before};
use crate::keys::KeyedHash;
use crate::language::Language;
use crate::store::{Challenge, SendingLimit, SentCode};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A code that somebody wants to be sent.
pub struct Wanted<'a> {
    /// The tenant in which the address is to be proved.
    pub tenant: &'a Tenant,
    /// What it is for.
    pub usage: Usage,
    /// To whom it goes.
    pub contact: Contact,
    /// The application that it is for; counts only for signing in and up.
    pub application: Option<&'a str>,
    /// What else must be the same when the code comes back; for [`Usage::ChangeEmail`] the account.
    pub context: &'a str,
    /// The language of the message.
    pub language: Language,
    /// False: everything happens (limits, token, time), but no message leaves and no code proves anything, so that nobody can
    /// tell who has an address.
    pub deliver: bool,
}

/// A code is on its way.
pub struct Sent {
    /// What must come back with the code; empty for [`Usage::ChangeEmail`], where the account proves itself.
    pub token: String,
}

/// Makes a code and hands it over. An older code in its place is void from then on.
///
/// The answer, whichever it is, takes at least `codes.answer_time`. [`CodeFault::TooOften`] when the address had enough;
/// [`Error::Unavailable`] when the message could not be handed over, and then nothing that this call made can be used.
pub async fn send(app: &App, wanted: Wanted<'_>) -> Result<Sent, Error> {
    let least = tokio::time::sleep(app.config().codes.answer_time);
    let outcome = send_now(app, wanted).await;
    least.await;
    outcome
}

/// Deletes codes that nobody can use any more, and counts of sendings that limit nothing any more.
pub async fn forget_expired(app: &App) -> Result<(), Error> {
    app.store().forget_codes(app.now(), before(app.now(), DAY)).await
}

async fn send_now(app: &App, wanted: Wanted<'_>) -> Result<Sent, Error> {
    let Wanted { tenant, usage, contact, application, context, language, deliver } = wanted;
    let binding = Binding { tenant, usage, contact: &contact, application, context };
    let rules = usage.rules(&app.config().codes);
    let now = app.now();
    // Before anything counts: without a way out nobody can be written to.
    match deliver {
        true => app.outbox().is_configured(contact.channel())?,
        false => app.outbox().rehearse(contact.channel(), now)?,
    }
    let recipient = count(app, &binding, now).await?;

    let token = if usage.is_of_an_account() { String::new() } else { URL_SAFE_NO_PAD.encode(app.random::<32>()) };
    let id = app.new_id();
    let hash = binding.hash(app.keys());
    let code = if deliver {
        let code = digits(app, rules.length);
        let message = message::of(usage, &contact, &code, rules.lifetime, language);
        // First the message, then the code: one that nobody got is never kept.
        if let Err(error) = app.outbox().deliver(&message, now).await {
            if let Err(error) = app.store().end_sending_interval(recipient, now).await {
                tracing::warn!(%error, "the next code to this address has to wait for its interval");
            }
            return Err(error);
        }
        code_hash(app.keys(), id, hash, &code)
    } else {
        app.random()
    };
    let sent = SentCode {
        challenge: Challenge { slot: binding.slot(app.keys()), id },
        token: token_hash(app.keys(), &token),
        binding: hash,
        code,
        code_expires_at: after(now, rules.lifetime),
        expires_at: after(now, rules.token_lifetime),
    };
    app.store().put_code(&sent).await?;
    Ok(Sent { token })
}

/// Counts a sending to the address, and for the account that asks if there is one. Returns what was counted for the address.
async fn count(app: &App, binding: &Binding<'_>, now: Timestamp) -> Result<KeyedHash, Error> {
    let Binding { tenant, usage, contact, context, .. } = binding;
    let rules = usage.rules(&app.config().codes);
    // Codes that an account asks for count apart: it must not keep others from signing in with an address.
    let kind = if usage.is_of_an_account() { usage.name() } else { "" };
    let recipient = |what: &str, of: &str| {
        let parts = [tenant.id.0.as_bytes(), kind.as_bytes(), what.as_bytes(), of.as_bytes()];
        app.keys().digest("one-time code: recipient", &parts)
    };
    let limit = |interval| SendingLimit {
        last_until: before(now, interval),
        day_until: before(now, DAY),
        a_day: i64::try_from(rules.per_day).unwrap_or(i64::MAX),
    };
    let address = recipient(contact.channel().name(), &contact.comparable());
    let mut counted = true;
    if usage.is_of_an_account() {
        let account = recipient("account", context);
        counted = app.store().count_sending(account, now, limit(SignedDuration::ZERO)).await?;
    }
    let interval = SignedDuration::try_from(rules.interval).unwrap_or(SignedDuration::MAX);
    if counted && app.store().count_sending(address, now, limit(interval)).await? {
        Ok(address)
    } else {
        Err(Error::Code(CodeFault::TooOften(contact.channel())))
    }
}

/// So many decimal digits, each as likely as any other.
fn digits(app: &App, length: usize) -> String {
    let mut digits = String::with_capacity(length);
    while digits.len() < length {
        // 250 is the largest multiple of ten in a byte: the bytes above would make some digits likelier.
        let fair = app.random::<32>().into_iter().filter(|byte| *byte < 250);
        digits.extend(fair.take(length - digits.len()).map(|byte| char::from(b'0' + byte % 10)));
    }
    digits
}

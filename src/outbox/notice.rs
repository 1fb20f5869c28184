//! Notices: messages to addresses that a change removes from an account's verified ones. They are written sealed with
//! the change, and delivered in the background by the first instance to claim them.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use jiff::SignedDuration;
use tokio::time::MissedTickBehavior;

use super::{Message, Outbox};
use crate::account::{Account, Contact, Error, Field, Medium};
use crate::clock::{Clock, after, random};
use crate::json::{self, Value};
use crate::keys::Keyring;
use crate::language::Language;
use crate::store::{ClaimedNotice, Effect, SealedNotice, Store};

/// The interval between checks for due notices.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a claim on a notice lasts: longer than any delivery may take.
const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// The pause after the first failure; it doubles with each further one, up to [`LONGEST_PAUSE`].
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// Attempts before a notice is given up.
const ATTEMPTS: i64 = 20;

/// A notice as an HTML page.
#[derive(Template)]
#[template(path = "notice.html")]
struct Page<'a> {
    language: &'a str,
    subject: &'a str,
    what: &'a str,
    advice: &'a str,
}

/// The notices about changes; clones share everything.
#[derive(Clone)]
pub struct Notices {
    store: Store,
    keys: Keyring,
    clock: Clock,
    outbox: Arc<Outbox>,
    /// How long a notice waits for delivery before it is given up.
    kept_for: Duration,
}

impl Notices {
    /// Creates notices that are delivered through an outbox.
    pub fn new(store: Store, keys: Keyring, clock: Clock, outbox: Arc<Outbox>, kept_for: Duration) -> Notices {
        Notices { store, keys, clock, outbox, kept_for }
    }

    /// Triggers the delivery of new notices.
    pub fn wake(&self) {
        self.outbox.wake();
    }

    /// Returns the effects that notify the addresses which a change removes from an account's verified ones.
    pub fn of_change(&self, before: &Account, after: &Account) -> Vec<Effect> {
        let kept = verified(after);
        let gone = |contact: &Contact| !kept.iter().any(|kept| kept.has_destination_of(contact));
        verified(before).into_iter().filter(gone).map(|contact| self.notify(before, &contact)).collect()
    }

    /// Delivers every due notice of a medium, one after the other. A failed one becomes due again later.
    pub async fn deliver_due(&self, medium: Medium) -> Result<(), Error> {
        // Nothing is claimed while the medium is unreachable, so that an outage does not use up attempts.
        while self.outbox.check_reachable(medium, self.clock.now()).is_ok() {
            let now = self.clock.now();
            let Some(claimed) = self.store.claim_notice(medium, now, after(now, LEASE)).await? else { break };
            self.deliver(claimed).await?;
        }
        Ok(())
    }

    /// Gives up notices that were not delivered in time.
    pub async fn forget_expired(&self) -> Result<(), Error> {
        let notices = self.store.forget_expired_notices(self.clock.now()).await?;
        if notices > 0 {
            tracing::warn!(notices, "notices expired undelivered");
        }
        Ok(())
    }

    /// Delivers notices forever.
    pub async fn run(&self) {
        tokio::join!(self.keep_delivering(Medium::Sms), self.keep_delivering(Medium::Email));
    }

    async fn keep_delivering(&self, medium: Medium) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.outbox.woken() => {}
            }
            if let Err(error) = self.deliver_due(medium).await {
                tracing::warn!(%error, "notice delivery paused");
            }
        }
    }

    async fn deliver(&self, claimed: ClaimedNotice) -> Result<(), Error> {
        let (id, medium, attempt) = (claimed.notice.id, claimed.notice.medium.name(), claimed.attempt);
        let Some(message) = self.open(&claimed.notice) else {
            tracing::error!(%id, medium, "notice cannot be decrypted; gave up");
            return self.store.forget_notice(id).await;
        };
        match self.outbox.deliver(&message, self.clock.now()).await {
            Ok(()) => self.store.forget_notice(id).await,
            Err(error) if attempt >= ATTEMPTS => {
                tracing::warn!(%error, %id, medium, attempt, "notice delivery failed; gave up");
                self.store.forget_notice(id).await
            }
            Err(error) => {
                tracing::warn!(%error, %id, medium, attempt, "notice delivery failed; will retry");
                self.store.postpone_notice(&claimed, after(self.clock.now(), pause(attempt))).await
            }
        }
    }

    fn notify(&self, account: &Account, contact: &Contact) -> Effect {
        let language = account.text(Field::Language).and_then(Language::of_tag).unwrap_or(Language::English);
        let message = message(contact, language);
        let (id, medium, now) = (self.clock.new_id(), message.medium, self.clock.now());
        let plain = Value::Object(json::Object::from_iter([
            ("to", Value::from(message.to)),
            ("subject", Value::from(message.subject)),
            ("text", Value::from(message.text)),
            ("html", Value::from(message.html)),
        ]));
        let sealed = self.keys.outbox().seal(random(), id.as_bytes(), plain.to_text().as_bytes());
        Effect::Notify {
            notice: SealedNotice { id, medium, key: Keyring::GENERATION, sealed },
            due_at: now,
            expires_at: after(now, self.kept_for),
        }
    }

    fn open(&self, notice: &SealedNotice) -> Option<Message> {
        let plain = self.keys.outbox().open(notice.id.as_bytes(), &notice.sealed).ok()?;
        let plain = json::parse(&plain).ok()?.into_object().ok()?;
        let text = |name| plain.get(name).and_then(Value::as_str).map(str::to_owned);
        let (to, subject, html) = (text("to")?, text("subject"), text("html"));
        Some(Message { medium: notice.medium, to, subject, text: text("text")?, html })
    }
}

fn pause(attempt: i64) -> SignedDuration {
    let doublings = u32::try_from(attempt - 1).unwrap_or_default().min(16);
    (PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE)
}

/// Returns the verified addresses of an account.
fn verified(account: &Account) -> Vec<Contact> {
    Medium::ALL.into_iter().filter_map(|medium| account.verified_contact(medium)).collect()
}

fn message(contact: &Contact, language: Language) -> Message {
    let advice = language.text("notice-advice");
    let (medium, to) = (contact.medium(), contact.text().as_str().to_owned());
    match contact {
        Contact::Phone(_) => {
            let text = format!("{} {advice}", language.text("notice-phone"));
            Message { medium, to, subject: None, text, html: None }
        }
        Contact::Email(_) => {
            let (subject, what) = (language.text("notice-email-subject"), language.text("notice-email"));
            let page = Page { language: language.tag(), subject: &subject, what: &what, advice: &advice };
            let (text, html) = (format!("{what}\n\n{advice}\n"), page.render().ok());
            Message { medium, to, subject: Some(subject.into_owned()), text, html }
        }
    }
}

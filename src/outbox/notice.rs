//! Notices: an address that was verified and no longer is says good-bye to its owner. They are written with the change, sealed,
//! and delivered in the background, by whichever instance claims them first.

use std::time::Duration;

use askama::Template;
use jiff::SignedDuration;
use tokio::time::MissedTickBehavior;

use super::Message;
use crate::account::{Account, Channel, Contact, Error, Field};
use crate::app::App;
use crate::clock::after;
use crate::json::{self, Value};
use crate::keys::Keyring;
use crate::language::Language;
use crate::store::{ClaimedNotice, Effect, SealedNotice};

/// How often is looked for what is due.
const PERIOD: Duration = Duration::from_secs(5);
/// How long whoever claimed a notice has for it: longer than any delivery may take.
const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// The pause after the first failure; each further one is twice as long, up to [`LONGEST_PAUSE`].
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// Attempts before a notice is given up.
const ATTEMPTS: i64 = 20;

/// A notice as a page.
#[derive(Template)]
#[template(path = "notice.html")]
struct Page<'a> {
    language: &'a str,
    subject: &'a str,
    what: &'a str,
    advice: &'a str,
}

/// What a change of an account has to tell to addresses that it takes off it.
pub fn of_change(app: &App, before: &Account, after: &Account) -> Vec<Effect> {
    let comparable = |contact: &Contact| (contact.channel(), contact.comparable());
    let held: Vec<_> = verified(after).iter().map(comparable).collect();
    let gone = |contact: &Contact| !held.contains(&comparable(contact));
    verified(before).into_iter().filter(gone).map(|contact| notify(app, before, &contact)).collect()
}

/// Delivers everything that is due through a channel, one after the other. What fails is due again later.
pub async fn deliver_due(app: &App, channel: Channel) -> Result<(), Error> {
    // While nothing can be sent, nothing is claimed: attempts are for messages that could not be taken.
    while app.outbox().rehearse(channel, app.now()).is_ok() {
        let now = app.now();
        let Some(claimed) = app.store().claim_notice(channel, now, after(now, LEASE)).await? else { break };
        deliver(app, claimed).await?;
    }
    Ok(())
}

/// Gives up what could not be delivered in time.
pub async fn forget_expired(app: &App) -> Result<(), Error> {
    let notices = app.store().forget_expired_notices(app.now()).await?;
    if notices > 0 {
        tracing::warn!(notices, "notices could not be delivered within notices.kept_for and are given up");
    }
    Ok(())
}

/// Delivers for ever.
pub(crate) async fn run(app: &App) {
    tokio::join!(keep_delivering(app, Channel::Sms), keep_delivering(app, Channel::Email));
}

async fn keep_delivering(app: &App, channel: Channel) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.outbox().woken() => {}
        }
        if let Err(error) = deliver_due(app, channel).await {
            tracing::warn!(%error, "notices are delivered later");
        }
    }
}

async fn deliver(app: &App, claimed: ClaimedNotice) -> Result<(), Error> {
    let (id, channel, attempt) = (claimed.notice.id, claimed.notice.channel.name(), claimed.attempt);
    let Some(message) = open(app, &claimed.notice) else {
        tracing::error!(%id, channel, "a notice does not open and is given up");
        return app.store().forget_notice(id).await;
    };
    match app.outbox().deliver(&message, app.now()).await {
        Ok(()) => app.store().forget_notice(id).await,
        Err(error) if attempt >= ATTEMPTS => {
            tracing::warn!(%error, %id, channel, attempt, "a notice could not be delivered and is given up");
            app.store().forget_notice(id).await
        }
        Err(error) => {
            tracing::warn!(%error, %id, channel, attempt, "a notice could not be delivered yet");
            app.store().postpone_notice(&claimed, after(app.now(), pause(attempt))).await
        }
    }
}

fn pause(attempt: i64) -> SignedDuration {
    let doublings = u32::try_from(attempt - 1).unwrap_or_default().min(16);
    (PAUSE * 2_i32.pow(doublings)).min(LONGEST_PAUSE)
}

/// The addresses that an account's owner has proved.
fn verified(account: &Account) -> Vec<Contact> {
    let text = |field: Field| account.texts[field].clone();
    let phone = text(Field::Phone).filter(|_| account.phone_verified).map(Contact::Phone);
    let email = text(Field::Email).filter(|_| account.email_verified).map(Contact::Email);
    phone.into_iter().chain(email).collect()
}

fn notify(app: &App, account: &Account, contact: &Contact) -> Effect {
    let language = account.text(Field::Language).and_then(Language::of_tag).unwrap_or(Language::English);
    let message = message(contact, language);
    let (id, channel, now) = (app.new_id(), message.channel, app.now());
    let plain = Value::Object(json::Object::from_iter([
        ("to", Value::from(message.to)),
        ("subject", Value::from(message.subject)),
        ("text", Value::from(message.text)),
        ("html", Value::from(message.html)),
    ]));
    let sealed = app.keys().outbox().seal(app.random(), id.as_bytes(), plain.to_text().as_bytes());
    Effect::Notify {
        notice: SealedNotice { id, channel, key: Keyring::GENERATION, sealed },
        due_at: now,
        expires_at: after(now, app.config().notices.kept_for),
    }
}

fn message(contact: &Contact, language: Language) -> Message {
    let advice = language.text("notice-advice");
    let (channel, to) = (contact.channel(), contact.text().as_str().to_owned());
    match contact {
        Contact::Phone(_) => {
            let text = format!("{} {advice}", language.text("notice-phone"));
            Message { channel, to, subject: None, text, html: None }
        }
        Contact::Email(_) => {
            let (subject, what) = (language.text("notice-email-subject"), language.text("notice-email"));
            let page = Page { language: language.tag(), subject: &subject, what: &what, advice: &advice };
            let (text, html) = (format!("{what}\n\n{advice}\n"), page.render().ok());
            Message { channel, to, subject: Some(subject.into_owned()), text, html }
        }
    }
}

fn open(app: &App, notice: &SealedNotice) -> Option<Message> {
    let plain = app.keys().outbox().open(notice.id.as_bytes(), &notice.sealed).ok()?;
    let plain = json::parse(&plain).ok()?.into_object().ok()?;
    let text = |name| plain.get(name).and_then(Value::as_str).map(str::to_owned);
    let (to, subject, html) = (text("to")?, text("subject"), text("html"));
    Some(Message { channel: notice.channel, to, subject, text: text("text")?, html })
}

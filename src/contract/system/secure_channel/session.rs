//! Messages of the session form.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::answer::Answer;
use super::open::{Context, Message};
use super::{account_sessions, is_binding_required, owner};
use crate::account::{ChannelFault, Error, TooMany};
use crate::clock::after;
use crate::keys::SealingKey;
use crate::secure_channel::envelope::{self, Envelope};
use crate::secure_channel::{KeyKind, MAX_MESSAGES, MAX_ONE_OFFS, ONE_OFF_LIFETIME, Scope, SessionKeys};
use crate::store::{Nonce, NonceState, unreadable};

const REFUSED: Error = Error::Channel(ChannelFault::Payload);

/// Opens a parsed envelope; `None` stands for one that could not be parsed.
pub(super) async fn open(context: &Context<'_>, envelope: Option<Envelope<'_>>, json: bool) -> Result<Message, Error> {
    match envelope.ok_or(REFUSED)? {
        Envelope::Session { payload } => in_session(context, payload, json).await,
        // Nothing in such a message can name its sender.
        Envelope::OneOff { .. } if is_binding_required(context.app) => Err(REFUSED),
        Envelope::OneOff { key_id, request_key, response_key, payload } => {
            one_off(context, key_id, (request_key, response_key), payload).await
        }
    }
}

/// Opens a message of a session. One query returns the session and whether the nonce was used. A used nonce is refused only
/// after decryption, so that it takes as long as every other error.
async fn in_session(context: &Context<'_>, payload: &[u8], json: bool) -> Result<Message, Error> {
    let app = context.app;
    let unknown = Error::Channel(ChannelFault::Session);
    let id = context.session.ok_or(unknown.clone())?;
    let nonce = envelope::nonce(payload);
    let session = app.store().channel_session(id.into_bytes(), nonce).await?.ok_or(unknown.clone())?;
    let owner = owner(app, context.caller.account.id, &context.client_hash);
    let is_foreign = match session.owner {
        Some(bound) => bound != owner,
        // Opened before the setting was changed.
        None => is_binding_required(app),
    };
    if is_foreign || session.expires_at <= app.now() || session.messages >= MAX_MESSAGES {
        return Err(unknown);
    }
    let keys = app.keys().secure_channel().open(id.as_bytes(), &session.sealed).ok();
    let keys = keys.and_then(|keys| SessionKeys::read(&keys)).ok_or_else(|| keys_unreadable(id))?;
    let name = id.to_string();
    let opened = SealingKey::new(&keys.request).open(name.as_bytes(), payload);
    let plain = opened.ok().filter(|_| !session.nonce_used).ok_or(REFUSED)?;
    // Only a client that has the keys binds the session: knowing its name is not enough.
    if session.owner.is_none()
        && !app.store().bind_channel_session(id.into_bytes(), owner, account_sessions(app)).await?
    {
        return Err(unknown);
    }
    Ok(Message {
        plain,
        nonce: Nonce {
            scope: Scope::Session(id.into_bytes()).bytes(),
            nonce: nonce.to_vec(),
            account: None,
            expires_at: session.expires_at,
        },
        room: Ok(()),
        answer: Some(Answer::Envelope { key: keys.response, session: name, json }),
    })
}

/// Opens a message that brings its own keys. A replay is detected by the payload alone: no other part of the envelope is
/// bound to the payload, and replacing the response key must not make a replay a new message.
async fn one_off(
    context: &Context<'_>,
    key_id: &str,
    encrypted: (&[u8], &[u8]),
    payload: &[u8],
) -> Result<Message, Error> {
    let app = context.app;
    let known = app.channel_keys().find(key_id).await?.filter(|key| key.kind == KeyKind::Rsa);
    let is_known = known.is_some();
    let key = match known {
        Some(key) => key,
        None => app.channel_keys().current(KeyKind::Rsa).await?,
    };
    let digest = digest::digest(&digest::SHA256, payload).as_ref().to_vec();
    let scope = Scope::OneOff.bytes();
    let (account, now) = (context.caller.account.id, app.now());
    let state = app.store().channel_nonce(&scope, &digest, account, now).await?;
    let keys = key.session_keys(encrypted.0, encrypted.1);
    // Random keys, so that a wrong key takes as long as a wrong payload.
    let stand_in = SessionKeys { request: app.random(), response: app.random() };
    let opens = is_known && keys.is_some();
    let keys = keys.unwrap_or(stand_in);
    let opened = SealingKey::new(&keys.request).open(b"", payload);
    let plain = opened.ok().filter(|_| opens && !state.used).ok_or(REFUSED)?;
    Ok(Message {
        plain,
        nonce: Nonce { scope, nonce: digest, account: Some(account), expires_at: after(now, ONE_OFF_LIFETIME) },
        room: room(&state, MAX_ONE_OFFS, now),
        answer: Some(Answer::Envelope { key: keys.response, session: String::new(), json: false }),
    })
}

/// Limits how many messages are remembered for an account: further ones are refused until one is forgotten.
pub(super) fn room(state: &NonceState, limit: i64, now: jiff::Timestamp) -> Result<(), Error> {
    if state.remembered < limit {
        return Ok(());
    }
    let until = state.oldest_expires_at.unwrap_or(now).duration_since(now);
    let wait = std::time::Duration::try_from(until).unwrap_or_default();
    Err(TooMany { limit: u32::try_from(limit).unwrap_or(u32::MAX), wait }.into())
}

fn keys_unreadable(session: Uuid) -> Error {
    unreadable("channel_session", HEXLOWER.encode(session.as_bytes()), "sealed", "the keys of the session do not open")
}

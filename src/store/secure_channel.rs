use std::fmt;

use jiff::Timestamp;

use super::statement::{Statement, insert, select, statement};
use super::table::{Columns, Values, unreadable, values};
use super::tables::{CHANNEL_KEY as KEY, CHANNEL_NONCE, CHANNEL_SESSION as SESSION};
use super::value::{Row, always, computed, parameters};
use super::{Query, Store};
use crate::account::{AccountId, ChannelFault, Error, Unique};
use crate::keys::KeyedHash;

const KEYS: Statement = select!(KEY, "ORDER BY channel_key.created_at, channel_key.key_id");
const ADD_KEY: Statement = insert!(KEY);
const RETIRE_KEYS: Statement =
    statement!("UPDATE channel_key SET retired_at = ?3 WHERE kind = ?1 AND key_id <> ?2 AND retired_at IS NULL");
const FORGET_KEYS: Statement = statement!("DELETE FROM channel_key WHERE retired_at < ?1");

const ADD_SESSION: Statement = insert!(SESSION);
const SESSION_AND_NONCE: Statement = statement!(
    "SELECT ",
    { Part::Columns(SESSION.table()) },
    ", EXISTS (SELECT 1 FROM channel_nonce n WHERE n.scope = channel_session.id AND n.nonce = ?2) \
     FROM channel_session WHERE channel_session.id = ?1"
);
const BIND_SESSION: Statement =
    statement!("UPDATE channel_session SET account_id = ?2, client = ?3 WHERE id = ?1 AND account_id IS NULL");
const SESSION_ALONE: Statement = select!(SESSION, "WHERE channel_session.id = ?1");
const CLOSE_SESSION: Statement = statement!("DELETE FROM channel_session WHERE id = ?1");
// There are never more than 1000 over the limit at once, because each new session makes room for itself. A session that is
// bound between the selection and the deletion stays.
const CROWD_OUT_OF_SOURCE: Statement = statement!(
    "DELETE FROM channel_session WHERE account_id IS NULL AND id IN (SELECT id FROM channel_session \
     WHERE source = ?1 AND account_id IS NULL ORDER BY created_at DESC, id LIMIT 1000 OFFSET ?2)"
);
const COUNT_UNUSED: Statement = statement!("SELECT count(*) FROM channel_session WHERE account_id IS NULL");
// Both candidates are short ranges of an index; with one order over all rows the database would sort the whole table.
const CROWD_OUT_OF_INSTALLATION: Statement = statement!(
    "DELETE FROM channel_session WHERE account_id IS NULL AND id IN (SELECT candidate.id FROM (\
     SELECT own.id, own.created_at, 0 AS place FROM (SELECT id, created_at FROM channel_session \
     WHERE source = ?1 AND account_id IS NULL ORDER BY created_at, id LIMIT ?2) AS own UNION ALL \
     SELECT other.id, other.created_at, 1 AS place FROM (SELECT id, created_at FROM channel_session \
     WHERE account_id IS NULL ORDER BY created_at, id LIMIT ?2) AS other) AS candidate \
     GROUP BY candidate.id, candidate.created_at \
     ORDER BY min(candidate.place), candidate.created_at, candidate.id LIMIT ?2)"
);
const CROWD_OUT_OF_ACCOUNT: Statement = statement!(
    "DELETE FROM channel_session WHERE id IN (SELECT id FROM channel_session WHERE account_id = ?1 \
     ORDER BY created_at DESC, id LIMIT 1000 OFFSET ?2)"
);
const FORGET_SESSIONS: Statement = statement!("DELETE FROM channel_session WHERE expires_at < ?1");

const USE_NONCE: Statement = insert!(CHANNEL_NONCE);
const COUNT_MESSAGE: Statement = statement!("UPDATE channel_session SET messages = messages + 1 WHERE id = ?1");
const NONCE: Statement = statement!(
    "SELECT EXISTS (SELECT 1 FROM channel_nonce n WHERE n.scope = ?1 AND n.nonce = ?2), \
     (SELECT count(*) FROM channel_nonce o WHERE o.account_id = ?3 AND o.scope = ?1 AND o.expires_at > ?4), \
     (SELECT min(o.expires_at) FROM channel_nonce o WHERE o.account_id = ?3 AND o.scope = ?1 AND o.expires_at > ?4)"
);
const FORGET_NONCES: Statement = statement!("DELETE FROM channel_nonce WHERE expires_at < ?1");

/// A key that opens encrypted bodies, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelKeyRecord {
    /// Its identifier.
    pub key_id: String,
    /// Its kind.
    pub kind: String,
    /// The public half as a JWK.
    pub public_key: String,
    /// The private half, sealed under the master key.
    pub sealed: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a newer key of its kind replaced it.
    pub retired_at: Option<Timestamp>,
}

impl ChannelKeyRecord {
    /// Returns the error for a column whose value is not one that the program stores.
    pub fn unreadable(&self, column: &str, why: impl fmt::Display) -> Error {
        unreadable("channel_key", &self.key_id, column, why)
    }
}

/// A new session.
#[derive(Clone, Debug)]
pub struct NewChannelSession {
    /// Its identifier.
    pub id: [u8; 16],
    /// Its two keys, sealed.
    pub sealed: Vec<u8>,
    /// The keyed hash of the address that it was opened from.
    pub source: KeyedHash,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The most sessions that no account has used yet, counting a new one.
#[derive(Clone, Copy, Debug)]
pub struct UnusedSessions {
    /// From one source.
    pub of_source: i64,
    /// In all.
    pub of_installation: i64,
}

/// The most unused sessions that end when the installation has too many. More than one, so that the number falls again after
/// many were opened at the same moment, each by an instance that did not see the others.
const ENDED_AT_ONCE: i64 = 2;

/// A session as it is stored, and whether a nonce was used in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSession {
    /// Its two keys, sealed.
    pub sealed: Vec<u8>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The account and client that opened it, or else used it first; `None` if there is neither.
    pub owner: Option<ChannelOwner>,
    /// How many messages it has accepted.
    pub messages: i64,
    /// Whether the nonce in question was used in it.
    pub nonce_used: bool,
}

/// The owner of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelOwner {
    /// The account.
    pub account: AccountId,
    /// The keyed hash of the client hash.
    pub client: KeyedHash,
}

/// A nonce, which distinguishes a message from a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// The scope within which it must be unique.
    pub scope: Vec<u8>,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// The account that it is counted for; `None` for nonces of a session, which counts its own messages.
    pub account: Option<AccountId>,
    /// When it may be deleted.
    pub expires_at: Timestamp,
}

/// The stored state of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceState {
    /// Whether it was used.
    pub used: bool,
    /// How many unexpired nonces of its scope are stored for the account.
    pub remembered: i64,
    /// When the first of those expires.
    pub oldest_expires_at: Option<Timestamp>,
}

impl Store {
    /// Returns the keys that open encrypted bodies, oldest first.
    pub async fn channel_keys(&self) -> Result<Vec<ChannelKeyRecord>, Error> {
        self.query(KEYS, vec![], key).await
    }

    /// Adds a key and retires the others of its kind at the same moment.
    pub async fn add_channel_key(&self, key: ChannelKeyRecord) -> Result<(), Error> {
        let retire = parameters![key.kind.as_str(), key.key_id.as_str(), key.created_at];
        let add = values!(KEY {
            key_id: key.key_id,
            kind: key.kind,
            public_key: key.public_key,
            sealed: key.sealed,
            created_at: key.created_at,
            retired_at: key.retired_at,
        });
        self.execute(vec![(ADD_KEY, add), (RETIRE_KEYS, retire)]).await.map(drop)
    }

    /// Deletes keys that were retired before a given time.
    pub async fn forget_channel_keys(&self, retired_before: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_KEYS, parameters![retired_before])]).await.map(drop)
    }

    /// Begins a session that no account uses yet. If there are too many of these then, the oldest end: first those of the same
    /// source, then any.
    pub async fn add_channel_session(&self, session: NewChannelSession, limit: UnusedSessions) -> Result<(), Error> {
        // Before the new session is added, which therefore never ends itself, even if its clock is behind.
        let mut queries = vec![(CROWD_OUT_OF_SOURCE, parameters![session.source, limit.of_source - 1])];
        // Counted outside the transaction, which on SQLite would keep other writes waiting.
        let unused: i64 = self.find(COUNT_UNUSED, vec![], |row| computed(row, 0)).await.and_then(always)?;
        if unused >= limit.of_installation {
            let ended = (unused + 1 - limit.of_installation).min(ENDED_AT_ONCE);
            queries.push((CROWD_OUT_OF_INSTALLATION, parameters![session.source, ended]));
        }
        queries.push((ADD_SESSION, session_values(session, None)));
        self.execute(queries).await.map(drop)
    }

    /// Begins a session that is bound to `owner` at once. Of the account's sessions, only the newest `limit` are kept, this one
    /// among them.
    pub async fn add_bound_channel_session(
        &self,
        session: NewChannelSession,
        owner: ChannelOwner,
        limit: i64,
    ) -> Result<(), Error> {
        // Before the new session is added, which therefore never ends itself, even if its clock is behind.
        let crowd_out = parameters![owner.account, limit - 1];
        let add = session_values(session, Some(owner));
        self.execute(vec![(CROWD_OUT_OF_ACCOUNT, crowd_out), (ADD_SESSION, add)]).await.map(drop)
    }

    /// Returns a session by its identifier, and whether a nonce was used in it, in one query.
    pub async fn channel_session(&self, id: [u8; 16], nonce: &[u8]) -> Result<Option<ChannelSession>, Error> {
        self.find(SESSION_AND_NONCE, parameters![id.to_vec(), nonce.to_vec()], session).await
    }

    /// Binds an unused session to `owner`, and returns whether `owner` owns it: of two first users one wins. Of the
    /// account's sessions, only the newest `limit` are kept.
    pub async fn bind_channel_session(&self, id: [u8; 16], owner: ChannelOwner, limit: i64) -> Result<bool, Error> {
        let bind = parameters![id.to_vec(), owner.account, owner.client];
        let crowd_out = parameters![owner.account, limit];
        self.execute(vec![(BIND_SESSION, bind), (CROWD_OUT_OF_ACCOUNT, crowd_out)]).await?;
        let bound = self.find(SESSION_ALONE, parameters![id.to_vec()], session_owner).await?;
        Ok(bound.flatten() == Some(owner))
    }

    /// Ends a session, if there is one.
    pub async fn close_channel_session(&self, id: [u8; 16]) -> Result<(), Error> {
        self.execute(vec![(CLOSE_SESSION, parameters![id.to_vec()])]).await.map(drop)
    }

    /// Returns the state of a nonce, and of the account's other nonces in its scope.
    pub async fn channel_nonce(
        &self,
        scope: &[u8],
        nonce: &[u8],
        account: AccountId,
        now: Timestamp,
    ) -> Result<NonceState, Error> {
        let bound = parameters![scope.to_vec(), nonce.to_vec(), account, now];
        let read = |row: &dyn Row| {
            let (used, remembered) = (computed(row, 0)?, computed(row, 1)?);
            Ok(NonceState { used, remembered, oldest_expires_at: computed(row, 2)? })
        };
        self.find(NONCE, bound, read).await.and_then(always)
    }

    /// Uses up the nonce of a message that changes nothing; [`ChannelFault::Payload`] when it was used before.
    pub async fn use_nonce(&self, nonce: &Nonce) -> Result<(), Error> {
        self.execute(using(nonce).into()).await.map(drop).map_err(replayed)
    }

    /// Deletes expired sessions and nonces.
    pub async fn forget_channels(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_SESSIONS, parameters![now]), (FORGET_NONCES, parameters![now])]).await.map(drop)
    }
}

/// Returns the queries that use a nonce up and count its message for the session, if it belongs to one.
pub(super) fn using(nonce: &Nonce) -> [Query; 2] {
    let count = (COUNT_MESSAGE, parameters![nonce.scope.clone()]);
    [(USE_NONCE, nonce_values(nonce)).into(), count.into()]
}

pub(super) fn nonce_values(nonce: &Nonce) -> Values {
    let Nonce { scope, nonce, account, expires_at } = nonce.clone();
    values!(CHANNEL_NONCE { scope, nonce, account_id: account, expires_at })
}

/// Maps a nonce that was used before to the error of a message that does not open.
pub(super) fn replayed(error: Error) -> Error {
    match error {
        Error::Taken(Unique::Nonce) => Error::Channel(ChannelFault::Payload),
        error => error,
    }
}

fn key(row: &dyn Row) -> Result<ChannelKeyRecord, Error> {
    let record = KEY.at(row, 0);
    Ok(ChannelKeyRecord {
        key_id: record.get(KEY.key_id)?,
        kind: record.get(KEY.kind)?,
        public_key: record.get(KEY.public_key)?,
        sealed: record.get(KEY.sealed)?,
        created_at: record.get(KEY.created_at)?,
        retired_at: record.get(KEY.retired_at)?,
    })
}

fn session_values(session: NewChannelSession, owner: Option<ChannelOwner>) -> Values {
    values!(SESSION {
        id: session.id.to_vec(),
        sealed: session.sealed,
        source: session.source,
        created_at: session.created_at,
        expires_at: session.expires_at,
        account_id: owner.map(|owner| owner.account),
        client: owner.map(|owner| owner.client),
        messages: 0,
    })
}

fn session(row: &dyn Row) -> Result<ChannelSession, Error> {
    let record = SESSION.at(row, 0);
    Ok(ChannelSession {
        sealed: record.get(SESSION.sealed)?,
        expires_at: record.get(SESSION.expires_at)?,
        owner: session_owner(row)?,
        messages: record.get(SESSION.messages)?,
        nonce_used: computed(row, SESSION.table().width())?,
    })
}

fn session_owner(row: &dyn Row) -> Result<Option<ChannelOwner>, Error> {
    let record = SESSION.at(row, 0);
    let (account, client) = (record.get(SESSION.account_id)?, record.get(SESSION.client)?);
    Ok(account.zip(client).map(|(account, client)| ChannelOwner { account, client }))
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[
    KEYS,
    ADD_KEY,
    RETIRE_KEYS,
    FORGET_KEYS,
    ADD_SESSION,
    SESSION_AND_NONCE,
    BIND_SESSION,
    SESSION_ALONE,
    CLOSE_SESSION,
    CROWD_OUT_OF_SOURCE,
    COUNT_UNUSED,
    CROWD_OUT_OF_INSTALLATION,
    CROWD_OUT_OF_ACCOUNT,
    FORGET_SESSIONS,
    USE_NONCE,
    COUNT_MESSAGE,
    NONCE,
    FORGET_NONCES,
];

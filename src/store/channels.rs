use jiff::Timestamp;

use super::statement::{Statement, statement};
use super::value::{Row, optional_hash, optional_time, parameters, present, time};
use super::{Query, Store};
use crate::account::{AccountId, ChannelFault, Error, Unique};
use crate::keys::KeyedHash;

const KEYS: Statement = statement!(
    "SELECT key_id, kind, public_key, sealed, created_at, retired_at FROM channel_key ORDER BY created_at, key_id"
);
const ADD_KEY: Statement =
    statement!("INSERT INTO channel_key (key_id, kind, public_key, sealed, created_at) VALUES (?1, ?2, ?3, ?4, ?5)");
const RETIRE_KEYS: Statement =
    statement!("UPDATE channel_key SET retired_at = ?3 WHERE kind = ?1 AND key_id <> ?2 AND retired_at IS NULL");
const FORGET_KEYS: Statement = statement!("DELETE FROM channel_key WHERE retired_at < ?1");

const ADD_SESSION: Statement = statement!(
    "INSERT INTO channel_session (id, sealed, source, created_at, expires_at, messages) VALUES (?1, ?2, ?3, ?4, ?5, 0)"
);
const SESSION: Statement = statement!(
    "SELECT s.sealed, s.expires_at, s.account_id, s.client, s.messages, \
     EXISTS (SELECT 1 FROM channel_nonce n WHERE n.scope = s.id AND n.nonce = ?2) \
     FROM channel_session s WHERE s.id = ?1"
);
const BIND_SESSION: Statement =
    statement!("UPDATE channel_session SET account_id = ?2, client = ?3 WHERE id = ?1 AND account_id IS NULL");
const OWNER: Statement = statement!("SELECT account_id, client FROM channel_session WHERE id = ?1");
const CLOSE_SESSION: Statement = statement!("DELETE FROM channel_session WHERE id = ?1");
// A thousand at once is more than ever are too many: each new one makes room for itself.
const CROWD_OUT_OF_SOURCE: Statement = statement!(
    "DELETE FROM channel_session WHERE id IN (SELECT id FROM channel_session WHERE source = ?1 AND account_id IS NULL \
     ORDER BY created_at DESC, id LIMIT 1000 OFFSET ?2)"
);
const CROWD_OUT_OF_ACCOUNT: Statement = statement!(
    "DELETE FROM channel_session WHERE id IN (SELECT id FROM channel_session WHERE account_id = ?1 \
     ORDER BY created_at DESC, id LIMIT 1000 OFFSET ?2)"
);
const FORGET_SESSIONS: Statement = statement!("DELETE FROM channel_session WHERE expires_at < ?1");

pub(super) const USE_NONCE: Statement =
    statement!("INSERT INTO channel_nonce (scope, nonce, account_id, expires_at) VALUES (?1, ?2, ?3, ?4)");
pub(super) const COUNT_MESSAGE: Statement =
    statement!("UPDATE channel_session SET messages = messages + 1 WHERE id = ?1");
const NONCE: Statement = statement!(
    "SELECT EXISTS (SELECT 1 FROM channel_nonce n WHERE n.scope = ?1 AND n.nonce = ?2), \
     (SELECT count(*) FROM channel_nonce o WHERE o.account_id = ?3 AND o.scope = ?1 AND o.expires_at > ?4), \
     (SELECT min(o.expires_at) FROM channel_nonce o WHERE o.account_id = ?3 AND o.scope = ?1 AND o.expires_at > ?4)"
);
const FORGET_NONCES: Statement = statement!("DELETE FROM channel_nonce WHERE expires_at < ?1");

/// A key that opens encrypted bodies, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelKeyRecord {
    /// Its name.
    pub key_id: String,
    /// Of what kind it is.
    pub kind: String,
    /// The public half as a JWK.
    pub public_key: String,
    /// The private half, sealed under the master key.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a newer key of its kind took over.
    pub retired_at: Option<Timestamp>,
}

/// A session that begins.
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
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A session as it is stored, and whether a nonce was used in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSession {
    /// Its two keys, sealed.
    pub sealed: Vec<u8>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Who used it first; nobody yet if there is none.
    pub owner: Option<ChannelOwner>,
    /// How many messages it has taken.
    pub messages: i64,
    /// Whether the nonce that was asked about is among theirs.
    pub nonce_used: bool,
}

/// Whose a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelOwner {
    /// The account.
    pub account: AccountId,
    /// The keyed hash of the client hash.
    pub client: KeyedHash,
}

/// What makes a message one that was never seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// What it must differ from the others of.
    pub scope: Vec<u8>,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// Whom it is counted for; those of a session are counted by the session.
    pub account: Option<AccountId>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// What is known of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceState {
    /// Whether it was used.
    pub used: bool,
    /// How many of its scope are remembered for the account.
    pub remembered: i64,
    /// When the first of those is forgotten.
    pub oldest_expires_at: Option<Timestamp>,
}

impl Store {
    /// The keys that open encrypted bodies, oldest first.
    pub async fn channel_keys(&self) -> Result<Vec<ChannelKeyRecord>, Error> {
        self.query(KEYS, vec![], key).await
    }

    /// Adds a key and retires the others of its kind at the same moment.
    pub async fn add_channel_key(&self, key: ChannelKeyRecord) -> Result<(), Error> {
        let (id, kind, now) = (key.key_id, key.kind, key.created_at);
        let add = parameters![id.as_str(), kind.as_str(), key.public_key, key.sealed, now];
        self.execute(vec![(ADD_KEY, add), (RETIRE_KEYS, parameters![kind, id, now])]).await.map(drop)
    }

    /// Deletes keys that were retired before a moment.
    pub async fn forget_channel_keys(&self, retired_before: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_KEYS, parameters![retired_before])]).await.map(drop)
    }

    /// Begins a session. Of those from its address that nobody has used yet only the newest `limit` stay.
    pub async fn add_channel_session(&self, session: NewChannelSession, limit: i64) -> Result<(), Error> {
        let NewChannelSession { id, sealed, source, created_at, expires_at } = session;
        let add = parameters![id.to_vec(), sealed, source, created_at, expires_at];
        self.execute(vec![(ADD_SESSION, add), (CROWD_OUT_OF_SOURCE, parameters![source, limit])]).await.map(drop)
    }

    /// A session by its identifier, and whether a nonce was used in it: one query.
    pub async fn channel_session(&self, id: [u8; 16], nonce: &[u8]) -> Result<Option<ChannelSession>, Error> {
        self.find(SESSION, parameters![id.to_vec(), nonce.to_vec()], session).await
    }

    /// Binds a session to who uses it first, and says whether it is theirs: of two first users one wins. Of the account's
    /// sessions only the newest `limit` stay.
    pub async fn bind_channel_session(&self, id: [u8; 16], owner: ChannelOwner, limit: i64) -> Result<bool, Error> {
        let bind = parameters![id.to_vec(), owner.account, owner.client];
        let crowd_out = parameters![owner.account, limit];
        self.execute(vec![(BIND_SESSION, bind), (CROWD_OUT_OF_ACCOUNT, crowd_out)]).await?;
        let bound = self.find(OWNER, parameters![id.to_vec()], |row| owner_at(row, 0)).await?;
        Ok(bound.flatten() == Some(owner))
    }

    /// Ends a session, if there is one.
    pub async fn close_channel_session(&self, id: [u8; 16]) -> Result<(), Error> {
        self.execute(vec![(CLOSE_SESSION, parameters![id.to_vec()])]).await.map(drop)
    }

    /// What is known of a nonce, and of the others of an account in its scope.
    pub async fn channel_nonce(
        &self,
        scope: &[u8],
        nonce: &[u8],
        account: AccountId,
        now: Timestamp,
    ) -> Result<NonceState, Error> {
        let bound = parameters![scope.to_vec(), nonce.to_vec(), account, now];
        let read = |row: &dyn Row| {
            let (used, remembered) = (row.boolean(0)?, present(row.integer(1)?)?);
            Ok(NonceState { used, remembered, oldest_expires_at: optional_time(row, 2)? })
        };
        self.find(NONCE, bound, read).await.and_then(present)
    }

    /// Uses a nonce up, for a message that changes nothing; [`ChannelFault::Payload`] when it was used before.
    pub async fn use_nonce(&self, nonce: &Nonce) -> Result<(), Error> {
        self.execute(vec![using(nonce), counting(nonce)]).await.map(drop).map_err(replayed)
    }

    /// Deletes sessions that have ended and nonces that need no longer be known.
    pub async fn forget_channels(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_SESSIONS, parameters![now]), (FORGET_NONCES, parameters![now])]).await.map(drop)
    }
}

/// The statement that uses a nonce up.
pub(super) fn using(nonce: &Nonce) -> Query {
    let Nonce { scope, nonce, account, expires_at } = nonce.clone();
    let account = super::value::Parameter::Uuid(account.map(|account| account.0));
    let mut used = parameters![scope, nonce];
    used.push(account);
    used.extend(parameters![expires_at]);
    (USE_NONCE, used).into()
}

/// The statement that counts a message for its session, if it belongs to one.
pub(super) fn counting(nonce: &Nonce) -> Query {
    (COUNT_MESSAGE, parameters![nonce.scope.clone()]).into()
}

/// A nonce that was used before makes a message one that does not open.
pub(super) fn replayed(error: Error) -> Error {
    match error {
        Error::Taken(Unique::Nonce) => Error::Channel(ChannelFault::Payload),
        error => error,
    }
}

fn key(row: &dyn Row) -> Result<ChannelKeyRecord, Error> {
    Ok(ChannelKeyRecord {
        key_id: row.text(0)?,
        kind: row.text(1)?,
        public_key: row.text(2)?,
        sealed: present(row.bytes(3)?)?,
        created_at: time(row, 4)?,
        retired_at: optional_time(row, 5)?,
    })
}

fn session(row: &dyn Row) -> Result<ChannelSession, Error> {
    Ok(ChannelSession {
        sealed: present(row.bytes(0)?)?,
        expires_at: time(row, 1)?,
        owner: owner_at(row, 2)?,
        messages: present(row.integer(4)?)?,
        nonce_used: row.boolean(5)?,
    })
}

fn owner_at(row: &dyn Row, column: usize) -> Result<Option<ChannelOwner>, Error> {
    let account = row.uuid(column)?.map(AccountId);
    let client = optional_hash(row, column + 1)?;
    Ok(account.zip(client).map(|(account, client)| ChannelOwner { account, client }))
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[
    KEYS,
    ADD_KEY,
    RETIRE_KEYS,
    FORGET_KEYS,
    ADD_SESSION,
    SESSION,
    BIND_SESSION,
    OWNER,
    CLOSE_SESSION,
    CROWD_OUT_OF_SOURCE,
    CROWD_OUT_OF_ACCOUNT,
    FORGET_SESSIONS,
    USE_NONCE,
    COUNT_MESSAGE,
    NONCE,
    FORGET_NONCES,
];

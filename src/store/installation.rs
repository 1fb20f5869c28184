use jiff::Timestamp;

use super::statement::{Statement, statement};
use super::value::{parameters, present, unreadable};
use super::{SigningKeyRecord, Store, record};
use crate::account::Error;
use crate::keys::Purpose;

pub(super) const PING: Statement = statement!("SELECT CAST(1 AS bigint)");
const FACT: Statement = statement!("SELECT value FROM installation WHERE name = ?1");
const ADD_FACT: Statement = statement!("INSERT INTO installation (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
const SET_FACT: Statement = statement!(
    "INSERT INTO installation (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
);
const SECRET: Statement = statement!("SELECT sealed FROM secret WHERE purpose = ?1 AND generation = ?2");
const ADD_SECRET: Statement = statement!(
    "INSERT INTO secret (purpose, generation, sealed, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
);
const SIGNING_KEYS: Statement = statement!(
    "SELECT key_id, algorithm, public_key, sealed, created_at, retired_at FROM signing_key ORDER BY created_at, key_id"
);
const ADD_SIGNING_KEY: Statement = statement!(
    "INSERT INTO signing_key (key_id, algorithm, public_key, sealed, created_at) VALUES (?1, ?2, ?3, ?4, ?5)"
);
const RETIRE_SIGNING_KEYS: Statement =
    statement!("UPDATE signing_key SET retired_at = ?3 WHERE algorithm = ?1 AND key_id <> ?2 AND retired_at IS NULL");
const FORGET_SIGNING_KEYS: Statement = statement!("DELETE FROM signing_key WHERE retired_at < ?1");

impl Store {
    /// A fact about this installation, if it was stated.
    pub async fn find_fact(&self, name: &str) -> Result<Option<String>, Error> {
        self.find(FACT, parameters![name], |row| row.text(0)).await
    }

    /// A fact about this installation; the first caller's `fresh` value stays.
    pub async fn fact(&self, name: &str, fresh: &str) -> Result<String, Error> {
        if let Some(value) = self.find_fact(name).await? {
            return Ok(value);
        }
        self.execute(vec![(ADD_FACT, parameters![name, fresh])]).await?;
        self.find_fact(name).await.and_then(present)
    }

    /// Replaces a fact about this installation.
    pub async fn set_fact(&self, name: &str, value: &str) -> Result<(), Error> {
        self.execute(vec![(SET_FACT, parameters![name, value])]).await.map(drop)
    }

    /// A sealed key, if it was made already.
    pub async fn secret(&self, purpose: Purpose, generation: i64) -> Result<Option<Vec<u8>>, Error> {
        self.find(SECRET, parameters![purpose.name(), generation], |row| row.bytes(0).and_then(present)).await
    }

    /// Keeps a sealed key unless another instance was faster; returns the one that is kept.
    pub async fn add_secret(
        &self,
        purpose: Purpose,
        generation: i64,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Error> {
        self.execute(vec![(ADD_SECRET, parameters![purpose.name(), generation, sealed, now])]).await?;
        self.secret(purpose, generation).await?.ok_or_else(|| unreadable("a key that was just stored is missing"))
    }

    /// The signing keys, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, Error> {
        self.query(SIGNING_KEYS, vec![], record::signing_key).await
    }

    /// Adds a signing key and retires the others of its algorithm at the same moment.
    pub async fn add_signing_key(&self, key: SigningKeyRecord) -> Result<(), Error> {
        let (id, algorithm, now) = (key.key_id, key.algorithm, key.created_at);
        let add = parameters![id.as_str(), algorithm.as_str(), key.public_key, key.sealed, now];
        let retire = parameters![algorithm, id, now];
        self.execute(vec![(ADD_SIGNING_KEY, add), (RETIRE_SIGNING_KEYS, retire)]).await.map(drop)
    }

    /// Deletes signing keys that were retired before a moment: every token that they signed has expired.
    pub async fn forget_signing_keys(&self, retired_before: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_SIGNING_KEYS, parameters![retired_before])]).await.map(drop)
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[
    PING,
    FACT,
    ADD_FACT,
    SET_FACT,
    SECRET,
    ADD_SECRET,
    SIGNING_KEYS,
    ADD_SIGNING_KEY,
    RETIRE_SIGNING_KEYS,
    FORGET_SIGNING_KEYS,
];

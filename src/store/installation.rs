use jiff::Timestamp;

use super::statement::{Statement, insert, select, statement};
use super::table::{Columns, values};
use super::tables::{INSTALLATION, SECRET, SIGNING_KEY};
use super::value::{Row, always, parameters};
use super::{SigningKeyRecord, Store, record};
use crate::account::Error;
use crate::keys::Purpose;

pub(super) const PING: Statement = statement!("SELECT CAST(1 AS bigint)");
const FACT: Statement = select!(INSTALLATION, "WHERE installation.name = ?1");
const ADD_FACT: Statement = insert!(INSTALLATION, " ON CONFLICT DO NOTHING");
const SET_FACT: Statement = insert!(INSTALLATION, " ON CONFLICT (name) DO UPDATE SET ", {
    Part::AssignmentsFrom(INSTALLATION.table(), "excluded.")
});
const SECRET_OF: Statement = select!(SECRET, "WHERE secret.purpose = ?1 AND secret.generation = ?2");
const ADD_SECRET: Statement = insert!(SECRET, " ON CONFLICT DO NOTHING");
const SIGNING_KEYS: Statement = select!(SIGNING_KEY, "ORDER BY signing_key.created_at, signing_key.key_id");
const ADD_SIGNING_KEY: Statement = insert!(SIGNING_KEY);
const RETIRE_SIGNING_KEYS: Statement =
    statement!("UPDATE signing_key SET retired_at = ?3 WHERE algorithm = ?1 AND key_id <> ?2 AND retired_at IS NULL");
const FORGET_SIGNING_KEYS: Statement = statement!("DELETE FROM signing_key WHERE retired_at < ?1");

impl Store {
    /// Returns a fact about this installation, if it is set.
    pub async fn find_fact(&self, name: &str) -> Result<Option<String>, Error> {
        self.find(FACT, parameters![name], fact).await
    }

    /// Returns a fact about this installation, setting it to `fresh` if it is unset; the first caller's value stays.
    pub async fn fact(&self, name: &str, fresh: &str) -> Result<String, Error> {
        if let Some(value) = self.find_fact(name).await? {
            return Ok(value);
        }
        self.execute(vec![(ADD_FACT, values!(INSTALLATION { name, value: fresh }))]).await?;
        self.find_fact(name).await.and_then(always)
    }

    /// Sets or replaces a fact about this installation.
    pub async fn set_fact(&self, name: &str, value: &str) -> Result<(), Error> {
        self.execute(vec![(SET_FACT, values!(INSTALLATION { name, value }))]).await.map(drop)
    }

    /// Returns a sealed key, if it was made already.
    pub async fn secret(&self, purpose: Purpose, generation: i64) -> Result<Option<Vec<u8>>, Error> {
        let sealed = |row: &dyn Row| SECRET.at(row, 0).get(SECRET.sealed);
        self.find(SECRET_OF, parameters![purpose.name(), generation], sealed).await
    }

    /// Stores a sealed key unless another instance was faster; returns the stored one.
    pub async fn add_secret(
        &self,
        purpose: Purpose,
        generation: i64,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> Result<Vec<u8>, Error> {
        let secret = values!(SECRET { purpose: purpose.name(), generation, sealed, created_at: now });
        self.execute(vec![(ADD_SECRET, secret)]).await?;
        self.secret(purpose, generation).await.and_then(always)
    }

    /// Returns the signing keys, oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, Error> {
        self.query(SIGNING_KEYS, vec![], record::signing_key).await
    }

    /// Adds a signing key and retires the others of its algorithm at the same moment.
    pub async fn add_signing_key(&self, key: SigningKeyRecord) -> Result<(), Error> {
        let retire = parameters![key.algorithm.as_str(), key.key_id.as_str(), key.created_at];
        let add = values!(SIGNING_KEY {
            key_id: key.key_id,
            algorithm: key.algorithm,
            public_key: key.public_key,
            sealed: key.sealed,
            created_at: key.created_at,
            retired_at: key.retired_at,
        });
        self.execute(vec![(ADD_SIGNING_KEY, add), (RETIRE_SIGNING_KEYS, retire)]).await.map(drop)
    }

    /// Deletes signing keys that were retired before a given time, when every token that they signed has expired.
    pub async fn forget_signing_keys(&self, retired_before: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_SIGNING_KEYS, parameters![retired_before])]).await.map(drop)
    }
}

fn fact(row: &dyn Row) -> Result<String, Error> {
    INSTALLATION.at(row, 0).get(INSTALLATION.value)
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[
    PING,
    FACT,
    ADD_FACT,
    SET_FACT,
    SECRET_OF,
    ADD_SECRET,
    SIGNING_KEYS,
    ADD_SIGNING_KEY,
    RETIRE_SIGNING_KEYS,
    FORGET_SIGNING_KEYS,
];

use jiff::Timestamp;

use super::Store;
use super::statement::{Statement, statement};
use super::value::{hash, optional_time, parameters, present};
use crate::account::{AccountId, Error};
use crate::keys::KeyedHash;

const BIND: Statement = statement!(
    "INSERT INTO client_binding (account_id, session, client_hash, expires_at) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT DO NOTHING"
);
const BOUND: Statement = statement!("SELECT client_hash FROM client_binding WHERE account_id = ?1 AND session = ?2");
pub(super) const REVOKE: Statement = statement!(
    "INSERT INTO revoked_token (token, expires_at) VALUES (?1, ?2) \
     ON CONFLICT (token) DO UPDATE SET expires_at = excluded.expires_at \
     WHERE excluded.expires_at > revoked_token.expires_at"
);
const REVOKED: Statement = statement!("SELECT EXISTS (SELECT 1 FROM revoked_token WHERE token = ?1)");
pub(super) const REVOKE_BEFORE: Statement = statement!(
    "INSERT INTO token_horizon (account_id, not_before) VALUES (?1, ?2) \
     ON CONFLICT (account_id) DO UPDATE SET not_before = excluded.not_before \
     WHERE excluded.not_before > token_horizon.not_before"
);
const NOT_BEFORE: Statement = statement!("SELECT not_before FROM token_horizon WHERE account_id = ?1");
const FORGET_BINDINGS: Statement = statement!("DELETE FROM client_binding WHERE expires_at < ?1");
const FORGET_REVOKED: Statement = statement!("DELETE FROM revoked_token WHERE expires_at < ?1");

impl Store {
    /// Binds a session to a client hash unless it is bound already, and returns the one that it is bound to: of two first
    /// users one wins.
    pub async fn bind_client(
        &self,
        account: AccountId,
        session: KeyedHash,
        client_hash: KeyedHash,
        expires_at: Timestamp,
    ) -> Result<KeyedHash, Error> {
        self.execute(vec![(BIND, parameters![account, session, client_hash, expires_at])]).await?;
        self.find(BOUND, parameters![account, session], |row| hash(row, 0)).await.and_then(present)
    }

    /// Revokes one token until it would have expired anyway; the longest of several revocations holds.
    pub async fn revoke_token(&self, token: KeyedHash, expires_at: Timestamp) -> Result<(), Error> {
        self.execute(vec![(REVOKE, parameters![token, expires_at])]).await.map(drop)
    }

    /// Whether one token is revoked, for requests without an account: all others are told by [`Store::caller`].
    pub async fn is_revoked(&self, token: KeyedHash) -> Result<bool, Error> {
        self.find(REVOKED, parameters![token], |row| row.boolean(0)).await.and_then(present)
    }

    /// Revokes every token of an account that was issued before a moment; the latest of several revocations holds.
    pub async fn revoke_tokens_before(&self, account: AccountId, not_before: Timestamp) -> Result<(), Error> {
        self.execute(vec![(REVOKE_BEFORE, parameters![account, not_before])]).await.map(drop)
    }

    /// The moment before which an account's tokens are revoked.
    pub async fn tokens_not_before(&self, account: AccountId) -> Result<Option<Timestamp>, Error> {
        Ok(self.find(NOT_BEFORE, parameters![account], |row| optional_time(row, 0)).await?.flatten())
    }

    /// Deletes what expired tokens leave behind.
    pub async fn forget_expired(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_BINDINGS, parameters![now]), (FORGET_REVOKED, parameters![now])]).await.map(drop)
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] =
    &[BIND, BOUND, REVOKE, REVOKED, REVOKE_BEFORE, NOT_BEFORE, FORGET_BINDINGS, FORGET_REVOKED];

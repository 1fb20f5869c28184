use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::statement::{Part, Statement, insert, parts, select, statement};
use super::table::{Columns, values};
use super::tables::{CLIENT_BINDING, REVOKED_TOKEN, TOKEN_HORIZON};
use super::value::{Row, always, computed, parameters};
use crate::account::{AccountId, Error};
use crate::keys::KeyedHash;

// Of two bindings of a session the first stays; the same one may last longer.
const BIND: Statement = insert!(
    CLIENT_BINDING,
    " ON CONFLICT (account_id, session) DO UPDATE SET expires_at = excluded.expires_at \
     WHERE excluded.expires_at > client_binding.expires_at AND excluded.client_hash = client_binding.client_hash"
);
const BOUND: Statement =
    select!(CLIENT_BINDING, "WHERE client_binding.account_id = ?1 AND client_binding.session = ?2");
pub(super) const REVOKE: Statement = insert!(
    REVOKED_TOKEN,
    " ON CONFLICT (account_id, token) DO UPDATE SET expires_at = excluded.expires_at \
     WHERE excluded.expires_at > revoked_token.expires_at"
);
/// Whether the token ?2 is revoked, for the account ?1 or for no account. Two conditions, since SQLite makes a table of a list
/// each time that it looks for its members.
pub(super) const IS_REVOKED: Part = Part::All(parts![
    "(EXISTS (SELECT 1 FROM revoked_token r WHERE r.account_id = ?1 AND r.token = ?2) OR \
     EXISTS (SELECT 1 FROM revoked_token n WHERE n.account_id = ",
    { Part::NilAccount },
    " AND n.token = ?2))",
]);
const REVOKED: Statement = statement!("SELECT ", { IS_REVOKED });
pub(super) const REVOKE_BEFORE: Statement = insert!(
    TOKEN_HORIZON,
    " ON CONFLICT (account_id) DO UPDATE SET not_before = excluded.not_before \
     WHERE excluded.not_before > token_horizon.not_before"
);
const NOT_BEFORE: Statement = select!(TOKEN_HORIZON, "WHERE token_horizon.account_id = ?1");
const FORGET_BINDINGS: Statement = statement!("DELETE FROM client_binding WHERE expires_at < ?1");
const FORGET_REVOKED: Statement = statement!("DELETE FROM revoked_token WHERE expires_at < ?1");

/// The nil account, to which revocations without an account belong: those of tokens of applications themselves, and those of
/// operators who do not name it.
pub(super) const NO_ACCOUNT: AccountId = AccountId(Uuid::nil());

impl Store {
    /// Binds a session to a client hash unless it is bound already, and returns the hash that it is bound to: of two first
    /// users one wins.
    pub async fn bind_client(
        &self,
        account: AccountId,
        session: KeyedHash,
        client_hash: KeyedHash,
        expires_at: Timestamp,
    ) -> Result<KeyedHash, Error> {
        self.prolong_binding(account, session, client_hash, expires_at).await?;
        let bound = |row: &dyn Row| CLIENT_BINDING.at(row, 0).get(CLIENT_BINDING.client_hash);
        self.find(BOUND, parameters![account, session], bound).await.and_then(always)
    }

    /// Keeps a session bound to its client hash until a later time. A binding that was deleted meanwhile is made again, so
    /// that no other client can take its place.
    pub async fn prolong_binding(
        &self,
        account: AccountId,
        session: KeyedHash,
        client_hash: KeyedHash,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let bind = values!(CLIENT_BINDING { account_id: account, session, client_hash, expires_at });
        self.execute(vec![(BIND, bind)]).await.map(drop)
    }

    /// Revokes one token until it would have expired anyway; the longest of several revocations applies. `account` is the
    /// token's account: with another one, nothing is revoked. `None` revokes the token whatever its account.
    pub async fn revoke_token(
        &self,
        account: Option<AccountId>,
        token: KeyedHash,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let account_id = account.unwrap_or(NO_ACCOUNT);
        self.execute(vec![(REVOKE, values!(REVOKED_TOKEN { account_id, token, expires_at }))]).await.map(drop)
    }

    /// Checks whether one token is revoked, for requests that do not read its account, if it has one; [`Store::caller`] checks
    /// all others.
    pub async fn is_revoked(&self, account: Option<AccountId>, token: KeyedHash) -> Result<bool, Error> {
        let bound = parameters![account.unwrap_or(NO_ACCOUNT), token];
        self.find(REVOKED, bound, |row| computed(row, 0)).await.and_then(always)
    }

    /// Revokes every token of an account that was issued before a given time; the latest of several revocations applies.
    pub async fn revoke_tokens_before(&self, account: AccountId, not_before: Timestamp) -> Result<(), Error> {
        let revoke = values!(TOKEN_HORIZON { account_id: account, not_before });
        self.execute(vec![(REVOKE_BEFORE, revoke)]).await.map(drop)
    }

    /// Returns the time before which an account's tokens are revoked.
    pub async fn tokens_not_before(&self, account: AccountId) -> Result<Option<Timestamp>, Error> {
        self.find(NOT_BEFORE, parameters![account], |row| TOKEN_HORIZON.at(row, 0).get(TOKEN_HORIZON.not_before)).await
    }

    /// Deletes the bindings and revocations of expired tokens.
    pub async fn forget_expired(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_BINDINGS, parameters![now]), (FORGET_REVOKED, parameters![now])]).await.map(drop)
    }
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] =
    &[BIND, BOUND, REVOKE, REVOKED, REVOKE_BEFORE, NOT_BEFORE, FORGET_BINDINGS, FORGET_REVOKED];

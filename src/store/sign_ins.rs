use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::statement::{Statement, insert, statement};
use super::table::{Columns, values};
use super::tables::{REFRESH_TOKEN, SIGN_IN};
use super::value::{Parameter, Row, always, computed, parameters};
use crate::account::{AccountId, Error};
use crate::keys::KeyedHash;

const BEGIN: Statement = insert!(SIGN_IN);
const ADD_TOKEN: Statement = insert!(REFRESH_TOKEN);
const BY_TOKEN: Statement = statement!(
    "SELECT ",
    { Part::Columns(SIGN_IN.table()) },
    ", ",
    { Part::Columns(REFRESH_TOKEN.table()) },
    " FROM refresh_token JOIN sign_in ON sign_in.id = refresh_token.sign_in_id WHERE refresh_token.hash = ?1"
);

// To refresh. Refreshing and ending a sign-in both lock its row first: an end covers every token, and of concurrent refreshes
// each sees what the one before it wrote.
const PROLONG: Statement = statement!("UPDATE sign_in SET expires_at = ?2 WHERE id = ?1 AND ended_at IS NULL");
/// Spends the present generation of a sign-in ?4, all its unspent tokens, if the token ?1 is one of them and has not expired.
const SPEND: Statement = statement!(
    "UPDATE refresh_token SET successor = ?2, spent_at = ?3 WHERE sign_in_id = ?4 AND successor IS NULL \
     AND EXISTS (SELECT 1 FROM refresh_token r WHERE r.hash = ?1 AND r.sign_in_id = ?4 AND r.successor IS NULL \
     AND r.expires_at > ?3) AND EXISTS (SELECT 1 FROM sign_in s WHERE s.id = ?4 AND s.ended_at IS NULL)"
);
/// Adds a token to the present generation, if the token ?1 has just been spent with [`SPEND`], or was spent after ?7.
const SUCCEED: Statement = statement!(
    "INSERT INTO refresh_token (hash, sign_in_id, issued_at, expires_at, access_token, access_ends_at) \
     SELECT ?2, r.sign_in_id, ?3, ?4, ?5, ?6 FROM refresh_token r JOIN sign_in s ON s.id = r.sign_in_id \
     WHERE r.hash = ?1 AND (r.successor = ?2 OR r.spent_at > ?7 AND r.expires_at > ?8) AND s.ended_at IS NULL"
);

const END: Statement = statement!("UPDATE sign_in SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL");
const REVOKE_ACCESS: Statement = statement!(
    "INSERT INTO revoked_token (account_id, token, expires_at) SELECT ?3, r.access_token, r.access_ends_at \
     FROM refresh_token r WHERE r.sign_in_id = ?1 AND r.access_ends_at > ?2 ON CONFLICT (account_id, token) DO NOTHING"
);
const COUNT: Statement =
    statement!("SELECT count(*) FROM sign_in WHERE account_id = ?1 AND ended_at IS NULL AND expires_at > ?2");
const FORGET_TOKENS: Statement = statement!("DELETE FROM refresh_token WHERE expires_at < ?1 AND access_ends_at < ?1");
const FORGET: Statement = statement!("DELETE FROM sign_in WHERE expires_at < ?1");

/// A person's sign-in through an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Its identifier.
    pub id: Uuid,
    /// The account that signed in.
    pub account_id: AccountId,
    /// The application that it signed in through.
    pub application_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was ended: by the application, or because a spent refresh token was used again.
    pub ended_at: Option<Timestamp>,
}

/// A refresh token as it is stored, with the access token that was issued with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The keyed hash of the token.
    pub hash: KeyedHash,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The keyed hash by which the access token is revoked.
    pub access_token: KeyedHash,
    /// Until when that revocation must be kept.
    pub access_ends_at: Timestamp,
}

/// The sign-in and state of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The sign-in that it prolongs.
    pub sign_in: SignIn,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Whether it was spent: it was used, or another token of its generation was.
    pub spent: bool,
    /// When it was spent; `None` also if an older version, which stored no time, spent it.
    pub spent_at: Option<Timestamp>,
}

impl Store {
    /// Records a sign-in and its first refresh token.
    pub async fn begin_sign_in(&self, sign_in: &SignIn, token: &RefreshToken) -> Result<(), Error> {
        let begun = values!(SIGN_IN {
            id: sign_in.id,
            account_id: sign_in.account_id,
            application_id: sign_in.application_id.as_str(),
            started_at: sign_in.started_at,
            expires_at: token.expires_at,
            ended_at: sign_in.ended_at,
        });
        let first = values!(REFRESH_TOKEN {
            hash: token.hash,
            sign_in_id: sign_in.id,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            access_token: token.access_token,
            access_ends_at: token.access_ends_at,
            successor: Parameter::Null,
            spent_at: Parameter::Null,
        });
        self.execute(vec![(BEGIN, begun), (ADD_TOKEN, first)]).await.map(drop)
    }

    /// Returns the sign-in that a refresh token belongs to, if the token is stored.
    pub async fn refresh_token(&self, hash: KeyedHash) -> Result<Option<Refreshed>, Error> {
        self.find(BY_TOKEN, parameters![hash], refreshed).await
    }

    /// Exchanges a refresh token of a sign-in for the next one. An unspent token is spent, with all others of its generation; one
    /// that was spent after `grace_began` only brings a further token of the present generation. Returns false when it was
    /// spent earlier, has expired, or its sign-in has ended. Of concurrent calls on any instance one spends the token.
    pub async fn refresh(
        &self,
        sign_in: Uuid,
        presented: KeyedHash,
        next: &RefreshToken,
        now: Timestamp,
        grace_began: Timestamp,
    ) -> Result<bool, Error> {
        let RefreshToken { hash, issued_at, expires_at, access_token, access_ends_at } = *next;
        let spend = parameters![presented, hash, now, sign_in];
        let succeed =
            parameters![presented, hash, issued_at, expires_at, access_token, access_ends_at, grace_began, now];
        let all = vec![(PROLONG, parameters![sign_in, expires_at]), (SPEND, spend), (SUCCEED, succeed)];
        Ok(matches!(self.execute(all).await?[..], [1, _, 1]))
    }

    /// Ends a sign-in with all its refresh tokens, and revokes every unexpired access token that was issued with one.
    pub async fn end_sign_in(&self, sign_in: &SignIn, now: Timestamp) -> Result<(), Error> {
        let revoke = parameters![sign_in.id, now, sign_in.account_id];
        self.execute(vec![(END, parameters![sign_in.id, now]), (REVOKE_ACCESS, revoke)]).await.map(drop)
    }

    /// Returns how many sign-ins of an account have neither ended nor expired.
    pub async fn sign_ins(&self, account: AccountId, now: Timestamp) -> Result<i64, Error> {
        self.find(COUNT, parameters![account, now], |row| computed(row, 0)).await.and_then(always)
    }

    /// Deletes expired sign-ins and expired refresh tokens.
    pub async fn forget_sign_ins(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_TOKENS, parameters![now]), (FORGET, parameters![now])]).await.map(drop)
    }
}

fn refreshed(row: &dyn Row) -> Result<Refreshed, Error> {
    let (sign_in, token) = (SIGN_IN.at(row, 0), REFRESH_TOKEN.at(row, SIGN_IN.table().width()));
    Ok(Refreshed {
        sign_in: SignIn {
            id: sign_in.get(SIGN_IN.id)?,
            account_id: sign_in.get(SIGN_IN.account_id)?,
            application_id: sign_in.get(SIGN_IN.application_id)?,
            started_at: sign_in.get(SIGN_IN.started_at)?,
            ended_at: sign_in.get(SIGN_IN.ended_at)?,
        },
        issued_at: token.get(REFRESH_TOKEN.issued_at)?,
        expires_at: token.get(REFRESH_TOKEN.expires_at)?,
        spent: token.get(REFRESH_TOKEN.successor)?.is_some(),
        spent_at: token.get(REFRESH_TOKEN.spent_at)?,
    })
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] =
    &[BEGIN, ADD_TOKEN, BY_TOKEN, PROLONG, SPEND, SUCCEED, END, REVOKE_ACCESS, COUNT, FORGET_TOKENS, FORGET];

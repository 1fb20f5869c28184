use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::statement::{Statement, statement};
use super::value::{Parameter, Row, optional_time, parameters, present, time};
use crate::account::{AccountId, Error};
use crate::keys::KeyedHash;

const BEGIN: Statement = statement!(
    "INSERT INTO sign_in (id, account_id, application_id, started_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)"
);
const ADD_TOKEN: Statement = statement!(
    "INSERT INTO refresh_token (hash, sign_in_id, issued_at, expires_at, access_token, access_ends_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
);
const BY_TOKEN: Statement = statement!(
    "SELECT s.id, s.account_id, s.application_id, s.started_at, s.ended_at, r.issued_at, r.expires_at, \
     r.successor IS NOT NULL FROM refresh_token r JOIN sign_in s ON s.id = r.sign_in_id WHERE r.hash = ?1"
);

// To refresh: whoever refreshes or ends a sign-in locks its row first, so that an end sees every token there is.
const PROLONG: Statement = statement!("UPDATE sign_in SET expires_at = ?2 WHERE id = ?1 AND ended_at IS NULL");
const SPEND: Statement = statement!(
    "UPDATE refresh_token SET successor = ?2 WHERE hash = ?1 AND successor IS NULL AND expires_at > ?3 \
     AND EXISTS (SELECT 1 FROM sign_in s WHERE s.id = refresh_token.sign_in_id AND s.ended_at IS NULL)"
);
const SUCCEED: Statement = statement!(
    "INSERT INTO refresh_token (hash, sign_in_id, issued_at, expires_at, access_token, access_ends_at) \
     SELECT ?2, r.sign_in_id, ?3, ?4, ?5, ?6 FROM refresh_token r WHERE r.hash = ?1 AND r.successor = ?2"
);

const END: Statement = statement!("UPDATE sign_in SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL");
const REVOKE_ACCESS: Statement = statement!(
    "INSERT INTO revoked_token (token, expires_at) SELECT r.access_token, r.access_ends_at FROM refresh_token r \
     WHERE r.sign_in_id = ?1 AND r.access_ends_at > ?2 ON CONFLICT (token) DO NOTHING"
);
const COUNT: Statement =
    statement!("SELECT count(*) FROM sign_in WHERE account_id = ?1 AND ended_at IS NULL AND expires_at > ?2");
const FORGET_TOKENS: Statement = statement!("DELETE FROM refresh_token WHERE expires_at < ?1 AND access_ends_at < ?1");
const FORGET: Statement = statement!("DELETE FROM sign_in WHERE expires_at < ?1");

/// A person's sign-in through an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Identifies it.
    pub id: Uuid,
    /// Who signed in.
    pub account_id: AccountId,
    /// Through which application.
    pub application_id: String,
    /// When.
    pub started_at: Timestamp,
    /// When it was ended: by the application, or because a spent token came again.
    pub ended_at: Option<Timestamp>,
}

/// A refresh token as it is stored, with the access token that is issued beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The keyed hash of the token.
    pub hash: KeyedHash,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// What the access token is revoked by.
    pub access_token: KeyedHash,
    /// Until when that must be remembered.
    pub access_ends_at: Timestamp,
}

/// What a refresh token leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The sign-in that it prolongs.
    pub sign_in: SignIn,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whether it was used already.
    pub spent: bool,
}

impl Store {
    /// Records a sign-in and its first refresh token.
    pub async fn begin_sign_in(&self, sign_in: &SignIn, token: &RefreshToken) -> Result<(), Error> {
        let begun = vec![
            Parameter::Uuid(Some(sign_in.id)),
            sign_in.account_id.into(),
            sign_in.application_id.as_str().into(),
            sign_in.started_at.into(),
            token.expires_at.into(),
        ];
        let mut first = vec![token.hash.into(), Parameter::Uuid(Some(sign_in.id))];
        first.extend(parameters![token.issued_at, token.expires_at, token.access_token, token.access_ends_at]);
        self.execute(vec![(BEGIN, begun), (ADD_TOKEN, first)]).await.map(drop)
    }

    /// The sign-in that a refresh token is of, if there ever was such a token.
    pub async fn refresh_token(&self, hash: KeyedHash) -> Result<Option<Refreshed>, Error> {
        self.find(BY_TOKEN, parameters![hash], refreshed).await
    }

    /// Spends a refresh token and puts another in its place. Of several who try one wins, on whatever instance; false for
    /// the others, and when the token or its sign-in has ended.
    pub async fn refresh(
        &self,
        sign_in: Uuid,
        spent: KeyedHash,
        next: &RefreshToken,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let prolong = vec![Parameter::Uuid(Some(sign_in)), next.expires_at.into()];
        let succeed =
            parameters![spent, next.hash, next.issued_at, next.expires_at, next.access_token, next.access_ends_at,];
        let all = vec![(PROLONG, prolong), (SPEND, parameters![spent, next.hash, now]), (SUCCEED, succeed)];
        Ok(self.execute(all).await? == [1, 1, 1])
    }

    /// Ends a sign-in: every refresh token of it, and every access token that was issued beside one.
    pub async fn end_sign_in(&self, id: Uuid, now: Timestamp) -> Result<(), Error> {
        let bound = || vec![Parameter::Uuid(Some(id)), now.into()];
        self.execute(vec![(END, bound()), (REVOKE_ACCESS, bound())]).await.map(drop)
    }

    /// How many sign-ins of an account have neither ended nor run out.
    pub async fn sign_ins(&self, account: AccountId, now: Timestamp) -> Result<i64, Error> {
        self.find(COUNT, parameters![account, now], |row| row.integer(0).and_then(present)).await.and_then(present)
    }

    /// Deletes what sign-ins that ran out leave behind.
    pub async fn forget_sign_ins(&self, now: Timestamp) -> Result<(), Error> {
        self.execute(vec![(FORGET_TOKENS, parameters![now]), (FORGET, parameters![now])]).await.map(drop)
    }
}

fn refreshed(row: &dyn Row) -> Result<Refreshed, Error> {
    Ok(Refreshed {
        sign_in: SignIn {
            id: row.uuid(0).and_then(present)?,
            account_id: AccountId(row.uuid(1).and_then(present)?),
            application_id: row.text(2)?,
            started_at: time(row, 3)?,
            ended_at: optional_time(row, 4)?,
        },
        issued_at: time(row, 5)?,
        expires_at: time(row, 6)?,
        spent: row.boolean(7)?,
    })
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] =
    &[BEGIN, ADD_TOKEN, BY_TOKEN, PROLONG, SPEND, SUCCEED, END, REVOKE_ACCESS, COUNT, FORGET_TOKENS, FORGET];

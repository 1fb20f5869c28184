//! The credentials that `dev` made, and how they end in a copy.

use jiff::{SignedDuration, Timestamp};

use super::statement::{Statement, statement};
use super::value::parameters;
use super::{Query, applications, tokens};
use crate::account::AccountId;
use crate::clock::after;
use crate::keys::KeyedHash;

const REVOKE_KEYS: Statement =
    statement!("UPDATE api_key SET revoked_at = ?2 WHERE account_id = ?1 AND revoked_at IS NULL");
const FORGET_FACTS: Statement =
    statement!("DELETE FROM installation WHERE name = 'made_by' AND value = 'dev' OR name LIKE 'dev.%'");

/// How far ahead of the clock a token may be dated: one issued in the second of a revocation is dated to the next second.
const AHEAD: SignedDuration = SignedDuration::from_secs(2);

/// The credentials that `dev` made in a database; none by default.
#[derive(Clone, Debug, Default)]
pub struct DevCredentials {
    /// The demo account. Every key bound to it and every token issued for it is revoked, including those that operators
    /// made: `dev` remembers only the credentials of its last start.
    pub account: Option<AccountId>,
    /// The demo application. It is deleted with its secret, its sign-up and every sign-in through it.
    pub application: Option<String>,
    /// For each token that `dev` remembers, the keyed hash by which it is revoked, and until when the revocation must be
    /// kept. This covers clocks that differ.
    pub tokens: Vec<(KeyedHash, Timestamp)>,
    /// When the credentials end.
    pub ended_at: Timestamp,
}

impl DevCredentials {
    /// Returns the queries that end the credentials and drop the facts of `dev`; they change nothing in a database without
    /// any.
    pub(super) fn ending(&self) -> Vec<Query> {
        let mut ending = vec![Query::from((FORGET_FACTS, parameters![]))];
        if let Some(account) = self.account {
            ending.push((REVOKE_KEYS, parameters![account, self.ended_at]).into());
            ending.push((tokens::REVOKE_BEFORE, parameters![account, after(self.ended_at, AHEAD)]).into());
        }
        ending.extend(self.application.iter().flat_map(|id| applications::deletion(id)));
        let revoke = |(token, until): &(KeyedHash, Timestamp)| parameters![tokens::NO_ACCOUNT, *token, *until];
        ending.extend(self.tokens.iter().map(|token| (tokens::REVOKE, revoke(token)).into()));
        ending
    }
}

/// The statements that [`Store::check`](super::Store::check) prepares.
pub(super) const ALL: &[Statement] = &[REVOKE_KEYS, FORGET_FACTS];

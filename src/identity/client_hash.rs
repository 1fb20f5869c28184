//! `X-Client-Hash`: an opaque value that a client keeps for a whole session, so that a stolen token alone is useless.

use axum::http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use super::{Authenticator, Caller, Token};
use crate::account::{Error, HashFault};
use crate::clock::after;
use crate::headers::Single;
use crate::keys::{self, KeyedHash};
use crate::store::CallerRecord;

/// The header's name.
pub const HEADER: &str = "X-Client-Hash";
/// The longest value, in bytes.
pub const MAX_LENGTH: usize = 512;

impl Authenticator {
    /// Checks the client hash of a request against the one that its token or session is bound to, binding it on first
    /// use. With `required` false a request without the header passes, unless its token or session is bound already.
    pub async fn client_hash(&self, caller: &Caller, headers: &HeaderMap, required: bool) -> Result<(), Error> {
        let Some(presented) = read(headers)? else {
            let bound = caller.bound_client.is_some() || caller.token().client_hash.is_some();
            return if required || bound { Err(Error::ClientHash(HashFault::Missing)) } else { Ok(()) };
        };
        if let Some(claimed) = &caller.token().client_hash {
            return same(claimed.as_bytes(), presented);
        }
        let session = caller.verified.session();
        let hash = self.keys.digest("client hash", &[&session, presented]);
        if let Some(bound) = caller.bound_client {
            return same(&bound, &hash);
        }
        let until = bound_until(caller.token());
        let bound = self.store.bind_client(caller.account.id, session, hash, until).await?;
        same(&bound, &hash)
    }

    /// Keeps the session of a token bound at least as long as the token is valid, if it is bound: a session has further
    /// tokens, and the first that comes after the end of a binding would bind it to its own client. Any valid token counts,
    /// for any contract and from any client; only a token that is the one token of its session, and binds nothing itself, need
    /// not be looked up for it. Writes once for each token that outlives those before it.
    pub(super) async fn keep_bound(
        &self,
        found: &CallerRecord,
        session: KeyedHash,
        token: &Token,
    ) -> Result<(), Error> {
        let until = bound_until(token);
        match found.client_hash.zip(found.bound_until) {
            Some((hash, end)) if end < until => {
                self.store.prolong_binding(found.account.id, session, hash, until).await
            }
            _ => Ok(()),
        }
    }
}

/// Returns how long a token keeps its session bound: a little longer than it is valid, because the binding must not end
/// while differing clocks still accept the token.
fn bound_until(token: &Token) -> Timestamp {
    let until = after(token.expires_at, SignedDuration::from_hours(1));
    // In whole seconds, as tokens end: the latest of all times could not be read back from the database.
    Timestamp::from_second(until.as_second()).unwrap_or(until)
}

/// Reads the header: present once, at most 512 bytes, no ASCII control characters. An absent or empty one is `None`.
fn read(headers: &HeaderMap) -> Result<Option<&[u8]>, Error> {
    let header = Single::of(headers, HEADER);
    if header.first().is_none_or(HeaderValue::is_empty) {
        return Ok(None);
    }
    let is_well_formed = |value: &&[u8]| value.len() <= MAX_LENGTH && !value.iter().any(u8::is_ascii_control);
    let value = header.once().map(HeaderValue::as_bytes).filter(is_well_formed);
    value.map(Some).ok_or(Error::ClientHash(HashFault::Malformed))
}

fn same(expected: &[u8], presented: &[u8]) -> Result<(), Error> {
    if keys::equal(expected, presented) { Ok(()) } else { Err(Error::ClientHash(HashFault::Mismatch)) }
}

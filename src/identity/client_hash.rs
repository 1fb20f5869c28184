//! `X-Client-Hash`: an opaque value that a client keeps for a whole session, so that a stolen token alone is useless.

use axum::http::{HeaderMap, HeaderValue};

use super::{Authenticator, Caller};
use crate::account::{Error, HashFault};
use crate::clock::after;
use crate::headers::Single;
use crate::keys;

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
        let hash = self.keys.digest("client hash", &[&caller.session, presented]);
        if let Some(bound) = caller.bound_client {
            return same(&bound, &hash);
        }
        // Kept a little longer than the token: the binding must not expire while differing clocks still accept the
        // token.
        let expires_at = after(caller.token().expires_at, jiff::SignedDuration::from_hours(1));
        let bound = self.store.bind_client(caller.account.id, caller.session, hash, expires_at).await?;
        same(&bound, &hash)
    }
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

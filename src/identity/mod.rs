//! Who is calling: credentials in, a [`Caller`] out. A caller cannot be made anywhere else.

pub mod api_key;
pub mod application;
pub mod bearer;
mod claims;
pub mod client_hash;
mod issuer;
mod jwks;
mod provision;
mod remembered;
mod rsa_key;
pub mod sign_in;
mod signed;
pub(crate) mod trusted;

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::account::{AccessFault, Account, Contract, CredentialFault, Error, Status, Tenant};
use crate::headers::Single;
use crate::keys::KeyedHash;

use bearer::Verified;
pub use claims::Token;
pub use issuer::{Grant, Issued, Issuer};
pub use remembered::Remembered;
pub use trusted::Trusted;

/// Whose account a request is about, and how that was proved.
pub struct Caller {
    /// The account, as it was when the request was let in.
    pub account: Account,
    /// The account's tenant.
    pub tenant: Tenant,
    verified: Arc<Verified>,
    session: KeyedHash,
    bound_client: Option<KeyedHash>,
}

impl Caller {
    /// Refuses an account that may not be used now.
    pub fn require_active(&self, now: jiff::Timestamp) -> Result<(), Error> {
        if self.account.status != Status::Active {
            return Err(AccessFault::AccountStatus(self.account.status).into());
        }
        if self.tenant.is_open(now) { Ok(()) } else { Err(Error::Access(AccessFault::TenantClosed)) }
    }

    /// Refuses a token that was not issued for a contract: audience keeps contracts apart.
    pub fn require_contract(&self, contract: Contract) -> Result<(), Error> {
        if self.verified.opens(contract) { Ok(()) } else { Err(Error::Access(AccessFault::Denied)) }
    }

    /// The verified token.
    pub fn token(&self) -> &Token {
        &self.verified.token
    }
}

/// The credentials of one scheme out of `Authorization` (RFC 9110 §11.6.2): the scheme's name compares without case, one
/// or more spaces follow it.
pub fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Result<&'a str, Error> {
    let header = Single::of(headers, AUTHORIZATION);
    if header == Single::Absent {
        return Err(CredentialFault::Missing.into());
    }
    let field = header.once().ok_or(CredentialFault::Invalid)?.to_str().map_err(|_| CredentialFault::Invalid)?;
    let (presented, credentials) = field.split_once(' ').unwrap_or((field, ""));
    if !presented.eq_ignore_ascii_case(scheme) {
        return Err(CredentialFault::OtherScheme.into());
    }
    Ok(credentials.trim_start_matches(' '))
}

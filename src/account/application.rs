use jiff::Timestamp;
use strum::{IntoStaticStr, VariantArray};

use super::{TenantId, closed_set};
use crate::keys::KeyedHash;

/// An application that people sign in through: a client in the words of OAuth 2.0 (RFC 6749 §2).
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// The identifier that it presents, its `client_id`.
    pub id: String,
    /// The tenant whose people sign in through it.
    pub tenant_id: TenantId,
    /// The name that operators gave it.
    pub name: String,
    /// The kind of platform that it runs on.
    pub kind: Kind,
    /// The ways in which it may get tokens.
    pub grants: Vec<GrantType>,
    /// The claims that it may read about a person, besides the identifier.
    pub claims: Vec<String>,
    /// The attributes of a person that it may change; `None` is all that the contract can change.
    pub writes: Option<Vec<String>>,
    /// The web origins whose pages belong to it.
    pub origins: Vec<String>,
    /// Whether signing in with a proved address that no account has creates one, if the request asks for it.
    pub auto_signup: bool,
    /// The lifetime of its access tokens, in seconds.
    pub token_lifetime: i64,
    /// The keyed hash of its secret; `None` for kinds that cannot keep one.
    pub secret_hash: Option<KeyedHash>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When an operator last changed it.
    pub updated_at: Timestamp,
}

impl Application {
    /// The default lifetime of access tokens, in seconds.
    pub const TOKEN_LIFETIME: i64 = 600;

    /// Whether it may get tokens in this way.
    pub fn may(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether it may change an attribute of this name.
    pub fn may_write(&self, name: &str) -> bool {
        self.writes.as_ref().is_none_or(|writes| writes.iter().any(|known| known == name))
    }
}

/// The platform of an application, which decides whether it can keep a secret (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// A web server, which keeps a secret.
    Web,
    /// Pages in a browser, which cannot keep a secret.
    Spa,
    /// A native application (RFC 8252), which has no secret.
    Mobile,
    /// A machine that acts for itself and keeps a secret.
    M2m,
}

/// A way to get tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum GrantType {
    /// A one-time code sent to a phone.
    Sms,
    /// A one-time code sent to an e-mail address.
    Email,
    /// A refresh token (RFC 6749 §6).
    RefreshToken,
    /// The application's own credentials (RFC 6749 §4.4); such a token has no account.
    ClientCredentials,
}

closed_set!(Kind);
closed_set!(GrantType);

impl Kind {
    /// Whether it can keep a secret.
    pub fn keeps_a_secret(self) -> bool {
        matches!(self, Kind::Web | Kind::M2m)
    }

    /// The ways in which applications of this kind get tokens.
    pub fn grants(self) -> Vec<GrantType> {
        let mut grants = vec![GrantType::Sms, GrantType::Email, GrantType::RefreshToken];
        if self == Kind::M2m {
            grants.push(GrantType::ClientCredentials);
        }
        grants
    }
}

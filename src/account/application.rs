use jiff::Timestamp;
use strum::{IntoStaticStr, VariantArray};

use super::{TenantId, closed_set};
use crate::keys::KeyedHash;

/// An application that people sign in through: a client in the words of OAuth 2.0 (RFC 6749 §2).
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// The identifier that it calls itself by, its `client_id`.
    pub id: String,
    /// The tenant whose people sign in through it.
    pub tenant_id: TenantId,
    /// What operators call it.
    pub name: String,
    /// What it runs on.
    pub kind: Kind,
    /// How it may get tokens.
    pub grants: Vec<GrantType>,
    /// What it may learn about a person beside the identifier.
    pub claims: Vec<String>,
    /// Web origins whose pages are its own.
    pub origins: Vec<String>,
    /// Whether a proved address that nobody has makes an account, when the application asks for that.
    pub auto_signup: bool,
    /// How long its access tokens hold, in seconds.
    pub token_lifetime: i64,
    /// The keyed hash of its secret; none where a secret could not be kept.
    pub secret_hash: Option<KeyedHash>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When an operator last changed it.
    pub updated_at: Timestamp,
}

impl Application {
    /// How long access tokens hold unless an operator says otherwise, in seconds.
    pub const TOKEN_LIFETIME: i64 = 600;

    /// Whether it may get tokens in this way.
    pub fn may(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }
}

/// What an application runs on, which decides whether it can keep a secret (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// A web server: keeps a secret.
    Web,
    /// Pages in a browser: keep none.
    Spa,
    /// A native application (RFC 8252): it has no secret.
    Mobile,
    /// A machine that acts for itself: keeps a secret.
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

    /// How applications of this kind get tokens.
    pub fn grants(self) -> Vec<GrantType> {
        let mut grants = vec![GrantType::Sms, GrantType::Email, GrantType::RefreshToken];
        if self == Kind::M2m {
            grants.push(GrantType::ClientCredentials);
        }
        grants
    }
}

use std::fmt;

/// A kind of value that must be unique: one that only a single account, tenant or application may have, or that may be used
/// only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unique {
    /// A verified e-mail address, within the tenant.
    Email,
    /// A verified phone number, within the tenant.
    Phone,
    /// A user name, within the tenant.
    Username,
    /// The business identifier of an account, within the tenant.
    BizId,
    /// The number of an account, within the installation.
    Number,
    /// The identifier of an account.
    AccountId,
    /// A person at another identity provider.
    Identity,
    /// The name of a tenant.
    TenantName,
    /// The business identifier of a tenant.
    TenantBizId,
    /// The identifier of an application.
    ClientId,
    /// An origin among those of one application.
    ApplicationOrigin,
    /// The nonce of an encrypted body, within its scope.
    Nonce,
}

impl Unique {
    /// Every member.
    pub const ALL: [Unique; 12] = [
        Unique::Email,
        Unique::Phone,
        Unique::Username,
        Unique::BizId,
        Unique::Number,
        Unique::AccountId,
        Unique::Identity,
        Unique::TenantName,
        Unique::TenantBizId,
        Unique::ClientId,
        Unique::ApplicationOrigin,
        Unique::Nonce,
    ];

    /// The name on the command line; for the unique keys of accounts also the name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Unique::Email => "email",
            Unique::Phone => "phone",
            Unique::Username => "username",
            Unique::BizId | Unique::TenantBizId => "biz_id",
            Unique::Number => "number",
            Unique::AccountId => "id",
            Unique::Identity => "identity",
            Unique::TenantName => "name",
            Unique::ClientId => "client id",
            Unique::ApplicationOrigin => "origin",
            Unique::Nonce => "nonce",
        }
    }
}

impl fmt::Display for Unique {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

//! The rules that an access token must follow, by the names that the log, the metric and `selfsame token explain` use.

use std::fmt;

use strum::VariantArray;

/// A rule that a token must follow, in the order in which the rules are checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Rule {
    /// At most `server.max_token_bytes` long.
    Length,
    /// A JWT in compact form (RFC 7515 §7.1).
    Form,
    /// A header that names an algorithm, and neither a key nor an extension.
    Header,
    /// Issued by this installation or by a trusted issuer.
    Issuer,
    /// Of a type of access tokens.
    Type,
    /// Signed with an accepted algorithm.
    Algorithm,
    /// Signed with a key of the issuer.
    Key,
    /// Not altered since.
    Signature,
    /// With claims of the right types.
    Claims,
    /// An access token and not an ID token.
    Kind,
    /// For an accepted audience.
    Audience,
    /// Valid at this time.
    Time,
    /// About an account that exists, or may be created.
    Account,
    /// For an account of the tenant that the issuer is trusted for.
    Tenant,
    /// Not revoked.
    Revocation,
    /// Issued to an application that exists.
    Application,
}

impl Rule {
    /// The rules that a token fulfils or breaks by itself; the others depend on the database.
    pub const OF_THE_TOKEN: &'static [Rule] = Rule::VARIANTS.split_at(12).0;

    /// Returns the rule's name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A rule that a token breaks, and how. The explanation may contain claims: it is for the operator who asks about a token
/// (`selfsame token explain`), and neither for a log nor for a client.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// What is wrong, for people.
    pub why: String,
}

impl Refusal {
    pub(super) fn new(rule: Rule, why: impl fmt::Display) -> Refusal {
        Refusal { rule, why: why.to_string() }
    }
}

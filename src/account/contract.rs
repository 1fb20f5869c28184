use std::str::FromStr;

use strum::IntoStaticStr;

use super::among;

/// The contracts that selfsame implements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Contract {
    /// The System portal's `/web/v1/system/profile`.
    System,
    /// CL2C's `/v1/cl2c/user`.
    Cl2c,
    /// RiverGen's `/api/v1/auth/me`.
    RiverGen,
    /// CIAM's `/userinfo`.
    Ciam,
}

impl Contract {
    /// Every contract.
    pub const ALL: [Contract; 4] = [Contract::System, Contract::Cl2c, Contract::RiverGen, Contract::Ciam];
    /// Every contract that tokens of the embedded issuer give access to.
    pub const WITH_TOKENS: [Contract; 2] = [Contract::System, Contract::RiverGen];
    /// Every contract that tokens of a trusted issuer can give access to.
    pub const WITH_BEARERS: [Contract; 3] = [Contract::System, Contract::RiverGen, Contract::Ciam];

    /// The name in audiences, histories and logs.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Checks whether its requests may carry a client hash, which binds their session.
    pub fn binds_clients(self) -> bool {
        self == Contract::System
    }
}

impl FromStr for Contract {
    type Err = String;

    fn from_str(text: &str) -> Result<Contract, String> {
        among(&Contract::WITH_BEARERS, text)
    }
}

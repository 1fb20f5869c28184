//! The wires: one folder a contract, each with its routes, its bodies, and its words for every error.

pub mod body;
mod endpoint;
pub mod system;
mod voice;

use std::str::FromStr;

pub use endpoint::endpoint;
pub use voice::{Asked, Voice, language, speak, speak_unbounded};

/// The contracts that selfsame speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contract {
    /// The System portal's `/web/v1/system/profile`.
    System,
    /// RiverGen's `/api/v1/auth/me`.
    RiverGen,
}

impl Contract {
    /// Every contract that the embedded issuer's tokens can open.
    pub const ALL: [Contract; 2] = [Contract::System, Contract::RiverGen];

    /// The name in audiences, histories and logs.
    pub fn name(self) -> &'static str {
        match self {
            Contract::System => "system",
            Contract::RiverGen => "rivergen",
        }
    }
}

impl FromStr for Contract {
    type Err = String;

    fn from_str(text: &str) -> Result<Contract, String> {
        let named = Contract::ALL.into_iter().find(|contract| contract.name() == text);
        named.ok_or_else(|| format!("expected one of {}", Contract::ALL.map(Contract::name).join(", ")))
    }
}

/// Every contract's routes.
pub fn routes(app: &crate::app::App) -> axum::Router<crate::app::App> {
    axum::Router::new().merge(system::routes(app))
}

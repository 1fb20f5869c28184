//! The wires: one folder a contract, each with its routes, its bodies, and its words for every error.

pub mod body;
mod endpoint;
pub mod system;
mod voice;

pub use endpoint::endpoint;
pub use voice::{Asked, refuse, speak};

/// The contracts that selfsame speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contract {
    /// The System portal's `/web/v1/system/profile`.
    System,
    /// RiverGen's `/api/v1/auth/me`.
    RiverGen,
}

impl Contract {
    /// The name in audiences, histories and logs.
    pub fn name(self) -> &'static str {
        match self {
            Contract::System => "system",
            Contract::RiverGen => "rivergen",
        }
    }
}

/// Every contract's routes.
pub fn routes(app: &crate::app::App) -> axum::Router<crate::app::App> {
    axum::Router::new().merge(system::routes(app))
}

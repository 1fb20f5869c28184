//! The acts: what can be done with an account, one a file. They know neither HTTP nor SQL.

mod arrive;
mod create;
mod record;
mod update;

pub mod audit;

pub use arrive::arrive;
pub use create::create;
pub use update::{update, update_once};

//! The acts: what can be done with an account, one a file. They know neither HTTP nor SQL.

mod arrive;
mod create;
mod holder;
mod record;
mod schemas;
mod update;

pub mod audit;

pub use arrive::arrive;
pub use create::{create, create_proved};
pub use holder::{Owner, is_taken, owner_of};
pub use schemas::{Schemas, rules};
pub use update::{update, update_once, update_proved};

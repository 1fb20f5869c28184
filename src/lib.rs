//! selfsame: one account behind the profile contracts that apps already speak.
//!
//! The modules in reading order: what an account is ([`account`]), what can be done with it ([`profile`]), who is calling
//! ([`identity`]), where it is kept ([`store`]), how each contract says it ([`contract`]), and what holds it together.

pub mod config;
pub mod json;
pub mod language;

//! selfsame: one account behind the profile contracts that apps already speak.
//!
//! The modules in reading order: what an account is ([`account`]), what can be done with it ([`profile`]), what becomes of
//! a picture ([`picture`]), what proves an address ([`code`]), how messages leave ([`outbox`]), who is calling
//! ([`identity`]), how bodies are encrypted ([`secure_channel`], [`jose`]), where it is kept ([`store`]), how it moves in and out
//! ([`transfer`]), how each contract says it ([`contract`]), and what holds it together ([`app`], [`limit`], [`serve`],
//! [`telemetry`], [`cli`]).

// These macros panic when the reader has gone; `cli/output.rs` prints.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod account;
pub mod app;
pub mod cli;
pub mod clock;
pub mod code;
pub mod config;
pub mod contract;
pub mod folder;
pub mod headers;
pub mod http;
pub mod identity;
pub mod jose;
pub mod json;
pub mod keys;
pub mod language;
pub mod limit;
pub mod outbox;
pub mod picture;
pub mod profile;
pub mod secure_channel;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod transfer;

//! selfsame: one account behind the profile contracts that apps already use.
//!
//! The modules in reading order: the account ([`account`]), operations on it ([`profile`]), pictures ([`picture`]),
//! one-time codes that prove addresses ([`code`]), sending messages ([`outbox`]), authentication of callers ([`identity`]),
//! encryption of bodies ([`secure_channel`], [`jose`]), storage ([`store`]), import and export ([`transfer`]), the
//! contracts ([`contract`]), and the server and the command line around them ([`app`], [`limit`], [`serve`], [`telemetry`],
//! [`cli`]).

// These macros panic when the reader of the output is gone; `cli/output.rs` prints instead.
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

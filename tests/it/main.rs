//! The integration tests: one program, so that one PostgreSQL cluster serves all of them and only one file is linked.

#![allow(clippy::unwrap_used, reason = "a test that panics is a test that fails, with the line that says where")]

#[macro_use]
mod support;

mod ciam;
mod cl2c;
mod cli;
mod codes;
mod crash;
mod dev;
mod durability;
mod edge;
mod issuers;
mod lenses;
mod may_send;
mod messages;
mod migrations;
mod one_account;
mod openapi;
mod operations;
mod phone_numbers;
mod pictures;
mod races;
mod readme;
mod refusals;
mod rivergen;
mod secrecy;
mod spa;
mod store;
mod support_works;
mod system;
mod tidy;
mod transfer;
mod unreadable;

//! OpenAPI 3.1 documents of the contracts, built from the code that serves them.
//!
//! Paths, parameters and schemas come from annotations on the handlers and bodies themselves. Error responses come from the
//! contract's own error renderer: each error that an operation can end in is rendered, and the result is the documented
//! status, headers and example. A contract joins with a line in `contract::DOCUMENTS` and an `openapi.rs` beside its routes;
//! CONTRIBUTING.md lists the steps.

mod answers;
mod description;
mod headers;
mod patterns;
mod specimen;

pub(super) use answers::example_of;
pub(super) use description::{Description, Operation, schema};
pub(super) use headers::{ACCEPT_LANGUAGE, request_header};
pub(super) use patterns::{HIDDEN, NO_NUL, SPACE, email_address};
pub(super) use specimen::{Ending, body_faults, change_faults, failures, person, tenant};

use super::DOCUMENTS;
use crate::account::Contract;

/// Returns the contracts that have a document.
pub fn documented() -> impl Iterator<Item = Contract> {
    DOCUMENTS.into_iter().map(|(contract, _)| contract)
}

/// Returns a contract's document as indented JSON, or `None` if it has none.
pub fn document(contract: Contract) -> Option<String> {
    let (_, draw) = DOCUMENTS.into_iter().find(|(documented, _)| *documented == contract)?;
    Some(serde_json::to_string_pretty(&draw()).expect("a tree is JSON"))
}

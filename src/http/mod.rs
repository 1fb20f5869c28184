//! What every contract's requests have in common: identifier and source, one order of reading a body, endpoints, and the
//! layer that turns an error into the contract's own answer. No contract is known here.

mod authenticated;
pub mod body;
mod cors;
mod edge;
mod endpoint;
mod error_layer;
mod remainder;
mod request;
mod source;

pub use authenticated::{Access, Authenticated};
pub use cors::allow as allow_origin;
pub use edge::pass;
pub(crate) use endpoint::annotated;
pub use endpoint::endpoint;
pub use error_layer::{ErrorContext, ErrorRenderer, language, status_of, with_error_layer, with_error_layer_only};
pub(crate) use error_layer::{render_and_log, rendered};
pub use request::{Peer, RequestId, Source, change_context, count_source, count_source_of};

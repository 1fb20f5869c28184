//! What the requests of every contract share: identifier and source, one order of reading a body, endpoints, and the layer
//! that renders an error as the contract's response. This module knows no contract.

mod authenticated;
pub mod body;
pub mod caching;
mod cors;
mod edge;
mod endpoint;
mod error_layer;
mod host;
mod in_flight;
mod remainder;
mod request;
mod source;

pub use authenticated::{Access, Authenticated};
pub use cors::allow as allow_origin;
pub use edge::pass;
pub(crate) use endpoint::annotated;
pub use endpoint::endpoint;
pub use error_layer::{
    ErrorContext, ErrorRenderer, language, retry_after, status_of, with_error_layer, with_error_layer_only,
};
pub(crate) use error_layer::{RequestContext, render_and_log, rendered};
pub use host::{Host, HostPort, names_one_host};
pub use in_flight::{caller_is_known, with_limits_in_flight};
pub use request::{
    HealthOnly, KeepOpen, Peer, Public, RequestId, Source, change_context, count_early, count_source, count_source_of,
};

//! Accepted and refused texts: a corpus in the manner of JSONTestSuite, properties, and the limits.

mod accepted;
mod limits;
mod properties;
mod refused;
mod selected;

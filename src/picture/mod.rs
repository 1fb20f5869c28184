//! Pictures: what a client sent is read ([`read`]), decoded, turned upright and made small ([`prepare`]), and kept in an
//! object store ([`upload`]) from which anybody may fetch it by a name that nobody can guess.
//!
//! A picture is stored before the change that it belongs to. What never came to a change, and what was replaced long ago,
//! is deleted by [`sweep`].

mod jpeg;
mod kind;
mod objects;
mod pool;
mod render;
mod sent;
mod shrink;
mod sweep;
mod upload;
mod webp;

pub use kind::{is_name, media_type};
pub use objects::{Kept, Objects, ObjectsError};
pub use pool::{Pool, Prepared, prepare};
pub use sent::{Data, Sent, read};
pub use sweep::sweep;
pub use upload::{address, discard, shown, upload};

/// The most bytes that an uploaded picture may have after base64 is undone.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The longest side of a picture that is kept, in pixels.
pub const MAX_SIDE: u32 = 512;

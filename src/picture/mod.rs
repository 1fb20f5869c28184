//! Pictures: the text of a client is parsed ([`read`]), decoded, shrunk, converted to sRGB and turned upright
//! ([`Pictures::prepare`]), and stored ([`Pictures::upload`]) under a random name, by which anyone may fetch it while an account
//! shows it.
//!
//! A picture is stored before the change that it belongs to. Pictures whose change never happened, and those replaced
//! long ago, are deleted by [`Pictures::sweep`].

mod colour;
mod data_uri;
mod encode;
mod frames;
mod gif;
mod input;
mod jpeg;
mod jpeg_end;
mod kind;
mod objects;
mod png;
mod pool;
mod render;
mod shrink;
mod sweep;
mod upload;
mod webp;

pub use kind::media_type;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Error;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::Store;
use objects::Objects;
use pool::Pool;

pub use data_uri::Data;
pub use input::{PictureInput, check, read};
pub use objects::{Kept, ObjectsError};
pub use pool::Prepared;
pub use upload::{address, shown};

/// The most bytes of an uploaded picture, after base64 decoding.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The longest side of a stored picture, in pixels.
pub const MAX_SIDE: u32 = 512;

/// The most bytes of a stored picture.
pub const MAX_STORED_BYTES: usize = 256 * 1024;

/// All operations on pictures; clones share everything.
#[derive(Clone)]
pub struct Pictures {
    store: Store,
    clock: Clock,
    decoder: Arc<Pool>,
    objects: Arc<Objects>,
    /// How long an upload waits for its change before it is deleted.
    pending_for: Duration,
    /// How long a replaced picture is kept.
    kept_for: Duration,
}

impl Pictures {
    /// Creates the configured store and decoder; nothing is read or written yet.
    pub fn new(store: Store, clock: Clock, config: &Config) -> Result<Pictures, ObjectsError> {
        let settings = &config.pictures;
        Ok(Pictures {
            store,
            clock,
            decoder: Arc::new(Pool::new(settings.workers)),
            objects: Arc::new(Objects::new(config)?),
            pending_for: settings.pending_for,
            kept_for: settings.kept_for,
        })
    }

    /// Decodes a picture, checks it, shrinks it, converts it to sRGB, turns it upright and encodes it again. Nothing is stored yet.
    ///
    /// [`Error::PictureUnusable`] if the bytes are no picture of a known kind, do not decode, or have too many pixels;
    /// [`Error::Unavailable`] if too many pictures wait.
    pub async fn prepare(&self, data: &Data<'_>) -> Result<Prepared, Error> {
        self.decoder.prepare(data).await
    }

    /// Returns the stored picture with this name, whether an account shows it or not.
    pub async fn get(&self, name: &str) -> Result<Option<Kept>, Error> {
        self.objects.get(name).await
    }

    /// Checks whether an account shows the picture with this name. One that was removed or replaced is kept so that the change
    /// can be undone, and nothing else may show it.
    pub async fn is_shown(&self, name: &str) -> Result<bool, Error> {
        self.store.is_shown_picture(name).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

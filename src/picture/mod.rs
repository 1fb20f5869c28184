//! Pictures: what a client sent is read ([`read`]), decoded, turned upright and made small ([`Pictures::prepare`]), and
//! stored ([`Pictures::upload`]) under a random name, by which anybody may fetch it.
//!
//! A picture is stored before the change that it belongs to. What never came to a change, and what was replaced long ago,
//! is deleted by [`Pictures::sweep`].

mod input;
mod jpeg;
mod kind;
mod objects;
mod pool;
mod render;
mod shrink;
mod sweep;
mod upload;
mod webp;

pub use kind::{is_name, media_type};
use std::sync::Arc;
use std::time::Duration;

use crate::account::Error;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::Store;
use objects::Objects;
use pool::Pool;

pub use input::{Data, PictureInput, read};
pub use objects::{Kept, ObjectsError};
pub use pool::Prepared;
pub use upload::{address, shown};

/// The most bytes that an uploaded picture may have after base64 is undone.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The longest side of a picture that is kept, in pixels.
pub const MAX_SIDE: u32 = 512;

/// Everything that happens to pictures; clones share it.
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
    /// As the configuration says; nothing is read or written yet.
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

    /// Decodes a picture, checks it, turns it upright, makes it small and writes it anew. Nothing is stored yet.
    ///
    /// [`Error::PictureUnusable`] when the bytes are not what they claim to be, do not decode, or have too many pixels;
    /// [`Error::Unavailable`] when too many pictures wait.
    pub async fn prepare(&self, data: &Data<'_>) -> Result<Prepared, Error> {
        self.decoder.prepare(data).await
    }

    /// The stored picture with this name.
    pub async fn get(&self, name: &str) -> Result<Option<Kept>, Error> {
        self.objects.get(name).await
    }

    /// Whether a picture with this name is stored.
    pub async fn has(&self, name: &str) -> Result<bool, Error> {
        self.objects.has(name).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests;

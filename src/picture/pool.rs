//! The threads that decode pictures: bounds their number, the waiting pictures, and the memory that decoding takes.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::data_uri::{self, Data};
use super::kind::Ending;
use super::render::{MAX_MEMORY, MEBIBYTE, Unusable, render};
use crate::account::{Cause, Error, Upload};

/// Pictures that may wait for a thread: more would wait longer than their client does.
const MAX_WAITING: usize = 16;

/// The limits of decoding.
pub(super) struct Pool {
    places: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    /// In mebibytes, for all threads together.
    memory: Arc<Semaphore>,
}

/// A picture that is ready to be stored.
pub struct Prepared {
    sha256: String,
    bytes: u32,
    pub(super) ending: Ending,
    pub(super) file: Bytes,
}

impl Prepared {
    /// The bytes that it takes in the store.
    pub fn stored_bytes(&self) -> usize {
        self.file.len()
    }

    /// What was uploaded.
    pub fn upload(&self) -> Upload<'_> {
        Upload { sha256: &self.sha256, bytes: self.bytes }
    }
}

impl Pool {
    /// Creates a pool that decodes at most `workers` pictures at once.
    pub(super) fn new(workers: usize) -> Pool {
        let memory = usize::try_from(MAX_MEMORY / MEBIBYTE).unwrap_or(usize::MAX);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Pool { places: semaphore(workers + MAX_WAITING), threads: semaphore(workers), memory: semaphore(memory) }
    }

    /// See [`Pictures::prepare`](super::Pictures::prepare).
    pub(super) async fn prepare(&self, data: &Data<'_>) -> Result<Prepared, Error> {
        let full = || Error::Unavailable(Cause::new("too many pictures wait to be decoded"));
        let place = self.places.clone().try_acquire_owned().map_err(|_| full())?;
        let thread = self.threads.clone().acquire_owned().await.map_err(|_| full())?;
        let (memory, handle) = (self.memory.clone(), Handle::current());
        let text = data.text().to_owned();
        let decode = move || {
            // Held to the end even if the client disconnects: a thread that has started cannot be stopped.
            let _held = (place, thread);
            decode(text, |bytes| {
                let mebibytes = u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX);
                handle.block_on(memory.acquire_many_owned(mebibytes))
            })
        };
        match tokio::task::spawn_blocking(decode).await {
            Ok(Ok(prepared)) => Ok(prepared),
            Ok(Err(Unusable(reason))) => {
                tracing::debug!(reason, "a picture cannot be used");
                Err(Error::PictureUnusable)
            }
            Err(failed) if failed.is_panic() => {
                tracing::warn!("picture decoder panicked; picture refused");
                Err(Error::PictureUnusable)
            }
            Err(stopped) => Err(Error::Unavailable(Cause::new(stopped))),
        }
    }
}

fn decode<Held>(text: String, reserve: impl FnOnce(u64) -> Held) -> Result<Prepared, Unusable> {
    let bytes = data_uri::decode(&text)?;
    drop(text);
    let sha256 = HEXLOWER.encode(digest(&SHA256, &bytes).as_ref());
    let (ending, file) = render(&bytes, reserve)?;
    let bytes = u32::try_from(bytes.len()).map_err(Unusable::because)?;
    Ok(Prepared { sha256, bytes, ending, file: file.into() })
}

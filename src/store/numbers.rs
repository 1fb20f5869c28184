//! Account numbers that an instance of a distributed installation draws in advance, so that not every new account waits for
//! the one row that counts them.

use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::Store;
use super::value::always;
use crate::account::Error;

/// How many numbers are drawn at once. Those that are left when the process ends are never used.
const BLOCK: i64 = 100;

/// The numbers that are drawn and not used yet; clones share them.
#[derive(Clone, Default)]
pub(super) struct Numbers(Arc<Mutex<Option<RangeInclusive<i64>>>>);

impl Numbers {
    /// Returns a number that no other instance has drawn.
    pub(super) async fn next(&self, store: &Store) -> Result<i64, Error> {
        // Held while a block is drawn, so that concurrent callers share it.
        let mut block = self.0.lock().await;
        if let Some(number) = block.as_mut().and_then(Iterator::next) {
            return Ok(number);
        }
        let last = store.draw_account_numbers(BLOCK).await?;
        always(block.insert(last - BLOCK + 1..=last).next())
    }

    /// Drops the rest of the block: an account that was imported has one of its numbers, and probably others do.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

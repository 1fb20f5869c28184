//! Connections that requests share: a statement is sent without waiting for the answers to those before it (pipelining), so that
//! few connections serve many requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::ClientWrapper;

use super::connect::Connector;
use crate::account::{Cause, Error};

/// Some connections, used in turn. Each is opened when it is first used, and again after it broke.
pub(super) struct Shared {
    connector: Connector,
    slots: Vec<Slot>,
    next: AtomicUsize,
    patience: Duration,
}

/// The place of one connection.
#[derive(Default)]
struct Slot {
    connection: Mutex<Option<Arc<ClientWrapper>>>,
    /// Held while a connection is opened, so that one is opened and not one for each request that waits for it.
    opening: tokio::sync::Mutex<()>,
}

impl Shared {
    /// Shares `count` connections. A request waits at most `patience` for one.
    pub(super) fn new(connector: Connector, count: usize, patience: Duration) -> Shared {
        let slots = (0..count).map(|_| Slot::default()).collect();
        Shared { connector, slots, next: AtomicUsize::new(0), patience }
    }

    /// Returns the next connection in turn. Fails with [`Error::Unavailable`] when it cannot be opened.
    pub(super) async fn get(&self) -> Result<Arc<ClientWrapper>, Error> {
        let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()];
        match slot.open() {
            Some(connection) => Ok(connection),
            None => tokio::time::timeout(self.patience, slot.opened(&self.connector))
                .await
                .unwrap_or_else(|_| Err(Error::Unavailable(Cause::new("no database connection was opened in time")))),
        }
    }

    /// Gives up a connection on which the server did not answer in time. Requests that wait for it wait on.
    pub(super) fn discard(&self, connection: &Arc<ClientWrapper>) {
        for slot in &self.slots {
            slot.lock().take_if(|current| Arc::ptr_eq(current, connection));
        }
    }
}

impl Slot {
    fn open(&self) -> Option<Arc<ClientWrapper>> {
        self.lock().as_ref().filter(|connection| !connection.is_closed()).cloned()
    }

    async fn opened(&self, connector: &Connector) -> Result<Arc<ClientWrapper>, Error> {
        let _opening = self.opening.lock().await;
        if let Some(connection) = self.open() {
            return Ok(connection);
        }
        let connection = Arc::new(connector.connect().await?);
        *self.lock() = Some(connection.clone());
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<ClientWrapper>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

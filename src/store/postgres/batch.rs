//! Commits of many accounts' changes in one statement: while one batch is synced to disk, the next one gathers.
//!
//! A batch has at most one change of an account, in the order of the accounts, so that two batches never wait for each other. The
//! version of each account is checked in the statement.

use std::collections::HashSet;
use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use super::connect::Connector;
use super::error::{concerns_one_change, error, is_locked};
use super::{Connections, rows};
use crate::account::{AccountId, Cause, Error};
use crate::config;
use crate::store::statement::{Part, Statement, parts, statement};
use crate::store::tables::{ACCOUNT, CHANNEL_NONCE, HISTORY, NOTICE};
use crate::store::value::{Parameter, computed};
use crate::store::{Commit, Effect, MakeUpdate, Update, record, secure_channel};
use crate::telemetry;

/// Batches that are committed at the same time: one is synced to disk while the server writes the next.
pub(super) const WRITERS: usize = 2;

/// First list of the values of [`record::entry_values`], after those of [`record::account_values`].
const ENTRY: usize = ACCOUNT.table().width() + 1;
/// First list of the values of [`secure_channel::nonce_values`].
const NONCE: usize = ENTRY + HISTORY.table().width();
/// First list of the values of a notice.
const QUEUED: usize = NONCE + CHANNEL_NONCE.table().width();

/// Begins the statement: every list has one value for each change.
const CHANGE: Part = Part::All(parts![
    "WITH changed AS (UPDATE account SET ",
    { Part::AssignmentsFrom(ACCOUNT.table(), "new.account_") },
    " FROM unnest(",
    { Part::Lists(ACCOUNT.table(), 1) },
    ", ",
    { Part::Lists(HISTORY.table(), ENTRY) },
]);
const ALIASES: Part = Part::All(parts![") AS new(", { Part::Prefixed(ACCOUNT.table(), "account_") }, ", ", {
    Part::Prefixed(HISTORY.table(), "history_")
},]);
const RETURNED: Part = Part::All(parts![
    ") WHERE account.id = new.account_id AND account.version + 1 = new.account_version RETURNING ",
    { Part::Prefixed(HISTORY.table(), "new.history_") },
]);
const RECORDED: Part = Part::All(parts![
    "), recorded AS (INSERT INTO history (",
    { Part::Names(HISTORY.table()) },
    ") SELECT ",
    { Part::Prefixed(HISTORY.table(), "history_") },
    " FROM changed)",
]);
/// Writes accounts and history entries, and returns the accounts that were changed: those that are no longer at the version that
/// their update was made from are not.
const COMMIT: Statement =
    statement!({ CHANGE }, { ALIASES }, { RETURNED }, { RECORDED }, " SELECT history_account_id FROM changed");
/// Does the same as [`COMMIT`], uses up the nonces of encrypted bodies and counts their messages, and queues notices.
const COMMIT_MORE: Statement = statement!(
    { CHANGE },
    ", ",
    { Part::Lists(CHANNEL_NONCE.table(), NONCE) },
    ", ",
    { Part::Lists(NOTICE.table(), QUEUED) },
    { ALIASES },
    ", ",
    { Part::Prefixed(CHANNEL_NONCE.table(), "nonce_") },
    ", ",
    { Part::Prefixed(NOTICE.table(), "notice_") },
    { RETURNED },
    ", ",
    { Part::Prefixed(CHANNEL_NONCE.table(), "new.nonce_") },
    ", ",
    { Part::Prefixed(NOTICE.table(), "new.notice_") },
    { RECORDED },
    ", used AS (INSERT INTO channel_nonce (",
    { Part::Names(CHANNEL_NONCE.table()) },
    ") SELECT ",
    { Part::Prefixed(CHANNEL_NONCE.table(), "nonce_") },
    " FROM changed WHERE nonce_scope IS NOT NULL), counted AS (UPDATE channel_session s SET messages = s.messages + 1 \
     FROM changed WHERE s.id = changed.nonce_scope), queued AS (INSERT INTO notice (",
    { Part::Names(NOTICE.table()) },
    ") SELECT ",
    { Part::Prefixed(NOTICE.table(), "notice_") },
    " FROM changed WHERE notice_id IS NOT NULL) SELECT history_account_id FROM changed"
);

/// The statements that only PostgreSQL has.
pub(super) const ALL: &[Statement] = &[COMMIT, COMMIT_MORE];

/// Sends changes to the writers; clones share them. They end with the last clone.
#[derive(Clone)]
pub(super) struct Batches {
    queue: mpsc::Sender<Waiting>,
}

/// A change that waits to be committed.
struct Waiting {
    update: Update,
    make_update: MakeUpdate,
    answer: oneshot::Sender<Result<Commit, Error>>,
}

/// Checks whether a change can be committed with others: one that has no effect but a nonce and one notice. Unique keys are
/// claimed alone, since a violated constraint would undo the whole batch.
pub(super) fn takes(update: &Update) -> bool {
    let is_notice = matches!(update.effects.as_slice(), [] | [Effect::Notify { .. }]);
    update.release.is_empty() && update.claim.is_empty() && is_notice
}

impl Batches {
    /// Starts the writers. At most `database.queue` changes wait, and at most `database.group` are in one batch.
    pub(super) fn start(
        connections: &Arc<Connections>,
        connectors: [Connector; WRITERS],
        settings: &config::Database,
    ) -> Batches {
        let (queue, receiver) = mpsc::channel(settings.queue);
        let gathering = Arc::new(Mutex::new(Gathering { receiver, next: None, most: settings.group }));
        for connector in connectors {
            let writer = Writer { connections: connections.clone(), connector, connection: Mutex::default() };
            tokio::spawn(write(Arc::new(writer), gathering.clone()));
        }
        Batches { queue }
    }

    /// Commits a change with those that wait. Fails with [`Error::Unavailable`] at once when too many do. An accepted change is
    /// committed even if the caller goes away.
    pub(super) async fn commit(&self, update: Update, make_update: MakeUpdate) -> Result<Commit, Error> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { update, make_update, answer };
        self.queue.try_send(waiting).map_err(|_| Error::Unavailable(Cause::new("the queue of changes is full")))?;
        answered.await.unwrap_or_else(|_| Err(Error::Unavailable(Cause::new("the writer gave up this change"))))
    }
}

/// Where changes wait.
struct Gathering {
    receiver: mpsc::Receiver<Waiting>,
    /// The first change of the next batch, if it was taken already.
    next: Option<Waiting>,
    most: usize,
}

impl Gathering {
    /// Waits for a change, and returns all that wait, up to the limit and to the second change of one account; `None` at the
    /// end.
    async fn batch(&mut self) -> Option<Vec<Waiting>> {
        let first = match self.next.take() {
            Some(next) => next,
            None => self.receiver.recv().await?,
        };
        let mut accounts = HashSet::from([first.update.account.id]);
        let mut batch = vec![first];
        while batch.len() < self.most {
            let Ok(next) = self.receiver.try_recv() else { break };
            if !accounts.insert(next.update.account.id) {
                self.next = Some(next);
                break;
            }
            batch.push(next);
        }
        batch.sort_unstable_by_key(|waiting| waiting.update.account.id);
        Some(batch)
    }
}

async fn write(writer: Arc<Writer>, gathering: Arc<Mutex<Gathering>>) {
    loop {
        let Some(batch) = gathering.lock().await.batch().await else { return };
        let writer = writer.clone();
        // A panic ends the batch and not the writer: the dropped channels answer the callers.
        let _ = tokio::spawn(async move { writer.commit(batch).await }).await;
    }
}

/// Commits batches, one after the other.
struct Writer {
    connections: Arc<Connections>,
    connector: Connector,
    /// Opened when it is first used, and again after it broke.
    connection: Mutex<Option<ClientWrapper>>,
}

/// Why a change was not committed with its batch.
enum Outcome {
    /// The account is no longer at the version that the update was made from.
    Outdated,
    /// The batch was undone because of one of its changes.
    Undone,
}

/// Why a batch was not committed.
enum Failed {
    /// One of its changes cannot be made as it is; nothing was written. `is_locked`: another transaction has locked a row.
    OneChange {
        error: Error,
        is_locked: bool,
    },
    All(Error),
}

impl Writer {
    async fn commit(&self, batch: Vec<Waiting>) {
        telemetry::batch(batch.len());
        match self.try_commit(&batch).await {
            Ok(changed) => {
                for waiting in batch {
                    if changed.contains(&waiting.update.account.id) {
                        drop(waiting.answer.send(Ok(waiting.update.into())));
                    } else {
                        self.commit_alone(waiting, Outcome::Outdated);
                    }
                }
            }
            // Alone, a change waits longer for a lock.
            Err(Failed::OneChange { is_locked, .. }) if is_locked || batch.len() > 1 => {
                batch.into_iter().for_each(|waiting| self.commit_alone(waiting, Outcome::Undone));
            }
            Err(Failed::OneChange { error, .. } | Failed::All(error)) => {
                batch.into_iter().for_each(|waiting| drop(waiting.answer.send(Err(error.clone()))));
            }
        }
    }

    /// Commits a change alone.
    fn commit_alone(&self, Waiting { update, make_update, answer }: Waiting, outcome: Outcome) {
        let connections = self.connections.clone();
        tokio::spawn(async move {
            let committed = match outcome {
                Outcome::Outdated => connections.commit_locked(update.account, make_update).await,
                Outcome::Undone => connections.commit(update, make_update).await,
            };
            // The caller may be gone; the change is made anyway.
            let _ = answer.send(committed);
        });
    }

    /// Returns the accounts that were changed.
    async fn try_commit(&self, batch: &[Waiting]) -> Result<HashSet<AccountId>, Failed> {
        let mut connection = self.connection.lock().await;
        let open = match connection.take().filter(|connection| !connection.is_closed()) {
            Some(open) => open,
            None => self.connector.connect().await.map_err(Failed::All)?,
        };
        let (statement, bound) = committing(batch);
        let answered = tokio::time::timeout(self.connections.patience, rows(&open, statement, &bound)).await;
        // A connection that did not respond in time is dropped: whether the batch was committed is unknown.
        let answered = answered.map_err(|elapsed| Failed::All(Error::Unavailable(Cause::new(elapsed))))?;
        *connection = Some(open);
        let changed = answered.map_err(|cause| {
            let (concerns_one, is_locked) = (concerns_one_change(&cause), is_locked(&cause));
            let error = error(cause);
            if concerns_one { Failed::OneChange { error, is_locked } } else { Failed::All(error) }
        })?;
        changed.iter().map(|row| computed::<Uuid>(row, 0).map(AccountId)).collect::<Result<_, _>>().map_err(Failed::All)
    }
}

/// Returns the statement that commits a batch.
fn committing(batch: &[Waiting]) -> (Statement, Vec<Parameter>) {
    let has_more = batch.iter().any(|waiting| waiting.update.nonce.is_some() || !waiting.update.effects.is_empty());
    let width = if has_more { QUEUED + NOTICE.table().width() } else { NONCE } - 1;
    let mut lists: Vec<Vec<Parameter>> = (0..width).map(|_| Vec::with_capacity(batch.len())).collect();
    for Waiting { update, .. } in batch {
        let mut values = record::account_values(&update.account);
        values.extend(record::entry_values(&update.entry));
        if has_more {
            match &update.nonce {
                Some(nonce) => values.extend(secure_channel::nonce_values(nonce)),
                None => values.resize(QUEUED - 1, Parameter::Null),
            }
            values.extend(update.effects.iter().flat_map(|effect| effect.query().parameters));
            values.resize(width, Parameter::Null);
        }
        for (list, value) in lists.iter_mut().zip(values) {
            list.push(value);
        }
    }
    (if has_more { COMMIT_MORE } else { COMMIT }, lists.into_iter().map(Parameter::List).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::account::history::{Entry, Metadata};
    use crate::account::{Account, Digest, Portal, Tenant, TenantId};

    /// A change of an account.
    fn waiting(id: u128) -> Waiting {
        let at = Timestamp::UNIX_EPOCH;
        let tenant = Tenant::new(TenantId(Uuid::nil()), 1, "tenant".to_owned(), None, Portal::System, at);
        let account = Account::new(AccountId(Uuid::from_u128(id)), 1, None, &tenant, at);
        let [actor, contract, request_id] = [const { String::new() }; 3];
        let metadata = Metadata { account_id: account.id, sequence: 1, at, actor, contract, request_id };
        let entry = Entry { metadata, commitment: Digest::START, link: Digest::START, sealed: None };
        let update =
            Update { account, entry, release: Vec::new(), claim: Vec::new(), nonce: None, effects: Vec::new() };
        Waiting { update, make_update: Arc::new(|_| Ok(None)), answer: oneshot::channel().0 }
    }

    /// Queues changes of these accounts, in this order; returns the batches that are gathered from them.
    async fn batches(most: usize, accounts: &[u128]) -> Vec<Vec<u128>> {
        let (queue, receiver) = mpsc::channel(accounts.len());
        for account in accounts {
            assert!(queue.try_send(waiting(*account)).is_ok());
        }
        drop(queue);
        let mut gathering = Gathering { receiver, next: None, most };
        let mut batches = Vec::new();
        while let Some(batch) = gathering.batch().await {
            batches.push(batch.iter().map(|waiting| waiting.update.account.id.0.as_u128()).collect());
        }
        batches
    }

    #[tokio::test]
    async fn a_batch_has_one_change_of_each_account_in_the_order_of_the_accounts() {
        assert_eq!(batches(10, &[3, 1, 2, 1, 3, 3]).await, [vec![1, 2, 3], vec![1, 3], vec![3]]);
        assert_eq!(batches(2, &[4, 3, 2, 1]).await, [vec![3, 4], vec![1, 2]]);
    }
}

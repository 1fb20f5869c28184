//! The one writer: a thread that takes all waiting work, runs each piece in its own savepoint, and commits them together.
//! While one group is synced to disk the next one gathers, so no timer is needed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error;
use crate::account::{Cause, Error};
use crate::telemetry;

/// Sends work to the writer's thread; clones share the thread, which ends with the last of them.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Work>,
}

/// Work that runs inside a savepoint.
type Work = Box<dyn FnOnce(&Connection) -> Done + Send>;

/// The outcome of a piece of work: whether to keep what it wrote, and how to answer its caller once the group's outcome is
/// known.
struct Done {
    keep: bool,
    tell: Box<dyn FnOnce(Result<(), Error>) + Send>,
}

impl Writer {
    /// Starts the thread. At most `queue` pieces of work wait, and at most `group` share a commit.
    pub(super) fn start(connection: Connection, queue: usize, group: usize) -> Writer {
        let (sender, receiver) = mpsc::channel(queue);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write(&connection, receiver, group))
            .expect("the system has room for one more thread at start");
        Writer { queue: sender }
    }

    /// Runs work in a transaction and returns when it is on disk. Returns [`Error::Unavailable`] at once when the queue is
    /// full. Accepted work is finished even if the caller goes away.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = work(connection);
            Done {
                keep: result.is_ok(),
                tell: Box::new(move |committed| {
                    // The caller may be gone; the work is done anyway.
                    let _ = answer.send(committed.and(result));
                }),
            }
        });
        self.queue.try_send(work).map_err(|_| Error::Unavailable(Cause::new("the writer's queue is full")))?;
        telemetry::queued();
        answered.await.unwrap_or_else(|_| Err(Error::Unavailable(Cause::new("the writer gave up this piece of work"))))
    }
}

fn write(connection: &Connection, mut queue: mpsc::Receiver<Work>, group: usize) {
    while let Some(first) = queue.blocking_recv() {
        let mut waiting = vec![first];
        while waiting.len() < group {
            let Ok(next) = queue.try_recv() else { break };
            waiting.push(next);
        }
        telemetry::group(waiting.len());
        commit_group(connection, waiting);
    }
}

fn commit_group(connection: &Connection, waiting: Vec<Work>) {
    // IMMEDIATE: a transaction that reads first and writes later would be refused at once when another process writes.
    if let Err(cause) = run(connection, "BEGIN IMMEDIATE") {
        // Dropping the work drops its callers' channels, which answers them.
        tracing::warn!(error = %cause, "transaction not started");
        return;
    }
    let mut done = Vec::with_capacity(waiting.len());
    for work in waiting {
        done.extend(in_savepoint(connection, work));
        // A full disk ends the whole transaction. The remaining work must not run: each piece would be committed separately.
        if connection.is_autocommit() {
            break;
        }
    }
    let committed = match connection.is_autocommit() {
        true => Err(Error::Unavailable(Cause::new("the database gave up the transaction"))),
        false => run(connection, "COMMIT").map_err(error),
    };
    if let Err(cause) = &committed {
        tracing::error!(error = %cause, "group commit failed");
        // After a failed commit SQLite may or may not have rolled back already.
        if !connection.is_autocommit() {
            let _ = run(connection, "ROLLBACK");
        }
    }
    for done in done {
        (done.tell)(committed.clone());
    }
}

/// Runs work in a savepoint. A panic ends neither the group nor the thread: the dropped channel answers the work's caller.
fn in_savepoint(connection: &Connection, work: Work) -> Option<Done> {
    run(connection, "SAVEPOINT work").ok()?;
    let done = catch_unwind(AssertUnwindSafe(|| work(connection))).ok();
    let is_kept = done.as_ref().is_some_and(|done| done.keep);
    let undone = if is_kept { Ok(()) } else { run(connection, "ROLLBACK TO work") };
    match undone.and_then(|()| run(connection, "RELEASE work")) {
        Ok(()) => done,
        Err(cause) => {
            tracing::error!(error = %cause, "savepoint not released");
            None
        }
    }
}

/// Runs a statement without parameters that is used again and again.
fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as blocking;

    use super::*;

    /// Maximum size of the database in pages: too small for a large value.
    const PAGES: u32 = 20;

    fn insert(connection: &Connection, bytes: i64) -> Result<(), Error> {
        connection.execute("INSERT INTO kept VALUES (zeroblob(?1))", [bytes]).map(drop).map_err(error)
    }

    /// Runs all pieces of work in one group; returns their results and how many rows were kept.
    fn run_as_one_group(sizes: &[i64]) -> (Vec<Result<(), Error>>, i64) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "max_page_count", PAGES).unwrap();
        connection.execute_batch("CREATE TABLE kept (value BLOB)").unwrap();
        let writer = Writer::start(connection, 16, 16);

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let results = runtime.block_on(async {
            let (began, beginning) = blocking::channel();
            let (go_on, going_on) = blocking::channel();
            let local = tokio::task::LocalSet::new();
            let held = local.spawn_local({
                let writer = writer.clone();
                async move {
                    let hold = move |_: &Connection| {
                        began.send(()).unwrap();
                        going_on.recv().map_err(|error| Error::Internal(Cause::new(error)))
                    };
                    writer.run(hold).await
                }
            });
            // One poll sends it; while it blocks the writer's thread, the others queue up.
            local.run_until(tokio::task::yield_now()).await;
            beginning.recv().unwrap();
            let works = sizes.iter().map(|size| {
                let (writer, size) = (writer.clone(), *size);
                local.spawn_local(async move { writer.run(move |connection| insert(connection, size)).await })
            });
            let works: Vec<_> = works.collect();
            local.run_until(tokio::task::yield_now()).await;
            go_on.send(()).unwrap();
            local.await;
            held.await.unwrap().unwrap();
            let mut results = Vec::new();
            for work in works {
                results.push(work.await.unwrap());
            }
            results
        });
        let kept = Connection::open(&file).unwrap().query_row("SELECT count(*) FROM kept", [], |row| row.get(0));
        (results, kept.unwrap())
    }

    #[test]
    fn all_work_that_shares_a_commit_is_acknowledged() {
        let (results, kept) = run_as_one_group(&[1, 2, 3]);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(kept, 3);
    }

    #[test]
    fn work_that_a_full_disk_loses_is_refused_as_unavailable() {
        let (results, kept) = run_as_one_group(&[1, 1_000_000, 1]);
        assert!(results.iter().all(|result| matches!(result, Err(Error::Unavailable(_)))), "{results:?}");
        assert_eq!(kept, 0);
    }
}

//! The log of the code under test: each test has its own, written by every thread of its runtime.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    /// The log of this thread's test.
    static CURRENT: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// The lines of one test, as JSON objects; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Lines,
    /// Shared by all threads, so that a span that several threads enter is known on each of them.
    subscriber: Arc<OnceLock<Dispatch>>,
}

/// The subscriber's writer.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what the calling thread logs from now on, at level info and above.
    pub(crate) fn collect_from_this_thread(&self) {
        let subscriber = self.subscriber.get_or_init(|| {
            tracing_subscriber::fmt()
                .json()
                .flatten_event(true)
                .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
                .with_writer(self.lines.clone())
                .finish()
                .into()
        });
        // Never reset: the thread runs only for this test.
        std::mem::forget(tracing::dispatcher::set_default(subscriber));
        CURRENT.set(Some(self.clone()));
    }

    /// The log of the running test.
    pub(crate) fn of_this_test() -> Log {
        CURRENT.with_borrow(|current| current.clone().expect("support::run collects the log of each test"))
    }

    /// Returns every line so far.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        let bytes = self.lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the lines of one level, such as `ERROR`.
    pub(crate) fn at(&self, level: &str) -> Vec<serde_json::Value> {
        self.lines().into_iter().filter(|line| line["level"] == level).collect()
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

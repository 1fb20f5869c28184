//! What the code under test logs: each test has a log of its own, filled by every thread of its runtime.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    /// The log of the test that this thread runs for.
    static CURRENT: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// The lines of one test, as JSON objects; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Lines,
    /// One for every thread: a span that is entered on several is known on each.
    subscriber: Arc<OnceLock<Dispatch>>,
}

/// Where the subscriber writes.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Sends what the calling thread logs from now on here, at level info and above.
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
        // For as long as the thread lives: it runs for this test alone.
        std::mem::forget(tracing::dispatcher::set_default(subscriber));
        CURRENT.set(Some(self.clone()));
    }

    /// The log of the running test.
    pub(crate) fn of_this_test() -> Log {
        CURRENT.with_borrow(|current| current.clone().expect("support::run collects the log of each test"))
    }

    /// Every line so far.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        let bytes = self.lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The lines of one level, such as `ERROR`.
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

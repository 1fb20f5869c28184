use std::sync::{Arc, OnceLock};

/// The URL at which clients reach this installation, without a slash at its end; clones share it.
///
/// It is configured, or derived from the address that the server listens on, which with port 0 is known only then.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    known: Arc<OnceLock<String>>,
    /// The URL if none is set before the first use.
    expected: Arc<str>,
}

impl PublicUrl {
    /// Creates a URL that is `expected` from its first use on, unless [`PublicUrl::set`] is called before.
    pub fn new(expected: String) -> PublicUrl {
        PublicUrl { known: Arc::default(), expected: expected.into() }
    }

    /// Sets the URL; only the first call has an effect, and only before the first use.
    pub fn set(&self, url: String) {
        let _ = self.known.set(url);
    }

    /// Returns the URL, which no longer changes.
    pub fn as_str(&self) -> &str {
        self.known.get_or_init(|| self.expected.to_string())
    }
}

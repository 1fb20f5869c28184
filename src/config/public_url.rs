use std::sync::{Arc, OnceLock};

/// Where clients reach this installation, without a slash at the end; clones share it.
///
/// It is configured, or follows from the address that the server listens on, which port 0 leaves open until it does.
#[derive(Clone, Debug)]
pub struct PublicUrl {
    known: Arc<OnceLock<String>>,
    /// What it is while nothing listens.
    expected: Arc<str>,
}

impl PublicUrl {
    /// `expected` counts from the first use on, unless [`PublicUrl::set`] comes before it.
    pub fn new(expected: String) -> PublicUrl {
        PublicUrl { known: Arc::default(), expected: expected.into() }
    }

    /// Says where the server really listens; only the first call counts, and only before the first use.
    pub fn set(&self, url: String) {
        let _ = self.known.set(url);
    }

    /// The URL.
    pub fn as_str(&self) -> &str {
        self.known.get_or_init(|| self.expected.to_string())
    }
}

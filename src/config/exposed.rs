//! Files with secrets that every user of the machine may read.

use std::{fmt, fs};

use super::{Config, Origin, secret::is_empty, settings::Settings};
use crate::folder;

/// A file with a secret that every user of the machine may read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExposedFile {
    /// The setting that names the file, or the first secret that is set in it.
    pub setting: String,
    /// Its path, as it was given.
    pub path: String,
    /// Its mode.
    pub mode: u32,
}

impl fmt::Display for ExposedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, path, mode } = self;
        write!(formatter, "{setting}: {path} is readable by others (mode {mode:o}); run `chmod o= {path}`")
    }
}

impl ExposedFile {
    /// Checks a file whose content may be needed elsewhere; one that cannot be examined is refused there.
    fn check(setting: &str, path: &str) -> Option<Self> {
        let mode = folder::open_to_all(&fs::metadata(path).ok()?)?;
        Some(Self { setting: setting.to_owned(), path: path.to_owned(), mode })
    }
}

/// Returns the configuration file if a secret is written in it and every user may read it.
pub(super) fn configuration_file(settings: &Settings) -> Option<ExposedFile> {
    settings.entries.iter().find_map(|(key, entry)| match &entry.origin {
        Origin::File { path, .. } if settings.is_secret(key) && !is_empty(&entry.value) => {
            ExposedFile::check(key, path)
        }
        _ => None,
    })
}

/// Returns the private key of TLS if every user may read it.
pub(super) fn tls_private_key(config: &Config) -> Option<ExposedFile> {
    let path = config.server.tls_private_key.as_ref()?.to_str()?;
    ExposedFile::check("server.tls_private_key", path)
}

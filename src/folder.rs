//! Folders that belong to the installation.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes a folder and its missing parents, readable by their owner alone (mode 0700); one that exists stays as it is.
pub fn make(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

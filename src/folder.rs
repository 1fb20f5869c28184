//! Folders that belong to the installation, and who may read its files.

use std::fs::{DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// Creates a folder and its missing parents, accessible to their owner only (mode 0700); an existing folder is left as it
/// is.
pub fn make(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Returns the mode of a file that every user of the machine may read or write, `None` for any other file. Its group may:
/// that is how a service manager hands a secret to a service.
pub fn open_to_all(file: &Metadata) -> Option<u32> {
    let mode = file.permissions().mode() & 0o777;
    (mode & 0o006 != 0).then_some(mode)
}

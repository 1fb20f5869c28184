//! The lock of the one server of a file. Two servers would each count requests, cache keys and sweep pictures as if they were
//! alone, and wait for each other's writes.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::create;
use crate::config::DatabaseUrl;
use crate::store::{OpenError, Store};

/// The most bytes of a lock file that are read.
const MAX_NAME: u64 = 300;

/// The right to serve a database, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct ServerLock {
    /// The locked file; `None` for a database that several servers can share.
    _file: Option<File>,
}

/// Which other servers may serve the same file at the same time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exclusion {
    /// None: for `serve`.
    All,
    /// Those with the same exclusion: concurrent starts of `dev` serve one demo.
    AllButDev,
}

impl Store {
    /// Locks the database for this server until the lock is dropped. [`OpenError::Served`] if a server that is excluded has the
    /// lock of an SQLite file; any number of servers can share PostgreSQL. Commands need no lock.
    pub fn lock_for_serving(url: &DatabaseUrl, exclusion: Exclusion) -> Result<ServerLock, OpenError> {
        match url {
            DatabaseUrl::Sqlite(path) => ServerLock::take(path, exclusion),
            DatabaseUrl::Postgres(_) => Ok(ServerLock { _file: None }),
        }
    }
}

impl ServerLock {
    /// Takes the lock of a database file, which is created if it is missing.
    fn take(path: &Path, exclusion: Exclusion) -> Result<ServerLock, OpenError> {
        let place = || path.display().to_string();
        let unusable = |error: std::io::Error| OpenError::Unusable(place(), error.into());
        create(path).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(lock_file(path).map_err(unusable)?)
            .map_err(unusable)?;
        let locked = match exclusion {
            Exclusion::All => file.try_lock(),
            Exclusion::AllButDev => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Served(place(), name_in(&file))),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        file.set_len(0).and_then(|()| file.write_all(this_process().as_bytes())).map_err(unusable)?;
        Ok(ServerLock { _file: Some(file) })
    }
}

/// Returns the lock file of a database: beside the file itself, so that every link to it leads to the same lock.
fn lock_file(path: &Path) -> std::io::Result<PathBuf> {
    let path = path.canonicalize()?;
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".serving");
    Ok(path.with_file_name(name))
}

/// Names this process; in containers that share a volume only together with the host it is unique.
fn this_process() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => std::process::id().to_string(),
        host => format!("{} on {host}", std::process::id()),
    }
}

/// Returns the process that has the lock, as it named itself.
fn name_in(file: &File) -> String {
    let mut text = String::new();
    // A process that took the lock at this moment has not written its name yet.
    let _ = file.take(MAX_NAME).read_to_string(&mut text);
    text.retain(|c| c.is_ascii_graphic() || c == ' ');
    if text.is_empty() { "its identifier is not known yet".to_owned() } else { text }
}

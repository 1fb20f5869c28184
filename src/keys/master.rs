use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::{OpenError, SealingKey};
use crate::folder;

/// The one key outside the database: 32 bytes, from the configuration or from a file of 64 hexadecimal digits.
#[derive(Clone)]
pub struct MasterKey(SealingKey);

/// The error for a missing or unusable master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not a key.
    #[error("{path}: expected 64 hexadecimal digits, such as `openssl rand -hex 32` prints", path = .0.display())]
    Malformed(PathBuf),
    /// Every user of the machine may read or write the file.
    #[error("{path}: readable by others (mode {mode:o}); run `chmod 600 {path}`", path = .0.display(), mode = .1)]
    Exposed(PathBuf, u32),
    /// The file cannot be read or created.
    #[error("{path}: {1}", path = .0.display())]
    File(PathBuf, #[source] std::io::Error),
}

impl MasterKey {
    /// Takes the key's bytes.
    pub fn new(key: &[u8; 32]) -> MasterKey {
        MasterKey(SealingKey::new(key))
    }

    fn parse(text: &str, path: &Path) -> Result<MasterKey, MasterKeyError> {
        let malformed = || MasterKeyError::Malformed(path.to_owned());
        let key = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| malformed())?;
        Ok(MasterKey::new(&key.try_into().map_err(|_| malformed())?))
    }

    /// Reads the key file, or creates it from `fresh` if absent: readable by its owner alone, and synced to disk before
    /// anything is sealed with it. Of two concurrent creators one succeeds, and both use its key.
    pub fn read_or_create(path: &Path, fresh: [u8; 32]) -> Result<MasterKey, MasterKeyError> {
        let failed = |error| MasterKeyError::File(path.to_owned(), error);
        if !path.exists() {
            let digits: String = HEXLOWER.encode(&fresh);
            // Written to a draft and hard-linked into place, so that no process reads half a key.
            let draft = path.with_extension(format!("{}.draft", draft_name(&fresh)));
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
            file.write_all(format!("{digits}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            let linked = fs::hard_link(&draft, path);
            fs::remove_file(&draft).map_err(failed)?;
            match linked {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(error)),
                _ => sync_parent(path).map_err(failed)?,
            }
        }
        MasterKey::read(path)
    }

    /// Reads the key file.
    pub fn read(path: &Path) -> Result<MasterKey, MasterKeyError> {
        let failed = |error| MasterKeyError::File(path.to_owned(), error);
        let mut file = File::open(path).map_err(failed)?;
        if let Some(mode) = folder::open_to_all(&file.metadata().map_err(failed)?) {
            return Err(MasterKeyError::Exposed(path.to_owned(), mode));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        MasterKey::parse(&text, path)
    }

    /// Seals a key that is stored in the database; `name` binds it to its row, so that rows cannot be swapped.
    pub fn seal(&self, nonce: [u8; 12], name: &str, key: &[u8]) -> Vec<u8> {
        self.0.seal(nonce, name.as_bytes(), key)
    }

    /// Opens a key from the database.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.0.open(name.as_bytes(), sealed)
    }
}

/// Names a draft uniquely. Process identifiers repeat across containers, and two processes that write to one draft,
/// which one of them has already linked into place, would change a key in use.
fn draft_name(fresh: &[u8; 32]) -> String {
    let hash = digest::digest(&digest::SHA256, fresh);
    HEXLOWER.encode(&hash.as_ref()[..8])
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::File::open(parent)?.sync_all(),
        _ => fs::File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_is_created_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let first = MasterKey::read_or_create(&path, [7; 32]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = MasterKey::read_or_create(&path, [8; 32]).unwrap();
        assert_eq!(second.open("x", &first.seal([0; 12], "x", b"k")).unwrap(), b"k");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn concurrent_creators_of_the_key_file_all_use_the_one_that_is_kept() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("secret.key");
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                let (path, start) = (&path, &start);
                let made: Vec<_> = (0..8)
                    .map(|byte| {
                        scope.spawn(move || {
                            start.wait();
                            MasterKey::read_or_create(path, [byte; 32]).unwrap()
                        })
                    })
                    .collect();
                let keys: Vec<MasterKey> = made.into_iter().map(|made| made.join().unwrap()).collect();
                let stays = MasterKey::read_or_create(path, [9; 32]).unwrap();
                for key in keys {
                    assert_eq!(stays.open("x", &key.seal([0; 12], "x", b"k")).unwrap(), b"k");
                }
            });
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        MasterKey::read_or_create(&path, [7; 32]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = MasterKey::read_or_create(&path, [7; 32]).err().unwrap().to_string();
        assert!(error.ends_with(&format!("(mode 644); run `chmod 600 {}`", path.display())), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        MasterKey::read_or_create(&path, [7; 32]).unwrap();
    }

    #[test]
    fn a_key_that_is_not_64_hexadecimal_digits_is_refused() {
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert!(MasterKey::parse(text, Path::new("secret.key")).is_err());
        }
    }
}

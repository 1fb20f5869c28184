//! Secret text, and the files that it can be read from.

use std::{fmt, path::Path};

use serde::Deserialize;
use toml::Value;

use super::{ConfigError, Origin, layers::read_bounded, settings::Settings};

/// The maximum size of a file that contains a secret, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Text shown in place of a secret.
pub(super) const HIDDEN: &str = "(hidden)";

/// Text that is never printed: it has no `Display`, and its `Debug` output is `(hidden)`.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Returns the text; keep it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Checks whether no secret was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl Settings {
    /// Checks whether a setting is a secret: it has a neighbour `x_file`.
    pub(super) fn is_secret(&self, key: &str) -> bool {
        self.get(&file_key(key)).is_some()
    }

    /// Replaces each secret `x` by the content of its `x_file`, unless `x` was set by a later source.
    pub(super) fn read_secret_files(&mut self) -> Result<(), ConfigError> {
        let secrets: Vec<String> = self.keys().filter(|key| self.is_secret(key)).map(str::to_owned).collect();
        for key in secrets {
            let file_key = file_key(&key);
            let (Some(secret), Some(file)) = (self.get(&key), self.get(&file_key)) else {
                continue;
            };
            if is_empty(&file.value) {
                continue;
            }
            let (secret_rank, file_rank) = (secret.origin.rank(), file.origin.rank());
            if secret_rank == file_rank && !is_empty(&secret.value) {
                return Err(both_given(&key, &file_key, &file.origin));
            }
            if secret_rank > file_rank {
                let overridden_by = secret.origin.clone();
                self.set(&file_key, Value::String(String::new()), overridden_by);
            } else {
                let text = read_secret(&file.value).map_err(|problem| self.refuse(&file_key, problem))?;
                let origin = file.origin.clone();
                self.set(&key, Value::String(text), origin);
            }
        }
        Ok(())
    }
}

pub(super) fn file_key(key: &str) -> String {
    format!("{key}_file")
}

/// Returns the error for two settings that exclude each other.
pub(super) fn both_given(one: &str, other: &str, place: &Origin) -> ConfigError {
    ConfigError::new(place, format!("{one} and {other} are both given; keep one of them"))
}

pub(super) fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("")
}

/// Reads a secret from a file, without the line break at its end.
fn read_secret(path: &Value) -> Result<String, String> {
    let path = path.as_str().ok_or("expected text in quotes")?;
    let text = read_bounded(Path::new(path), MAX_BYTES).map_err(|reason| format!("cannot be read: {reason}"))?;
    let line = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err("the file is empty; write the secret into it".to_owned());
    }
    Ok(line.to_owned())
}

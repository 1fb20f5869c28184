//! Secret text, and the files that it can be read from.

use std::{fmt, fs::File};

use serde::Deserialize;
use toml::Value;

use super::{
    ConfigError, Origin,
    exposed::ExposedFile,
    layers::read_open,
    settings::{Settings, is_path},
};
use crate::folder;

/// The maximum size of a file that contains a secret, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The secret that opens all others: a file with it that every user of the machine may read is refused.
const MASTER_KEY: &str = "keys.master_key";

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

    /// Replaces each secret `x` by the content of its `x_file`, unless `x` was set by a later source. Returns the files that
    /// every user of the machine may read.
    pub(super) fn read_secret_files(&mut self) -> Result<Vec<ExposedFile>, ConfigError> {
        let mut exposed = Vec::new();
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
                let (text, mode) = read_secret(&file.value).map_err(|problem| self.refuse(&file_key, problem))?;
                let path = file.value.as_str().unwrap_or_default().to_owned();
                match mode {
                    Some(mode) if key == MASTER_KEY => {
                        let problem = format!("readable by others (mode {mode:o}); run `chmod o= {path}`");
                        return Err(self.refuse(&file_key, problem));
                    }
                    Some(mode) => exposed.push(ExposedFile { setting: file_key.clone(), path, mode }),
                    None => {}
                }
                let origin = file.origin.clone();
                self.set(&key, Value::String(text), origin);
            }
        }
        Ok(exposed)
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

/// Returns a text without the parts that may be passwords: in a URL what stands before its host, and its query where that
/// may contain one; in a header line of the SMS gateway the value, unless it is a template for its secret.
pub(super) fn without_passwords(key: &str, text: &str) -> String {
    if key == "sms.headers" && !text.contains("{secret}") {
        return text.split_once(':').map_or(HIDDEN.to_owned(), |(name, _)| format!("{name}: {HIDDEN}"));
    }
    let (mut text, query) = match text.split_once('?') {
        Some((url, _)) if key == "sms.url" => (url.to_owned(), format!("?{HIDDEN}")),
        _ => (text.to_owned(), String::new()),
    };
    let user = text.rsplit_once('@').and_then(|(before, _)| {
        let after_scheme = before.find("://").map(|at| at + 3);
        let start = after_scheme.or_else(|| (before.contains(':') && !before.contains(' ')).then_some(0))?;
        Some(start..before.len())
    });
    if let Some(user) = user {
        text.replace_range(user, HIDDEN);
    }
    text + &query
}

/// Reads a secret from a file, without the line break at its end; the second value is the mode of a file that every user of
/// the machine may read.
fn read_secret(path: &Value) -> Result<(String, Option<u32>), String> {
    let path = path.as_str().ok_or("expected text in quotes")?;
    let hint = if is_path(path) { "" } else { "; begin the path with / or ./ to see it here" };
    let unreadable = |reason: String| format!("cannot be read: {reason}{hint}");
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mode = folder::open_to_all(&file.metadata().map_err(|error| unreadable(error.to_string()))?);
    let text = read_open(&file, MAX_BYTES).map_err(unreadable)?;
    let line = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err("the file is empty; write the secret into it".to_owned());
    }
    Ok((line.to_owned(), mode))
}

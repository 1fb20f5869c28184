//! Loads a [`Config`] from its sources.

use std::{ffi::OsString, path::PathBuf};

use super::{
    Config, ConfigError, Origin,
    check::check,
    exposed::{self, ExposedFile},
    settings::Settings,
};

/// The sources of a configuration, besides the defaults.
#[derive(Clone, Default)]
pub struct Sources {
    /// The TOML file of `--config`; it must exist.
    pub file: Option<PathBuf>,
    /// Environment variables, as `std::env::vars_os` returns them; those without the prefix `SELFSAME__` are ignored.
    pub environment: Vec<(OsString, OsString)>,
    /// Command-line flags.
    pub overrides: Overrides,
}

/// The settings that have a command-line flag; `None` where it was not given.
#[derive(Clone, Default)]
pub struct Overrides {
    /// `--listen`, for `server.listen`.
    pub listen: Option<String>,
    /// `--data`, for `data`.
    pub data: Option<String>,
    /// `--database`, for `database.url`.
    pub database: Option<String>,
}

/// A valid configuration, and where each of its values came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every setting in the order of `config.default.toml`.
    pub settings: Vec<Setting>,
    /// The files with secrets that every user of the machine may read.
    pub exposed: Vec<ExposedFile>,
}

/// One effective setting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    /// The key with its section, such as `server.listen`.
    pub key: String,
    /// The value as TOML, or `(hidden)` for a secret that is set.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

pub(super) fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut settings = Settings::defaults();
    if let Some(path) = &sources.file {
        settings.read_file(path)?;
    }
    settings.read_environment(&sources.environment)?;
    settings.read_flags(&sources.overrides);
    // Before secrets are read from their own files.
    let configuration_file = exposed::configuration_file(&settings);
    let mut exposed = settings.read_secret_files()?;
    let config = settings.deserialize()?;
    check(&config, &settings)?;
    exposed.extend(configuration_file.into_iter().chain(exposed::tls_private_key(&config)));
    Ok(Loaded { config, settings: settings.list(), exposed })
}

impl Loaded {
    /// Lists every setting with its value and its origin, one per line, for a person to read.
    pub fn explain(&self) -> String {
        let width = self.settings.iter().map(|s| s.key.len() + s.value.len()).max().unwrap_or(0);
        let line = |Setting { key, value, origin }: &Setting| {
            let gap = " ".repeat(width - key.len() - value.len());
            format!("{key} = {value}{gap}  # {origin}\n")
        };
        self.settings.iter().map(line).collect()
    }
}

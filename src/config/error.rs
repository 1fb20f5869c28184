//! Why a configuration was refused, and where a value came from.

use std::fmt;

/// Why a configuration was refused: one line that names the place, the key and the value, and suggests what to do.
///
/// It never contains the value of a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    place: String,
    problem: String,
}

impl ConfigError {
    pub(super) fn new(place: impl fmt::Display, problem: impl fmt::Display) -> Self {
        // A path or a parser's message may contain line breaks, but an error is always one line.
        let one_line = |text: String| text.replace(['\r', '\n'], " ");
        Self { place: one_line(place.to_string()), problem: one_line(problem.to_string()) }
    }
}

/// Where a value came from. A later kind overrides an earlier one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// `config.default.toml`.
    Default,
    /// The file given with `--config`.
    File {
        /// The path as it was given.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// The command-line flag of this name, with its dashes.
    Flag(&'static str),
}

impl Origin {
    /// Returns the rank of the kind: a higher one overrides a lower one.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { .. } => 1,
            Self::Environment(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line } => write!(formatter, "{path}:{line}"),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Flag(name) => formatter.write_str(name),
        }
    }
}

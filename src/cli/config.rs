use clap::Subcommand;

use super::{Outcome, Place, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Say whether the configuration holds, and if not, which key is wrong and where
    Check,
    /// Print the effective values and where each came from, secrets hidden
    Explain,
}

impl Command {
    pub(super) fn run(self, place: &Place) -> Outcome {
        let loaded = place.load(None)?;
        match self {
            Command::Check => output::line("the configuration is valid"),
            Command::Explain => output::text(loaded.explain()),
        }
    }
}

use clap::Subcommand;

use super::{GlobalOptions, Outcome, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the configuration; if it is not valid, name the key that is wrong and where it is set
    Check,
    /// Print the value of every setting and where it was set; secrets are hidden
    Explain,
}

impl Command {
    pub(super) fn run(self, options: &GlobalOptions) -> Outcome {
        let loaded = options.load(None)?;
        for file in &loaded.exposed {
            output::report(format_args!("warning: {file}"));
        }
        match self {
            Command::Check => output::line("the configuration is valid"),
            Command::Explain => output::text(loaded.explain()),
        }
    }
}

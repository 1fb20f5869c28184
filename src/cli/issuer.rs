use clap::Subcommand;

use super::{Outcome, output};
use crate::app::App;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign with a new key from now on; tokens signed with older ones hold until they expire
    Rotate {
        /// Change the key of the tokens that applications get (RS256), not that of the other contracts (EdDSA)
        #[arg(long)]
        applications: bool,
    },
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Rotate { applications: false } => output::line(app.issuer().rotate().await?),
            Command::Rotate { applications: true } => output::line(app.issuer().rotate_for_applications().await?),
        }
    }
}

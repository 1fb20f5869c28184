use clap::Subcommand;

use super::{Outcome, output};
use crate::app::App;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign new tokens with a new key; older tokens stay valid until they expire
    Rotate {
        /// Rotate the key for the tokens of applications (RS256) instead of the key for the other contracts (EdDSA)
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

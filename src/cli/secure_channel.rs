use clap::Subcommand;

use super::{Outcome, output};
use crate::app::App;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Publish new SecureChannel keys; the old ones still decrypt bodies for secure_channel.old_keys_for
    Rotate,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Rotate => app.channel_keys().rotate().await?.into_iter().try_for_each(output::line),
        }
    }
}

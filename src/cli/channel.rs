use clap::Subcommand;

use super::{Outcome, output};
use crate::app::App;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Have bodies encrypted to new keys from now on; older keys go on opening for secure_channel.old_keys_for
    Rotate,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Rotate => app.channel().rotate().await?.into_iter().try_for_each(output::line),
        }
    }
}

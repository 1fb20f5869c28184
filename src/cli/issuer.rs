use clap::Subcommand;

use super::Outcome;
use crate::app::App;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Sign with a new key from now on; tokens signed with older ones hold until they expire
    Rotate,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::Rotate => println!("{}", app.issuer().rotate(app).await?),
        }
        Ok(())
    }
}

use clap::{Args, Subcommand};

use super::{Failure, GlobalOptions, Outcome, output};
use crate::app::App;
use crate::clock::Clock;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the configuration; if it is not valid, name the key that is wrong and where it is set
    Check(Check),
    /// Print the value of every setting and where it was set; secrets are hidden
    Explain,
}

#[derive(Args)]
pub(super) struct Check {
    /// Also open the database, look for the tenant of each trusted issuer, and fetch its keys
    #[arg(long)]
    deep: bool,
}

impl Command {
    pub(super) async fn run(self, options: &GlobalOptions) -> Outcome {
        let loaded = options.load(None)?;
        for file in &loaded.exposed {
            output::report(format_args!("warning: {file}"));
        }
        match self {
            Command::Check(Check { deep }) => {
                if deep {
                    check_issuers(&App::start(loaded.config, Clock::System).await?).await?;
                }
                output::line("the configuration is valid")
            }
            Command::Explain => output::text(loaded.explain()),
        }
    }
}

/// Checks that the tokens of each trusted issuer can be accepted, and reports every one that cannot.
async fn check_issuers(app: &App) -> Outcome {
    let mut problems = 0;
    for trusted in app.authenticator().without_tenant().await? {
        let settings = &trusted.settings;
        output::report(format_args!(
            "issuer {}: no tenant is named {:?}, so all of its tokens are refused; see `selfsame tenant create`",
            settings.issuer, settings.tenant
        ));
        problems += 1;
    }
    for trusted in app.authenticator().all_trusted() {
        if let Err(cause) = trusted.try_keys().await {
            output::report(format_args!("issuer {}: its keys cannot be fetched: {cause}", trusted.settings.issuer));
            problems += 1;
        }
    }
    match problems {
        0 => Ok(()),
        problems => Err(Failure(format!("{problems} of the checks failed"))),
    }
}

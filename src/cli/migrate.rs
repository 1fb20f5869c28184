use clap::Args;

use super::{Failure, GlobalOptions, Outcome, output};
use crate::account::AccountId;
use crate::app::{MigrationPreview, finish_migration, open_store, preview_migration};
use crate::clock::Clock;
use crate::config::Config;
use crate::profile::{LostMark, Preview};

#[derive(Args)]
pub(super) struct Migrate {
    /// List the pending migrations and the accounts whose phone number would lose its verified mark, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    /// Runs pending migrations, prepares every statement to check that the tables fit this version, and rebuilds unique
    /// keys. For deployments that migrate before the new version starts.
    pub(super) async fn run(self, options: &GlobalOptions) -> Outcome {
        let config = options.load(None)?.config;
        if self.dry_run {
            return preview(&config).await;
        }
        let store = open_store(&config).await?;
        store.check().await?;
        Ok(finish_migration(&config, store, Clock::System).await?)
    }
}

async fn preview(config: &Config) -> Outcome {
    let Some(MigrationPreview { pending, profiles }) = preview_migration(config, Clock::System).await? else {
        return output::line("there is no database yet: it would be created");
    };
    for migration in &pending {
        output::line(format_args!("pending migration: {migration}"))?;
    }
    let Some(profiles) = profiles else {
        return output::line(
            "unique keys and verified marks: not known before the pending migrations, which make the table that has them",
        );
    };
    let Preview { keys, marks } = profiles.preview_phone_keys(report).await?;
    output::line(format_args!("unique keys of phone numbers to rebuild: {keys}, verified marks to remove: {marks}"))
}

/// Prints an account that would lose its mark.
fn report(account: AccountId, why: LostMark) -> Result<(), Failure> {
    let why = match why {
        LostMark::VerifiedBy(first) => format!("account {first} verified the same number first"),
        LostMark::NoE164 => "the number has no E.164 form".to_owned(),
    };
    output::line(format_args!("account {account}: its phone number would lose the verified mark: {why}"))
}

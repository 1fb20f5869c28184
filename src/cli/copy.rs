use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use super::{Failure, GlobalOptions, Outcome, output};
use crate::account::{AccountId, Picture};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, PictureStore};
use crate::profile::audit::Verdict;
use crate::store::{Copied, DevCredentials, Progress, Store};

/// Accounts read per page.
const PAGE: i64 = 100;

#[derive(Args)]
pub(super) struct Copy {
    /// The database to copy: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    from: String,
    /// The empty database to copy into: sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    to: String,
}

impl Copy {
    pub(super) async fn run(self, options: GlobalOptions) -> Outcome {
        let source = config(&options, self.from)?;
        let target = config(&options, self.to)?;
        let has_key = source.keys.master_key.expose().is_some();
        let key_file = source.master_key_file();
        if !has_key && !key_file.exists() {
            // Opening the source would create a new key, which decrypts nothing.
            let path = key_file.display();
            return Err(Failure(format!("{path}: there is no master key; give --data with the folder of the source")));
        }
        // Opening the source verifies that this master key is the one that the copy needs.
        let source = App::start(source, Clock::System).await?;
        let store =
            Store::open(&target.database(), &target.database).await.map_err(|error| Failure(error.to_string()))?;
        let dev_credentials = super::dev::credentials(&source).await?;
        copy(source.store(), &store, &dev_credentials).await?;
        drop(store);
        let target = App::start(target, Clock::System).await?;
        let pictures = verify(&target).await?;
        match has_key {
            true => output::line("Take keys.master_key along: the copy opens only with it.")?,
            false => {
                output::line(format_args!("Take {} along: the copy opens only with it.", key_file.display()))?;
            }
        }
        if pictures > 0 {
            output::line(pictures_stay(target.config()))?;
        }
        if source.store().has_dev_credentials().await? {
            output::line(
                "`selfsame dev` has used the source: the credentials of its demo account and application are not valid in \
                 the copy.",
            )?;
        }
        Ok(())
    }
}

fn config(options: &GlobalOptions, database: String) -> Result<Config, Failure> {
    Ok(GlobalOptions { database: Some(database), ..options.clone() }.load(None)?.config)
}

async fn copy(source: &Store, target: &Store, dev_credentials: &DevCredentials) -> Result<(), Failure> {
    let mut bar = progress(0, "rows");
    let mut report = |step| match step {
        Progress::Total(rows) => bar = progress(rows, "rows"),
        Progress::Rows(_, rows) => bar.inc(rows),
    };
    let copied = source.copy_to(target, dev_credentials, &mut report).await;
    bar.finish_and_clear();
    for Copied { table, rows } in copied.map_err(|error| Failure(error.to_string()))? {
        output::line(format_args!("{table:16} {rows:>10} rows"))?;
    }
    Ok(())
}

/// Returns a note on where the pictures are, since they are not in the database, and how the copy can serve them.
fn pictures_stay(config: &Config) -> String {
    match &config.pictures.store {
        PictureStore::Folder => format!(
            "Pictures stay in {}. The copy finds them there if it is served with this --data; if not, take that folder along.",
            config.pictures_folder().display()
        ),
        PictureStore::Bucket { name, .. } => {
            format!("Pictures stay in the bucket {name}: serve the copy with the same settings [pictures].")
        }
    }
}

/// Verifies every history in the target, and returns the number of accounts with a stored picture.
async fn verify(target: &App) -> Result<u64, Failure> {
    let (mut accounts, mut entries, mut broken, mut pictures) = (0_u64, 0, 0, 0);
    let bar = progress(0, "histories");
    let mut after = AccountId(Uuid::nil());
    loop {
        let page = target.store().accounts(after, None, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for account in &page {
            match target.profiles().verify(account).await? {
                Verdict::Whole { entries: count, .. } => entries += count,
                Verdict::Broken { sequence, reason } => {
                    broken += 1;
                    let id = account.id;
                    bar.suspend(|| output::report(format_args!("account {id}: entry {sequence}: {reason}")));
                }
            }
            pictures += u64::from(matches!(account.picture(), Some(Picture::Stored { .. })));
            accounts += 1;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    output::line(format_args!("verified: {accounts} accounts, {entries} entries, {broken} broken histories"))?;
    match broken {
        0 => Ok(pictures),
        _ => Err(Failure(
            "histories are broken; `selfsame audit verify` on the source shows whether they are broken there too"
                .to_owned(),
        )),
    }
}

/// Returns a progress bar, which is visible only on a terminal.
fn progress(length: u64, what: &'static str) -> ProgressBar {
    let form = if length > 0 { "{bar:40} {human_pos} of {human_len} {msg}" } else { "{spinner} {human_pos} {msg}" };
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = if length > 0 { ProgressBar::new(length) } else { ProgressBar::new_spinner() };
    bar.with_style(style).with_message(what)
}

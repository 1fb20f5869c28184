use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, Outcome, output, tenant_named};
use crate::app::App;
use crate::transfer::{self, Event, ExportError, ImportError, Options, Totals};

#[derive(Args)]
pub(super) struct Import {
    /// The file with one account per line; - for standard input
    file: PathBuf,
    /// Report every error and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Report lines with errors and skip them, instead of stopping at the first
    #[arg(long)]
    keep_going: bool,
}

#[derive(Args)]
pub(super) struct Export {
    /// Export only accounts of this tenant
    #[arg(long)]
    tenant: Option<String>,
}

impl Import {
    pub(super) async fn run(self, app: &App) -> Outcome {
        let (input, length) = open(&self.file)?;
        let bar = progress(length);
        let options = Options { dry_run: self.dry_run, keep_going: self.keep_going };
        let tell = |event: Event<'_>| match event {
            Event::Fault(line, fault) => bar.suspend(|| output::report(format_args!("line {line}: {fault}"))),
            Event::Progress(bytes) => bar.set_position(bytes),
        };
        let (store, profiles, clock) = (app.store(), app.profiles(), app.clock());
        let imported = transfer::import(store, profiles, clock, app.public_url(), input, options, tell).await;
        bar.finish_and_clear();
        let totals = imported.map_err(|error| {
            let reason = match error {
                ImportError::Input(error) => return Failure(format!("{}: {error}", self.file.display())),
                ImportError::Store(error) => Failure::from(error).0,
                contended @ ImportError::Contended => contended.to_string(),
            };
            Failure(format!("{reason}; what was added is kept: run the import again, and it goes on from there"))
        })?;
        let done = if self.dry_run { "to add" } else { "added" };
        let Totals { added, unchanged, refused } = totals;
        output::line(format_args!("{added} {done}, {unchanged} unchanged, {refused} refused"))?;
        match refused {
            0 => Ok(()),
            _ if self.dry_run => Err(Failure("nothing was changed; correct the lines, then import them".to_owned())),
            _ if self.keep_going => {
                Err(Failure("lines with errors were skipped; correct them, then run the import again".to_owned()))
            }
            _ => Err(Failure(
                "ended at this line, all before it is kept; correct it, then run the import again".to_owned(),
            )),
        }
    }
}

/// Opens the input, and returns its length in bytes if it is a regular file.
fn open(path: &Path) -> Result<(Box<dyn BufRead + Send>, Option<u64>), Failure> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let failed = |error: io::Error| Failure(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    Ok((Box::new(BufReader::new(file)), facts.is_file().then_some(facts.len())))
}

/// Returns a progress bar, which is visible only on a terminal.
fn progress(length: Option<u64>) -> ProgressBar {
    let form = match length {
        Some(_) => "{bar:40} {percent}%, {eta} left",
        None => "{spinner} {bytes}, {elapsed}",
    };
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    length.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style)
}

impl Export {
    pub(super) async fn run(self, app: &App) -> Outcome {
        let tenant = match &self.tenant {
            Some(name) => Some(tenant_named(app, name).await?.id),
            None => None,
        };
        let mut out = BufWriter::new(io::stdout());
        let written = match transfer::export(app.store(), tenant, &mut out).await {
            Ok(_) => out.flush(),
            Err(ExportError::Output(error)) => Err(error),
            Err(ExportError::Store(error)) => return Err(error.into()),
        };
        output::written(written).map(drop)
    }
}

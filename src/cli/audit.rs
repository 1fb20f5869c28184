use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{Failure, Outcome, account_with, output};
use crate::account::history::Entry;
use crate::account::{Account, AccountId};
use crate::app::App;
use crate::json::{Object, Value};
use crate::profile::audit::Verdict;

/// Entries or accounts read per page.
const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the changes of an account: what was changed, by whom and when
    List(List),
    /// Verify that the history of one account, or of every account, was not altered
    Verify(Verify),
}

#[derive(Args)]
pub(super) struct List {
    /// The account's identifier
    #[arg(long)]
    account: AccountId,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Verify {
    /// The account's identifier (default: every account)
    #[arg(long)]
    account: Option<AccountId>,
}

impl Command {
    pub(super) async fn run(self, app: &App) -> Outcome {
        match self {
            Command::List(list) => list.run(app).await,
            Command::Verify(verify) => verify.run(app).await,
        }
    }
}

impl List {
    async fn run(self, app: &App) -> Outcome {
        account_with(app, self.account).await?;
        let mut after = 0;
        loop {
            let page = app.store().history(self.account, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.metadata.sequence;
            for entry in &page {
                if output::item(&record(app, entry), self.json)?.is_break() {
                    return Ok(());
                }
            }
        }
    }
}

fn record(app: &App, entry: &Entry) -> Object {
    let metadata = &entry.metadata;
    let mut record = Object::new();
    record.insert("sequence", metadata.sequence);
    record.insert("at", metadata.at.to_string());
    record.insert("actor", metadata.actor.as_str());
    record.insert("contract", metadata.contract.as_str());
    record.insert("request_id", metadata.request_id.as_str());
    record.insert("erased", entry.sealed.is_none());
    if let Some(Value::Object(payload)) = app.profiles().payload(entry) {
        for (name, value) in payload {
            record.insert(name, value);
        }
    }
    record
}

impl Verify {
    async fn run(self, app: &App) -> Outcome {
        let mut total = Total::default();
        match self.account {
            Some(id) => total.add(app, &account_with(app, id).await?).await?,
            None => {
                let mut after = AccountId(Uuid::nil());
                loop {
                    let page = app.store().accounts(after, None, PAGE).await?;
                    let Some(last) = page.last() else { break };
                    after = last.id;
                    for account in &page {
                        total.add(app, account).await?;
                    }
                }
            }
        }
        let Total { accounts, entries, erased, broken } = total;
        output::line(format_args!(
            "accounts: {accounts}, entries: {entries}, erased: {erased}, broken histories: {broken}"
        ))?;
        if broken == 0 {
            return Ok(());
        }
        Err(Failure(
            "at least one history was altered, see the lines above; compare the accounts with a backup".to_owned(),
        ))
    }
}

#[derive(Default)]
struct Total {
    accounts: i64,
    entries: i64,
    erased: i64,
    broken: i64,
}

impl Total {
    async fn add(&mut self, app: &App, account: &Account) -> Result<(), Failure> {
        self.accounts += 1;
        match app.profiles().verify(account).await? {
            Verdict::Whole { entries, erased } => {
                self.entries += entries;
                self.erased += erased;
            }
            Verdict::Broken { sequence, reason } => {
                self.broken += 1;
                output::line(format_args!("account {}: entry {sequence}: {reason}", account.id))?;
            }
        }
        Ok(())
    }
}

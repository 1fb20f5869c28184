//! Import of lines in batches: each batch is one transaction, so that an interrupted import can be repeated and
//! continues where it stopped.

use std::collections::HashMap;
use std::io::{self, BufRead};

use super::draft::{Draft, sort};
use super::lines::{Lines, MAX_LINE};
use crate::account::{Account, AccountId, Edit, Error, Fault, Field, Patch, Rules, Tenant};
use crate::clock::Clock;
use crate::json::{self, Object};
use crate::profile::Profiles;
use crate::store::{Identity, ImportedAccount, Seen, Store, id_name};

/// The most accounts of a batch. Their keyed hashes are spread over the indexes, so a batch of a quarter of this size
/// would change nearly as many pages, and write nearly as much.
const BATCH: usize = 4000;
/// A batch ends with the line that makes it longer than this, in bytes.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// The most characters shown of a name.
const MAX_SHOWN: usize = 40;
/// The most attempts at a batch when another process takes the same values first.
const ATTEMPTS: usize = 3;

/// How an import treats lines with errors.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Finds every error and changes nothing.
    pub dry_run: bool,
    /// Skips lines with errors; otherwise the first one ends the import.
    pub keep_going: bool,
}

/// Progress of a running import.
pub enum Event<'a> {
    /// An error in a line, counted from 1.
    Fault(u64, &'a str),
    /// The bytes read and processed so far.
    Progress(u64),
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Accounts that were added, or would be in a dry run.
    pub added: u64,
    /// Accounts that exist already with the same values.
    pub unchanged: u64,
    /// Lines with errors.
    pub refused: u64,
}

/// Why an import failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The lines cannot be read.
    #[error("{0}")]
    Input(#[from] io::Error),
    /// The database failed.
    #[error("{0}")]
    Store(Error),
    /// In every attempt to add a batch, another process had just taken a value that it needs.
    #[error("another process keeps taking what the lines name")]
    Contended,
}

impl From<Error> for ImportError {
    fn from(error: Error) -> ImportError {
        ImportError::Store(error)
    }
}

/// Adds the accounts of the lines and reports errors in them; accounts that exist already with the same values are
/// skipped. Everything before the line that ends the import is kept. `public_url` is the origin of this installation's own
/// pictures, whose addresses no line may contain.
pub async fn import(
    store: &Store,
    profiles: &Profiles,
    clock: &Clock,
    public_url: &str,
    input: impl BufRead,
    options: Options,
    mut tell: impl FnMut(Event<'_>),
) -> Result<Totals, ImportError> {
    let tenants = store.tenants().await?.into_iter().map(|tenant| (tenant.name.clone(), tenant)).collect();
    let (seen, totals) = (Seen::new()?, Totals::default());
    let mut import = Import { store, profiles, clock, public_url, options, tenants, seen, totals };
    let mut lines = Lines::new(input);
    loop {
        let mut batch = import.read(&mut lines)?;
        if batch.is_empty() {
            return Ok(import.totals);
        }
        import.settle(&mut batch).await?;
        let refused = batch.iter().filter_map(|line| Some((line.number, line.faults()?)));
        let told = if import.stops() { 1 } else { usize::MAX };
        for (number, faults) in refused.take(told) {
            import.totals.refused += 1;
            faults.iter().for_each(|fault| tell(Event::Fault(number, fault)));
        }
        tell(Event::Progress(lines.bytes));
        if import.stops() && import.totals.refused > 0 {
            return Ok(import.totals);
        }
    }
}

struct Import<'a> {
    store: &'a Store,
    profiles: &'a Profiles,
    clock: &'a Clock,
    public_url: &'a str,
    options: Options,
    tenants: HashMap<String, Tenant>,
    seen: Seen,
    totals: Totals,
}

/// A line, counted from 1, and its state.
struct Line {
    number: u64,
    state: State,
}

enum State {
    /// It was parsed, and its account does not exist yet.
    Draft(Box<Draft>),
    /// Its account exists, with the same values.
    Unchanged(AccountId),
    /// Its account can be added.
    Ready(Box<ImportedAccount>),
    /// Its account cannot be added, for these reasons.
    Refused(Vec<String>),
}

impl Line {
    /// Returns why the line is refused, if it is.
    fn faults(&self) -> Option<&[String]> {
        match &self.state {
            State::Refused(faults) => Some(faults),
            _ => None,
        }
    }

    /// Refuses the line, adding a reason if it is refused already.
    fn refuse(&mut self, fault: String) {
        match &mut self.state {
            State::Refused(faults) => faults.push(fault),
            state => *state = State::Refused(vec![fault]),
        }
    }
}

impl Import<'_> {
    /// Checks whether the first error ends the import.
    fn stops(&self) -> bool {
        !self.options.dry_run && !self.options.keep_going
    }

    /// Reads the lines of the next batch; none after an error that ends the import.
    fn read(&self, lines: &mut Lines<impl BufRead>) -> io::Result<Vec<Line>> {
        let mut batch = Vec::new();
        let end = lines.bytes + BATCH_BYTES;
        while batch.len() < BATCH && lines.bytes < end {
            let Some(line) = lines.next()? else { break };
            let draft = match line {
                Ok(line) => Draft::read(&line, self.public_url),
                Err(_) => Err(vec![format!("longer than {MAX_LINE} bytes")]),
            };
            let line = Line {
                number: lines.count,
                state: draft.map_or_else(State::Refused, |draft| State::Draft(Box::new(draft))),
            };
            let ends = self.stops() && line.faults().is_some();
            batch.push(line);
            if ends {
                break;
            }
        }
        Ok(batch)
    }

    /// Compares a batch with the existing accounts and adds those that are new and without errors. If the first error
    /// ends the import, only those before it are added.
    async fn settle(&mut self, batch: &mut [Line]) -> Result<(), ImportError> {
        self.compare(batch).await?;
        self.prepare(batch).await?;
        for _ in 0..ATTEMPTS {
            self.refuse_conflicts(batch).await?;
            self.refuse_repeated(batch)?;
            let faultless = match self.stops() {
                true => batch.iter().position(|line| line.faults().is_some()).unwrap_or(batch.len()),
                false => batch.len(),
            };
            let kept = &batch[..faultless];
            let imported_accounts: Vec<&ImportedAccount> =
                ready(kept).map(|(_, imported_account)| imported_account).collect();
            if !self.options.dry_run && !self.store.add_accounts(&imported_accounts).await? {
                // Since the check, another process took a value that an imported account needs.
                continue;
            }
            self.totals.added += imported_accounts.len() as u64;
            let unchanged = kept.iter().filter(|line| matches!(line.state, State::Unchanged(_)));
            self.totals.unchanged += unchanged.count() as u64;
            return Ok(());
        }
        Err(ImportError::Contended)
    }

    /// Finds the accounts that exist already and how they differ.
    async fn compare(&self, batch: &mut [Line]) -> Result<(), Error> {
        let ids: Vec<AccountId> = drafts(batch).map(|draft| draft.id).collect();
        let accounts: HashMap<AccountId, Account> =
            self.store.accounts_with(&ids).await?.into_iter().map(|account| (account.id, account)).collect();
        let present: Vec<AccountId> = accounts.keys().copied().collect();
        let mut identities: HashMap<AccountId, Vec<Identity>> = HashMap::new();
        for (id, identity) in self.store.identities_of(&present).await? {
            identities.entry(id).or_default().push(identity);
        }
        identities.values_mut().for_each(|identities| sort(identities));
        for line in batch {
            let State::Draft(draft) = &line.state else { continue };
            let Some(tenant) = self.tenants.get(&draft.tenant) else {
                let name: String = draft.tenant.chars().take(MAX_SHOWN).collect();
                line.refuse(format!("tenant: none is named {name:?}; see `selfsame tenant list`"));
                continue;
            };
            let Some(account) = accounts.get(&draft.id) else { continue };
            let identities = identities.get(&draft.id).map_or(&[][..], Vec::as_slice);
            let differences = draft.differences(account, identities, tenant);
            if let Some(place) = self.seen.place(&id_name(draft.id))? {
                line.refuse(repeated("id", place));
            } else if differences.is_empty() {
                line.state = State::Unchanged(draft.id);
            } else {
                let names = differences.join(", ");
                line.refuse(format!("exists with other values ({names}); import does not overwrite"));
            }
        }
        Ok(())
    }

    /// Creates the accounts that do not exist yet.
    async fn prepare(&self, batch: &mut [Line]) -> Result<(), Error> {
        let unnumbered = drafts(batch).filter(|draft| draft.number.is_none()).count() as i64;
        let mut number = match unnumbered {
            0 => 0,
            _ if self.options.dry_run => 0,
            count => self.store.draw_account_numbers(count).await? - count,
        };
        for line in batch {
            let State::Draft(draft) = &line.state else { continue };
            let Some(tenant) = self.tenants.get(&draft.tenant) else { continue };
            let number = draft.number.unwrap_or_else(|| {
                number += 1;
                // A dry run does not draw numbers; negative ones cannot be drawn, so they conflict with no account.
                if self.options.dry_run { -(line.number as i64) } else { number }
            });
            let rules = self.profiles.rules(tenant).await?;
            let (account, patch) = draft.account(tenant, number, self.clock.now());
            line.state = match misfits(&rules, &patch) {
                misfits if misfits.is_empty() => {
                    State::Ready(Box::new(self.profiles.import_account(account, &patch, draft.identities.clone())?))
                }
                misfits => State::Refused(misfits),
            };
        }
        Ok(())
    }

    /// Refuses lines with values that other accounts have.
    async fn refuse_conflicts(&self, batch: &mut [Line]) -> Result<(), Error> {
        let (positions, imported_accounts): (Vec<usize>, Vec<&ImportedAccount>) = ready(batch).unzip();
        for conflict in self.store.conflicts(&imported_accounts).await? {
            let fault = format!("{}: account {} has it already", conflict.what, conflict.owner);
            batch[positions[conflict.position]].refuse(fault);
        }
        Ok(())
    }

    /// Refuses lines with values of earlier lines, and records the values of the others.
    fn refuse_repeated(&self, batch: &mut [Line]) -> Result<(), Error> {
        for line in batch {
            let names = match &line.state {
                State::Ready(imported_account) => imported_account.names(),
                State::Unchanged(id) => vec![("id", id_name(*id))],
                State::Draft(_) | State::Refused(_) => continue,
            };
            for (what, name) in &names {
                if let Some(place) = self.seen.place(name)?.filter(|place| *place != line.number) {
                    line.refuse(repeated(what, place));
                }
            }
            // The values of a refused line conflict with no other line.
            if line.faults().is_none() {
                names.iter().try_for_each(|(_, name)| self.seen.note(name, line.number).map(drop))?;
            }
        }
        Ok(())
    }
}

/// Returns the accounts that do not exist yet.
fn drafts(batch: &[Line]) -> impl Iterator<Item = &Draft> {
    batch.iter().filter_map(|line| match &line.state {
        State::Draft(draft) => Some(draft.as_ref()),
        _ => None,
    })
}

/// Returns the accounts that are ready to be added, each with its line's position.
fn ready(batch: &[Line]) -> impl Iterator<Item = (usize, &ImportedAccount)> {
    batch.iter().enumerate().filter_map(|(position, line)| match &line.state {
        State::Ready(imported_account) => Some((position, &**imported_account)),
        _ => None,
    })
}

/// Returns where the attributes of a line violate the tenant's schema.
fn misfits(rules: &Rules, patch: &Patch) -> Vec<String> {
    let Edit::Set(text) = patch.edit_of(Field::Attributes) else { return Vec::new() };
    let attributes = json::parse(text.as_str().as_bytes()).ok().and_then(|value| value.into_object().ok());
    match rules.check(&Object::new(), &attributes.unwrap_or_default(), false) {
        Err(Error::Attributes(faults)) => {
            let place = |fault: &Fault| format!("attributes{}: does not match the tenant's schema", fault.field);
            faults.iter().map(place).collect()
        }
        _ => Vec::new(),
    }
}

fn repeated(what: &str, place: u64) -> String {
    format!("{what}: line {place} has it already")
}

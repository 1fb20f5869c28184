//! The commit of one change alone: all its statements are sent at once, without waiting for each other's answers.

use std::borrow::Cow;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{join, join_all, join3};

use super::error::{changed_nothing, error, error_of};
use super::{Connections, references};
use crate::account::{Account, Cause, CredentialFault, Error, Unique};
use crate::store::statement::{Part, Statement, parts, select, statement};
use crate::store::tables::{ACCOUNT, HISTORY};
use crate::store::value::{Parameter, computed};
use crate::store::{Commit, Effect, MakeUpdate, Query, Update, accounts, record, secure_channel};

/// First parameter of [`record::entry_values`], after those of [`record::account_values`].
const ENTRY: usize = ACCOUNT.table().width() + 1;
/// Writes account and history entry. Nothing is written when the account is no longer at the version that the update was made
/// from.
const CHANGE: Part = Part::All(parts![
    "WITH changed AS (",
    { accounts::CHANGE },
    " RETURNING id), recorded AS (INSERT INTO history (",
    { Part::Names(HISTORY.table()) },
    ") SELECT ",
    { Part::TypedPlaces(HISTORY.table(), ENTRY) },
    " FROM changed) SELECT ",
]);
/// Returns how many accounts were changed: one statement, one transaction.
const CHANGE_ALONE: Statement = statement!({ CHANGE }, "count(*) FROM changed");
/// Fails when no account was changed, and so undoes what is sent with it.
const CHANGE_OR_FAIL: Statement = statement!({ CHANGE }, "1 / count(*) FROM changed");
/// Makes every other writer of the account wait.
const LOCK: Statement = select!(ACCOUNT, "WHERE account.id = ?1 FOR UPDATE");

/// The statements that only PostgreSQL has.
pub(in crate::store) const ALL: &[Statement] = &[CHANGE_ALONE, CHANGE_OR_FAIL, LOCK];

/// A statement of a change.
struct Step {
    text: Cow<'static, str>,
    parameters: Vec<Parameter>,
    /// The kind of the one unique key that it claims.
    claims: Option<Unique>,
    /// The effect that did not happen if no row is touched.
    effect: Option<Effect>,
}

/// The outcome of a change's statements.
enum Outcome {
    Done,
    /// The account is no longer at the version that the update was made from; nothing was written.
    Outdated,
}

impl Connections {
    /// Commits a change: in one round trip, unless the account was changed in between.
    pub(super) async fn commit(&self, first: Update, make_update: MakeUpdate) -> Result<Commit, Error> {
        match self.try_commit(&first).await? {
            Outcome::Done => Ok(first.into()),
            Outcome::Outdated => self.commit_locked(first.account, make_update).await,
        }
    }

    async fn try_commit(&self, update: &Update) -> Result<Outcome, Error> {
        let steps = steps(update);
        if let [Step { parameters, .. }] = steps.as_slice() {
            let change = self.work(async |connection| super::rows(connection, CHANGE_ALONE, parameters).await);
            let rows = change.await?.map_err(error)?;
            let changed = rows.first().map(|row| computed::<i64>(row, 0)).transpose()?;
            return Ok(if changed == Some(1) { Outcome::Done } else { Outcome::Outdated });
        }
        self.work(async |connection| at_once(connection, Some("BEGIN"), &steps, "COMMIT").await).await?
    }

    /// Locks the row, reads it again and attempts the change again.
    pub(super) async fn commit_locked(&self, seen: Account, make_update: MakeUpdate) -> Result<Commit, Error> {
        let attempt = async |connection: &ClientWrapper| {
            let Some(current) = lock(connection, &seen).await? else {
                return Err(Error::Credentials(CredentialFault::Invalid));
            };
            let Some(update) = make_update(&current)? else { return Ok(Commit::unchanged(current)) };
            match at_once(connection, None, &steps(&update), "COMMIT").await? {
                Outcome::Done => Ok(update.into()),
                Outcome::Outdated => Err(Error::Internal(Cause::new("an account changed under its own lock"))),
            }
        };
        self.work(async |connection| {
            let attempted = attempt(connection).await;
            if !matches!(&attempted, Ok(Commit { changed: true, .. })) {
                // After an error of its own the transaction has ended already.
                connection.batch_execute("ROLLBACK").await.map_err(error)?;
            }
            attempted
        })
        .await?
    }
}

/// Begins a transaction in which the account cannot be changed by another, and returns the account.
async fn lock(connection: &ClientWrapper, seen: &Account) -> Result<Option<Account>, Error> {
    let prepared = connection.prepare_cached(LOCK.postgres).await.map_err(error)?;
    let bound = [seen.id.into()];
    let bound = references(&bound);
    let (begun, rows) = join(connection.batch_execute("BEGIN"), connection.query(&prepared, &bound)).await;
    begun.map_err(error)?;
    rows.map_err(error)?.first().map(|row| record::account(row)).transpose()
}

/// Sends statements without waiting for the answers to those before. The transaction ends with `end`, or is undone when one
/// fails: the server then refuses those after it, and ends it all the same.
async fn at_once(connection: &ClientWrapper, begin: Option<&str>, steps: &[Step], end: &str) -> Result<Outcome, Error> {
    let mut prepared = Vec::with_capacity(steps.len());
    for step in steps {
        prepared.push(connection.prepare_cached(&step.text).await.map_err(error)?);
    }
    let begin = async {
        match begin {
            Some(begin) => connection.batch_execute(begin).await,
            None => Ok(()),
        }
    };
    let work = steps
        .iter()
        .zip(&prepared)
        .map(async |(step, prepared)| connection.execute(prepared, &references(&step.parameters)).await);
    // Each is sent when it is first polled, which happens in this order.
    let (begun, worked, ended) = join3(begin, join_all(work), connection.batch_execute(end)).await;
    begun.map_err(error)?;
    for (step, worked) in steps.iter().zip(worked) {
        if let Err(cause) = worked {
            return step.failure(cause);
        }
    }
    ended.map_err(error).map(|()| Outcome::Done)
}

/// Returns the statements of a change, the account's first.
fn steps(update: &Update) -> Vec<Step> {
    let mut values = record::account_values(&update.account);
    values.extend(record::entry_values(&update.entry));
    let change = Step { text: CHANGE_OR_FAIL.postgres.into(), parameters: values, claims: None, effect: None };
    let keys = accounts::releases(update).chain(accounts::claims(update));
    let rest = keys.chain(update.nonce.iter().flat_map(secure_channel::using)).map(Step::of);
    std::iter::once(change).chain(rest).chain(update.effects.iter().map(Step::of_effect)).collect()
}

impl Step {
    fn of(Query { statement, parameters, claims }: Query) -> Step {
        Step { text: statement.postgres.into(), parameters, claims, effect: None }
    }

    /// An effect that must touch a row fails if it does not, and so undoes what is sent with it.
    fn of_effect(effect: &Effect) -> Step {
        let step = Step::of(effect.query());
        if effect.check(0).is_ok() {
            return step;
        }
        let text = format!("WITH touched AS ({} RETURNING 1) SELECT 1 / count(*) FROM touched", step.text);
        Step { text: text.into(), effect: Some(effect.clone()), ..step }
    }

    /// Returns what the failure of the statement means.
    fn failure(&self, cause: tokio_postgres::Error) -> Result<Outcome, Error> {
        match &self.effect {
            Some(effect) if changed_nothing(&cause) => effect.check(0).map(|()| Outcome::Done),
            None if changed_nothing(&cause) => Ok(Outcome::Outdated),
            _ => Err(error_of(cause, self.claims)),
        }
    }
}

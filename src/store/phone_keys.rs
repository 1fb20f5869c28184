//! The batches in which the unique keys of verified phone numbers, made by an earlier version, are rebuilt.

use jiff::Timestamp;
use uuid::Uuid;

use super::owners::lists;
use super::statement::{Part, Statement, insert, statement};
use super::stored::{Plain, Stored};
use super::table::{unreadable, values};
use super::tables::{INSTALLATION, UNIQUE_KEY};
use super::value::{Parameter, Row, parameters};
use super::{Effect, Query, Store, UniqueKey, Update, accounts, history, record};
use crate::account::{AccountId, Cause, Error, Field, Phone, TenantId, Text, Unique};

/// The fact that has the progress. Its name has the version of [`Phone::e164`]: a change of the form of a number
/// that may be stored needs another version, so that the keys are rebuilt, and a migration that deletes this fact.
const FACT: &str = "phone_keys_2";
/// Its value when every key is rebuilt; until then it is the last account of the last batch.
const DONE: &str = "done";

/// What decides the keys of an account: attributes and pictures would make a batch large. No column that a later migration
/// added, so that a dry run can read it before that.
const READ: Part =
    Part::Text("SELECT id, tenant_id, version, phone_verified, personal_key, phone, created_at FROM account ");
/// Accounts in the order of their identifiers.
const PAGE: Statement = statement!({ READ }, "WHERE id > ?1 ORDER BY id LIMIT ?2");
/// Records the progress, unless another instance has made progress meanwhile.
const ADVANCE: Statement = insert!(
    INSTALLATION,
    " ON CONFLICT (name) DO UPDATE SET ",
    { Part::AssignmentsFrom(INSTALLATION.table(), "excluded.") },
    " WHERE installation.value = ?3"
);
// Only PostgreSQL handles a whole list in one statement; SQLite runs its statement once for each element.
const BY_IDS: Statement = Statement {
    sqlite: statement!({ READ }, "WHERE id = ?1").sqlite,
    postgres: statement!({ READ }, "WHERE id = ANY(?1)").postgres,
};
/// Makes every other writer of the accounts wait, and counts those that have still the versions that were read.
const LOCK: Statement = Statement {
    // SQLite has one writer, which waits already; only this form counts without returning rows.
    sqlite: statement!("UPDATE account SET version = version WHERE id = ?1 AND version = ?2").sqlite,
    postgres: statement!(
        "SELECT account.id FROM account JOIN unnest(?1::uuid[], ?2::bigint[]) AS w(id, version) \
         ON account.id = w.id AND account.version = w.version ORDER BY account.id FOR UPDATE OF account"
    )
    .postgres,
};
const RELEASE: Statement = Statement {
    sqlite: accounts::RELEASE.sqlite,
    postgres: statement!(
        "DELETE FROM unique_key h USING unnest(?1::uuid[], ?2::text[], ?3::bytea[], ?4::uuid[]) \
         AS r(tenant_id, kind, key, account_id) WHERE h.tenant_id = r.tenant_id AND h.kind = r.kind AND h.key = r.key \
         AND h.account_id = r.account_id"
    )
    .postgres,
};
const CLAIM: Statement = Statement {
    sqlite: accounts::CLAIM.sqlite,
    postgres: statement!(
        "INSERT INTO unique_key (",
        { Part::Names(UNIQUE_KEY.table()) },
        ") SELECT * FROM unnest(?1::uuid[], ?2::text[], ?3::bytea[], ?4::uuid[])"
    )
    .postgres,
};

/// How far the keys are rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneKeys {
    /// Up to and including this account, in the order of identifiers; up to none at first.
    Until(AccountId),
    /// All of them.
    Done,
}

/// The phone number of an account, and whether it is verified.
#[derive(Clone, Debug)]
pub struct PhoneRecord {
    /// The account.
    pub account: AccountId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its version.
    pub version: i64,
    /// Whether the number is verified.
    pub verified: bool,
    /// The number as it was typed, if it is verified.
    pub phone: Option<Text>,
    /// When the account was created.
    pub created_at: Timestamp,
}

impl PhoneRecord {
    /// Returns the verified number in its E.164 form, if it has one.
    pub fn e164(&self) -> Option<String> {
        self.phone.as_ref().and_then(|phone| Phone(phone.as_str()).e164())
    }
}

/// A unique key with the tenant that it belongs to and the account that owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The key.
    pub unique_key: UniqueKey,
    /// The account.
    pub owner: AccountId,
}

/// What one batch writes, all or nothing.
#[derive(Clone)]
pub struct PhoneKeyBatch {
    /// The progress before this batch.
    pub from: PhoneKeys,
    /// The progress after it.
    pub to: PhoneKeys,
    /// The accounts that decide the batch and are not themselves changed, with the versions that they must still have.
    pub decided_by: Vec<(AccountId, i64)>,
    /// Keys that are given up, if they are there.
    pub release: Vec<OwnedKey>,
    /// The changes of accounts that lose a mark.
    pub updates: Vec<Update>,
    /// Keys that are claimed after all others were given up.
    pub claim: Vec<OwnedKey>,
}

impl PhoneKeys {
    fn read(value: Option<String>) -> Result<PhoneKeys, Error> {
        match value.as_deref() {
            None => Ok(PhoneKeys::Until(AccountId(Uuid::nil()))),
            Some(DONE) => Ok(PhoneKeys::Done),
            Some(account) => {
                account.parse().map(PhoneKeys::Until).map_err(|wrong| unreadable("installation", FACT, "value", wrong))
            }
        }
    }

    fn value(self) -> String {
        match self {
            PhoneKeys::Until(account) => account.to_string(),
            PhoneKeys::Done => DONE.to_owned(),
        }
    }
}

impl Store {
    /// Returns how far the unique keys of phone numbers are rebuilt.
    pub async fn phone_keys(&self) -> Result<PhoneKeys, Error> {
        PhoneKeys::read(self.find_fact(FACT).await?)
    }

    /// Returns the verified phone numbers of at most `limit` accounts after an identifier, ordered by identifier; accounts
    /// without one are included.
    pub async fn phone_records(&self, after: AccountId, limit: i64) -> Result<Vec<PhoneRecord>, Error> {
        self.query(PAGE, parameters![after, limit], phone_record).await
    }

    /// Returns the verified phone numbers of the accounts among `ids` that exist, in any order.
    pub async fn phone_records_of(&self, ids: &[AccountId]) -> Result<Vec<PhoneRecord>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.query_each(BY_IDS, ids.iter().map(|id| parameters![*id]), phone_record),
            Store::Postgres(postgres) => {
                let ids = Parameter::Uuids(ids.iter().map(|id| id.0).collect());
                postgres.query(BY_IDS, &[ids], phone_record).await
            }
        }
    }

    /// Writes a batch. Fails with [`Error::Unavailable`], and writes nothing, if another instance has made progress or an
    /// account that decides it was changed since it was read.
    pub async fn rebuild_phone_keys(&self, batch: &PhoneKeyBatch) -> Result<(), Error> {
        let queries = self.rebuilding(batch);
        let (queries, expected): (Vec<Query>, Vec<Expected>) = queries.into_iter().unzip();
        let accept = move |touched: &[u64]| {
            expected.iter().zip(touched).try_for_each(|(expected, touched)| expected.check(*touched))
        };
        self.execute_if(queries, accept).await.map(drop)
    }

    fn rebuilding(&self, batch: &PhoneKeyBatch) -> Vec<(Query, Expected)> {
        let mut advance = values!(INSTALLATION { name: FACT, value: batch.to.value() });
        advance.push(match batch.from {
            // No value is empty: the first batch inserts the fact.
            PhoneKeys::Until(AccountId(id)) if id.is_nil() => Parameter::from(""),
            from => Parameter::from(from.value()),
        });
        let mut queries = vec![((ADVANCE, advance).into(), Expected::Rows(1))];
        match self {
            Store::Sqlite(_) => {
                let lock = |(id, version): &(AccountId, i64)| (LOCK, parameters![*id, *version]).into();
                queries.extend(batch.decided_by.iter().map(|decided| (lock(decided), Expected::Rows(1))));
            }
            Store::Postgres(_) => {
                let ids = batch.decided_by.iter().map(|(id, _)| id.0).collect();
                let versions = batch.decided_by.iter().map(|(_, version)| *version).collect();
                let lock = (LOCK, vec![Parameter::Uuids(ids), Parameter::Integers(versions)]);
                queries.push((lock.into(), Expected::Rows(batch.decided_by.len() as u64)));
            }
        }
        for update in &batch.updates {
            queries.push(((accounts::SET, record::account_values(&update.account)).into(), Expected::Rows(1)));
            queries.push(((history::ADD, record::entry_values(&update.entry)).into(), Expected::Any));
            queries.extend(accounts::releases(update).map(|query| (query, Expected::Any)));
            let effects = update.effects.iter().map(|effect| (effect.query(), Expected::Effect(effect.clone())));
            queries.extend(effects);
        }
        queries.extend(self.with_keys(RELEASE, &batch.release).into_iter().map(|query| (query, Expected::Any)));
        for claim in self.with_keys(CLAIM, &batch.claim) {
            queries.push((Query { claims: Some(Unique::Phone), ..claim }, Expected::Any));
        }
        queries
    }

    /// Returns the queries of a statement with keys: one on PostgreSQL, one for each key on SQLite.
    fn with_keys(&self, statement: Statement, keys: &[OwnedKey]) -> Vec<Query> {
        match self {
            Store::Sqlite(_) => {
                let of = |key: &OwnedKey| accounts::claim_values(key.tenant, &key.unique_key, key.owner);
                keys.iter().map(|key| (statement, of(key)).into()).collect()
            }
            Store::Postgres(_) if keys.is_empty() => Vec::new(),
            Store::Postgres(_) => {
                let mut lists = lists(keys.iter().map(|key| (key.tenant, &key.unique_key)));
                lists.push(Parameter::Uuids(keys.iter().map(|key| key.owner.0).collect()));
                vec![(statement, lists).into()]
            }
        }
    }
}

/// How many rows a query of a batch must touch.
enum Expected {
    Any,
    Rows(u64),
    Effect(Effect),
}

impl Expected {
    fn check(&self, touched: u64) -> Result<(), Error> {
        match self {
            Expected::Any => Ok(()),
            Expected::Rows(rows) if *rows == touched => Ok(()),
            Expected::Rows(_) => Err(Error::Unavailable(Cause::new(
                "an account changed while the unique keys of phone numbers were rebuilt",
            ))),
            Expected::Effect(effect) => effect.check(touched),
        }
    }
}

fn phone_record(row: &dyn Row) -> Result<PhoneRecord, Error> {
    let account: AccountId = Stored::read(row, 0).map_err(|wrong| unreadable("account", "?", "id", wrong))?;
    fn read<T: Stored>(row: &dyn Row, account: AccountId, position: usize, column: &str) -> Result<T, Error> {
        T::read(row, position).map_err(|wrong| unreadable("account", account, column, wrong))
    }
    let verified = read(row, account, 3, "phone_verified")?;
    let phone = match verified {
        true => {
            read::<Plain>(row, account, 4, "personal_key")?;
            read(row, account, 5, Field::Phone.name())?
        }
        false => None,
    };
    let (tenant, version) = (read(row, account, 1, "tenant_id")?, read(row, account, 2, "version")?);
    let created_at = read(row, account, 6, "created_at")?;
    Ok(PhoneRecord { account, tenant, version, verified, phone, created_at })
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[PAGE, BY_IDS, ADVANCE, LOCK, RELEASE, CLAIM];

/// The statements about a list of accounts, of which PostgreSQL has one for the whole list.
#[cfg(test)]
pub(super) const OF_SEVERAL_ACCOUNTS: &[Statement] = &[LOCK, RELEASE];

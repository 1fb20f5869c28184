//! Bulk import of accounts.

use std::collections::HashMap;

use super::statement::{Statement, select, statement};
use super::table::{Columns, Table, Values};
use super::tables::{ACCOUNT, HISTORY, IDENTITY, STORED_PICTURE, UNIQUE_KEY};
use super::value::{Parameter, Row, always, computed, parameters};
use super::{Identity, Link, PictureState, Query, Store, UniqueKey, Update, accounts, identities, pictures, record};
use crate::account::{Account, AccountId, Error, Picture, TenantId};
use crate::keys::KeyedHash;
use crate::telemetry::{self, Stopwatch};

/// An imported account, ready to be added.
#[derive(Clone)]
pub struct ImportedAccount {
    /// The account, its first history entry, and its unique keys.
    pub update: Update,
    /// Its identities at other providers.
    pub links: Vec<Link>,
}

/// A value that an imported account claims and another account already owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The position of the imported account.
    pub position: usize,
    /// The kind of value: `number`, `email`, `phone`, `username`, `biz_id`, `identities` or
    /// `picture`.
    pub what: &'static str,
    /// The account that owns it.
    pub owner: AccountId,
}

// Only PostgreSQL handles a whole list in one statement; SQLite runs its statement once for each element.
const BY_IDS: Statement =
    Statement { sqlite: accounts::BY_ID.sqlite, postgres: select!(ACCOUNT, "WHERE account.id = ANY(?1)").postgres };
const LINKED_TO: Statement = Statement {
    sqlite: select!(IDENTITY, "WHERE identity.issuer = ?1 AND identity.subject_key = ?2").sqlite,
    postgres: select!(
        IDENTITY,
        "JOIN unnest(?1::text[], ?2::bytea[]) AS w(issuer, subject_key) \
         ON identity.issuer = w.issuer AND identity.subject_key = w.subject_key"
    )
    .postgres,
};
const IDENTITIES: Statement = Statement {
    sqlite: select!(IDENTITY, "WHERE identity.account_id = ?1").sqlite,
    postgres: select!(IDENTITY, "WHERE identity.account_id = ANY(?1)").postgres,
};
const DRAW: Statement = statement!("UPDATE counter SET last = last + ?1 WHERE name = 'account' RETURNING last");
const RAISE: Statement = statement!("UPDATE counter SET last = ?1 WHERE name = 'account' AND last < ?1");

impl Store {
    /// Returns the accounts among `ids` that exist, in any order.
    pub async fn accounts_with(&self, ids: &[AccountId]) -> Result<Vec<Account>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.query_each(BY_IDS, ids.iter().map(|id| parameters![*id]), record::account),
            Store::Postgres(postgres) => postgres.query(BY_IDS, &[list(ids)], record::account).await,
        }
    }

    /// Returns the identities of accounts at other providers, in any order.
    pub async fn identities_of(&self, ids: &[AccountId]) -> Result<Vec<(AccountId, Identity)>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.query_each(IDENTITIES, ids.iter().map(|id| parameters![*id]), identity),
            Store::Postgres(postgres) => postgres.query(IDENTITIES, &[list(ids)], identity).await,
        }
    }

    /// Draws `count` account numbers at once and returns the last of them.
    pub async fn draw_account_numbers(&self, count: i64) -> Result<i64, Error> {
        let drawn = self.write(DRAW, parameters![count], |row| computed(row, 0)).await?;
        always(drawn.into_iter().next())
    }

    /// Adds accounts, all or none, and makes sure that numbers drawn later are higher. Returns false, and writes nothing,
    /// when another account owns a value that one of them claims; [`Store::conflicts`] finds out which.
    pub async fn add_accounts(&self, imported_accounts: &[&ImportedAccount]) -> Result<bool, Error> {
        let accounts = || imported_accounts.iter().map(|imported_account| &imported_account.update.account);
        let Some(highest) = accounts().map(|account| account.number).max() else { return Ok(true) };
        let rows = vec![
            (ACCOUNT.table(), accounts().map(record::account_values).collect()),
            (UNIQUE_KEY.table(), unique_key_rows(imported_accounts)),
            (
                HISTORY.table(),
                imported_accounts
                    .iter()
                    .map(|imported_account| record::entry_values(&imported_account.update.entry))
                    .collect(),
            ),
            (IDENTITY.table(), identity_rows(imported_accounts)),
            (STORED_PICTURE.table(), picture_rows(imported_accounts)),
        ];
        match self.insert(rows, vec![(RAISE, parameters![highest]).into()]).await {
            Ok(()) => Ok(true),
            Err(Error::Taken(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the values that imported accounts claim and other accounts already own.
    pub async fn conflicts(&self, imported_accounts: &[&ImportedAccount]) -> Result<Vec<Conflict>, Error> {
        let keys: Vec<_> =
            unique_keys(imported_accounts).map(|(_, _, tenant, unique_key)| (tenant, unique_key)).collect();
        let owners = self.owners(&keys).await?;
        let linked_accounts: HashMap<_, _> = self.linked_accounts(imported_accounts).await?.into_iter().collect();
        let names = stored_pictures(imported_accounts).map(|(_, name)| name.to_owned()).collect();
        let picture_owners = self.picture_owners(names).await?.into_iter().map(|(owner, name)| (name, owner));
        let picture_owners: HashMap<String, AccountId> = picture_owners.collect();
        let unique_keys = unique_keys(imported_accounts).filter_map(|(position, _, tenant, unique_key)| {
            let owner = *owners.get(&(tenant, unique_key.key))?;
            Some(Conflict { position, what: unique_key.kind.name(), owner })
        });
        let linked = links(imported_accounts).filter_map(|(position, link)| {
            let owner = *linked_accounts.get(&(link.identity.issuer.clone(), link.key))?;
            Some(Conflict { position, what: "identities", owner })
        });
        let pictures = stored_pictures(imported_accounts).filter_map(|(position, name)| {
            Some(Conflict { position, what: "picture", owner: *picture_owners.get(name)? })
        });
        Ok(unique_keys.chain(linked).chain(pictures).collect())
    }

    async fn linked_accounts(&self, imported_accounts: &[&ImportedAccount]) -> Result<Vec<LinkedTo>, Error> {
        match self {
            Store::Sqlite(sqlite) => {
                let each =
                    links(imported_accounts).map(|(_, link)| parameters![link.identity.issuer.as_str(), link.key]);
                sqlite.query_each(LINKED_TO, each, linked_to)
            }
            Store::Postgres(postgres) => {
                let lists = [
                    Parameter::Texts(links(imported_accounts).map(|(_, link)| link.identity.issuer.clone()).collect()),
                    Parameter::BytesList(links(imported_accounts).map(|(_, link)| link.key.to_vec()).collect()),
                ];
                postgres.query(LINKED_TO, &lists, linked_to).await
            }
        }
    }

    /// Writes rows, then runs queries, in one transaction.
    async fn insert(&self, rows: Vec<(&'static Table, Vec<Values>)>, queries: Vec<Query>) -> Result<(), Error> {
        let took = Stopwatch::start();
        let inserted = match self {
            Store::Sqlite(sqlite) => sqlite.insert(rows, queries).await,
            Store::Postgres(postgres) => postgres.insert(rows, queries).await,
        };
        telemetry::store("write", took, &inserted);
        inserted
    }
}

impl ImportedAccount {
    /// Returns a name for each value that only one account may have, to detect duplicates among imported accounts.
    pub fn names(&self) -> Vec<(&'static str, Vec<u8>)> {
        let one = [self];
        let id = ("id", id_name(self.update.account.id));
        let unique_keys = unique_keys(&one).map(|(_, _, tenant, unique_key)| {
            let kind = unique_key.kind.name();
            (kind, [tenant.0.as_bytes(), kind.as_bytes(), b"\0", &unique_key.key].concat())
        });
        let linked = links(&one).map(|(_, link)| {
            ("identities", [b"identity\0", link.identity.issuer.as_bytes(), b"\0", &link.key].concat())
        });
        let pictures = stored_pictures(&one).map(|(_, name)| ("picture", [b"picture\0", name.as_bytes()].concat()));
        [id].into_iter().chain(unique_keys).chain(linked).chain(pictures).collect()
    }
}

/// Returns the name of an account's identifier, as in [`ImportedAccount::names`].
pub fn id_name(id: AccountId) -> Vec<u8> {
    [b"id\0", id.0.as_bytes().as_slice()].concat()
}

type LinkedTo = ((String, KeyedHash), AccountId);

/// Returns every unique key of imported accounts, including their numbers, each with its account's position and identifier
/// and with its tenant.
fn unique_keys<'a>(
    imported_accounts: &'a [&'a ImportedAccount],
) -> impl Iterator<Item = (usize, AccountId, TenantId, UniqueKey)> + 'a {
    imported_accounts.iter().enumerate().flat_map(|(position, imported_account)| {
        let account = &imported_account.update.account;
        let number = (accounts::INSTALLATION, accounts::number_key(account.number));
        let claims = imported_account.update.claim.iter().map(|unique_key| (account.tenant_id, unique_key.clone()));
        [number].into_iter().chain(claims).map(move |(tenant, unique_key)| (position, account.id, tenant, unique_key))
    })
}

fn links<'a>(imported_accounts: &'a [&'a ImportedAccount]) -> impl Iterator<Item = (usize, &'a Link)> {
    imported_accounts
        .iter()
        .enumerate()
        .flat_map(|(position, imported_account)| imported_account.links.iter().map(move |link| (position, link)))
}

/// Returns the names of the stored pictures that imported accounts show, each with its account's position.
fn stored_pictures<'a>(imported_accounts: &'a [&'a ImportedAccount]) -> impl Iterator<Item = (usize, &'a str)> {
    imported_accounts.iter().enumerate().filter_map(|(position, imported_account)| {
        match imported_account.update.account.picture() {
            Some(Picture::Stored { name, .. }) => Some((position, name)),
            _ => None,
        }
    })
}

fn picture_rows(imported_accounts: &[&ImportedAccount]) -> Vec<Values> {
    let row = |(position, name): (usize, &str)| {
        let account = &imported_accounts[position].update.account;
        pictures::row(account.id, name, PictureState::Shown, account.updated_at)
    };
    stored_pictures(imported_accounts).map(row).collect()
}

/// Returns rows in the order of their keys, which are hashes, so that each index page is changed once rather than once per
/// row.
fn unique_key_rows(imported_accounts: &[&ImportedAccount]) -> Vec<Values> {
    let mut unique_keys: Vec<_> = unique_keys(imported_accounts).collect();
    unique_keys.sort_by(|(_, _, one_tenant, one), (_, _, other_tenant, other)| {
        (one_tenant.0, one.kind.name(), one.key).cmp(&(other_tenant.0, other.kind.name(), other.key))
    });
    unique_keys
        .iter()
        .map(|(_, account, tenant, unique_key)| accounts::claim_values(*tenant, unique_key, *account))
        .collect()
}

/// Returns rows in the order of their keys, like [`unique_key_rows`].
fn identity_rows(imported_accounts: &[&ImportedAccount]) -> Vec<Values> {
    let mut linked: Vec<_> =
        links(imported_accounts).map(|(position, link)| (link, &imported_accounts[position].update.account)).collect();
    linked.sort_by(|(one, _), (other, _)| (&one.identity.issuer, one.key).cmp(&(&other.identity.issuer, other.key)));
    let row = |(link, account): (&Link, &Account)| identities::link_values(account.id, link, account.created_at);
    linked.into_iter().map(row).collect()
}

fn list(ids: &[AccountId]) -> Parameter {
    Parameter::Uuids(ids.iter().map(|id| id.0).collect())
}

fn linked_to(row: &dyn Row) -> Result<LinkedTo, Error> {
    let record = IDENTITY.at(row, 0);
    let linked_accounts = (record.get(IDENTITY.issuer)?, record.get(IDENTITY.subject_key)?);
    Ok((linked_accounts, record.get(IDENTITY.account_id)?))
}

fn identity(row: &dyn Row) -> Result<(AccountId, Identity), Error> {
    Ok((IDENTITY.at(row, 0).get(IDENTITY.account_id)?, record::identity(row)?))
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[BY_IDS, LINKED_TO, IDENTITIES, DRAW, RAISE];

//! Accounts that come from elsewhere, many at a time.

use std::collections::HashMap;

use super::statement::{Statement, select, statement};
use super::table::{Columns, Table, Values};
use super::tables::{ACCOUNT, HISTORY, HOLDING, IDENTITY};
use super::value::{Parameter, Row, always, computed, parameters};
use super::{Holding, Identity, Link, Query, Store, Update, accounts, identities, record};
use crate::account::{Account, AccountId, Error, TenantId};
use crate::keys::KeyedHash;
use crate::telemetry::{self, Stopwatch};

/// An account that comes from elsewhere, ready to be added.
#[derive(Clone)]
pub struct Arrival {
    /// The account, the first entry of its history, and what it holds.
    pub update: Update,
    /// Who it is at other identity providers.
    pub links: Vec<Link>,
}

/// What an arrival would have and another account has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The arrival, by its position.
    pub arrival: usize,
    /// What it is: `number`, `email`, `phone`, `username`, `biz_id` or `identities`.
    pub what: &'static str,
    /// Who has it.
    pub holder: AccountId,
}

// One statement for a whole list is PostgreSQL's alone: SQLite runs the other for each member of the list.
const BY_IDS: Statement =
    Statement { sqlite: accounts::BY_ID.sqlite, postgres: select!(ACCOUNT, "WHERE account.id = ANY(?1)").postgres };
const HOLDERS: Statement = Statement {
    sqlite: accounts::HOLDER.sqlite,
    postgres: select!(
        HOLDING,
        "JOIN unnest(?1::uuid[], ?2::text[], ?3::bytea[]) AS w(tenant_id, kind, key) \
         ON holding.tenant_id = w.tenant_id AND holding.kind = w.kind AND holding.key = w.key"
    )
    .postgres,
};
const BOUND_TO: Statement = Statement {
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
    /// Those accounts that there are, in any order.
    pub async fn accounts_with(&self, ids: &[AccountId]) -> Result<Vec<Account>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.query_each(BY_IDS, ids.iter().map(|id| parameters![*id]), record::account),
            Store::Postgres(postgres) => postgres.query(BY_IDS, &[list(ids)], record::account).await,
        }
    }

    /// Who accounts are at other identity providers, in any order.
    pub async fn identities_of(&self, ids: &[AccountId]) -> Result<Vec<(AccountId, Identity)>, Error> {
        match self {
            Store::Sqlite(sqlite) => sqlite.query_each(IDENTITIES, ids.iter().map(|id| parameters![*id]), identity),
            Store::Postgres(postgres) => postgres.query(IDENTITIES, &[list(ids)], identity).await,
        }
    }

    /// Draws so many account numbers at once and returns the last of them.
    pub async fn draw_account_numbers(&self, count: i64) -> Result<i64, Error> {
        let drawn = self.write(DRAW, parameters![count], |row| computed(row, 0)).await?;
        always(drawn.into_iter().next())
    }

    /// Adds accounts, all or none, and sees to it that numbers drawn from now on are higher. False when another account
    /// has what one of them would have, and then nothing is written: [`Store::conflicts`] finds out which.
    pub async fn add_accounts(&self, arrivals: &[&Arrival]) -> Result<bool, Error> {
        let accounts = || arrivals.iter().map(|arrival| &arrival.update.account);
        let Some(highest) = accounts().map(|account| account.number).max() else { return Ok(true) };
        let rows = vec![
            (ACCOUNT.table(), accounts().map(record::account_values).collect()),
            (HOLDING.table(), holding_rows(arrivals)),
            (HISTORY.table(), arrivals.iter().map(|arrival| record::entry_values(&arrival.update.entry)).collect()),
            (IDENTITY.table(), identity_rows(arrivals)),
        ];
        match self.insert(rows, vec![(RAISE, parameters![highest]).into()]).await {
            Ok(()) => Ok(true),
            Err(Error::Taken(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What arrivals would have and other accounts have already.
    pub async fn conflicts(&self, arrivals: &[&Arrival]) -> Result<Vec<Conflict>, Error> {
        let holders: HashMap<_, _> = self.holders(arrivals).await?.into_iter().collect();
        let bound: HashMap<_, _> = self.bound(arrivals).await?.into_iter().collect();
        let held = held(arrivals).filter_map(|(arrival, _, tenant, holding)| {
            let holder = *holders.get(&(tenant, holding.kind.name().to_owned(), holding.key))?;
            Some(Conflict { arrival, what: holding.kind.name(), holder })
        });
        let linked = links(arrivals).filter_map(|(arrival, link)| {
            let holder = *bound.get(&(link.identity.issuer.clone(), link.key))?;
            Some(Conflict { arrival, what: "identities", holder })
        });
        Ok(held.chain(linked).collect())
    }

    async fn holders(&self, arrivals: &[&Arrival]) -> Result<Vec<Holder>, Error> {
        match self {
            Store::Sqlite(sqlite) => {
                let each = held(arrivals).map(|(_, _, tenant, held)| parameters![tenant, held.kind.name(), held.key]);
                sqlite.query_each(HOLDERS, each, holder)
            }
            Store::Postgres(postgres) => {
                let held: Vec<_> = held(arrivals).map(|(_, _, tenant, holding)| (tenant, holding)).collect();
                let lists = [
                    Parameter::Uuids(held.iter().map(|(tenant, _)| tenant.0).collect()),
                    Parameter::Texts(held.iter().map(|(_, holding)| holding.kind.name().to_owned()).collect()),
                    Parameter::BytesList(held.iter().map(|(_, holding)| holding.key.to_vec()).collect()),
                ];
                postgres.query(HOLDERS, &lists, holder).await
            }
        }
    }

    async fn bound(&self, arrivals: &[&Arrival]) -> Result<Vec<BoundTo>, Error> {
        match self {
            Store::Sqlite(sqlite) => {
                let each = links(arrivals).map(|(_, link)| parameters![link.identity.issuer.as_str(), link.key]);
                sqlite.query_each(BOUND_TO, each, bound_to)
            }
            Store::Postgres(postgres) => {
                let lists = [
                    Parameter::Texts(links(arrivals).map(|(_, link)| link.identity.issuer.clone()).collect()),
                    Parameter::BytesList(links(arrivals).map(|(_, link)| link.key.to_vec()).collect()),
                ];
                postgres.query(BOUND_TO, &lists, bound_to).await
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

impl Arrival {
    /// Names what only one account may have, one name for each thing: to find it twice among arrivals.
    pub fn names(&self) -> Vec<(&'static str, Vec<u8>)> {
        let one = [self];
        let id = ("id", id_name(self.update.account.id));
        let held = held(&one).map(|(_, _, tenant, holding)| {
            let kind = holding.kind.name();
            (kind, [tenant.0.as_bytes(), kind.as_bytes(), b"\0", &holding.key].concat())
        });
        let linked = links(&one).map(|(_, link)| {
            ("identities", [b"identity\0", link.identity.issuer.as_bytes(), b"\0", &link.key].concat())
        });
        [id].into_iter().chain(held).chain(linked).collect()
    }
}

/// Names an account's identifier, as [`Arrival::names`] does.
pub fn id_name(id: AccountId) -> Vec<u8> {
    [b"id\0", id.0.as_bytes().as_slice()].concat()
}

type Holder = ((TenantId, String, KeyedHash), AccountId);
type BoundTo = ((String, KeyedHash), AccountId);

/// Everything that arrivals would hold, their numbers too, each with its arrival's position and identifier.
fn held<'a>(arrivals: &'a [&'a Arrival]) -> impl Iterator<Item = (usize, AccountId, TenantId, Holding)> + 'a {
    arrivals.iter().enumerate().flat_map(|(position, arrival)| {
        let account = &arrival.update.account;
        let number = (accounts::INSTALLATION, accounts::number_held(account.number));
        let claims = arrival.update.claim.iter().map(|holding| (account.tenant_id, holding.clone()));
        [number].into_iter().chain(claims).map(move |(tenant, holding)| (position, account.id, tenant, holding))
    })
}

fn links<'a>(arrivals: &'a [&'a Arrival]) -> impl Iterator<Item = (usize, &'a Link)> {
    arrivals.iter().enumerate().flat_map(|(position, arrival)| arrival.links.iter().map(move |link| (position, link)))
}

/// In the order of their keys, which are hashes: so each page of the index is changed once, not once a row.
fn holding_rows(arrivals: &[&Arrival]) -> Vec<Values> {
    let mut held: Vec<_> = held(arrivals).collect();
    held.sort_by(|(_, _, one_tenant, one), (_, _, other_tenant, other)| {
        (one_tenant.0, one.kind.name(), one.key).cmp(&(other_tenant.0, other.kind.name(), other.key))
    });
    held.iter().map(|(_, account, tenant, holding)| accounts::claim_values(*tenant, holding, *account)).collect()
}

/// In the order of their keys, like [`holding_rows`].
fn identity_rows(arrivals: &[&Arrival]) -> Vec<Values> {
    let mut linked: Vec<_> =
        links(arrivals).map(|(position, link)| (link, &arrivals[position].update.account)).collect();
    linked.sort_by(|(one, _), (other, _)| (&one.identity.issuer, one.key).cmp(&(&other.identity.issuer, other.key)));
    let row = |(link, account): (&Link, &Account)| identities::link_values(account.id, link, account.created_at);
    linked.into_iter().map(row).collect()
}

fn list(ids: &[AccountId]) -> Parameter {
    Parameter::Uuids(ids.iter().map(|id| id.0).collect())
}

fn holder(row: &dyn Row) -> Result<Holder, Error> {
    let record = HOLDING.at(row, 0);
    let held = (record.get(HOLDING.tenant_id)?, record.get(HOLDING.kind)?, record.get(HOLDING.key)?);
    Ok((held, record.get(HOLDING.account_id)?))
}

fn bound_to(row: &dyn Row) -> Result<BoundTo, Error> {
    let record = IDENTITY.at(row, 0);
    let bound = (record.get(IDENTITY.issuer)?, record.get(IDENTITY.subject_key)?);
    Ok((bound, record.get(IDENTITY.account_id)?))
}

fn identity(row: &dyn Row) -> Result<(AccountId, Identity), Error> {
    Ok((IDENTITY.at(row, 0).get(IDENTITY.account_id)?, record::identity(row)?))
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] = &[BY_IDS, HOLDERS, BOUND_TO, IDENTITIES, DRAW, RAISE];

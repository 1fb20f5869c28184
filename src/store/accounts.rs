use uuid::Uuid;

use super::statement::{Part, Statement, insert, parts, select, statement};
use super::table::{Columns, Values, values};
use super::tables::{ACCOUNT, UNIQUE_KEY};
use super::value::parameters;
use super::{
    CallerRecord, Effect, Link, Query, Store, UniqueKey, Update, history, identities, record, secure_channel, tokens,
};
use crate::account::{Account, AccountId, Error, TenantId, Unique};
use crate::keys::KeyedHash;

pub(super) const BY_ID: Statement = select!(ACCOUNT, "WHERE account.id = ?1");
const OF_TENANT: Statement = select!(ACCOUNT, "WHERE account.id = ?1 AND account.tenant_id = ?2");
const LIST: Statement = select!(ACCOUNT, "WHERE account.id > ?1 ORDER BY account.id LIMIT ?2");
const LIST_OF_TENANT: Statement =
    select!(ACCOUNT, "WHERE account.id > ?1 AND account.tenant_id = ?3 ORDER BY account.id LIMIT ?2");

// The one query of every request. Each table of an account is asked by the account that is the parameter ?1, and not by a
// column of another table: a database that spreads accounts over several servers then asks one of them.

/// Columns in the order of [`record::caller_record`]; ?2 is the token.
const CALLER_COLUMNS: Part = Part::All(parts![
    "SELECT ",
    { Part::Columns(ACCOUNT.table()) },
    ", ",
    { record::TENANT_WITH_SCHEMA },
    ", (SELECT h.not_before FROM token_horizon h WHERE h.account_id = ?1), ",
    { tokens::IS_REVOKED },
]);
/// The columns that [`record::bound_caller_record`] reads after those.
const BINDING_COLUMNS: Part = Part::Text(", b.client_hash, b.expires_at");
const CALLER_TABLES: Part = Part::Text(" FROM account JOIN tenant ON tenant.id = account.tenant_id");
/// Whether the identity (?3, ?4) is linked to the account.
const IS_LINKED: Part = Part::Text(
    " AND EXISTS (SELECT 1 FROM identity i WHERE i.issuer = ?3 AND i.subject_key = ?4 AND i.account_id = ?1)",
);
const CALLER: Statement = statement!({ CALLER_COLUMNS }, { CALLER_TABLES }, " WHERE account.id = ?1");
pub(super) const LINKED_CALLER: Statement =
    statement!({ CALLER_COLUMNS }, { CALLER_TABLES }, " WHERE account.id = ?1", { IS_LINKED });
const BOUND_CALLER: Statement = statement!(
    { CALLER_COLUMNS },
    { BINDING_COLUMNS },
    { CALLER_TABLES },
    " LEFT JOIN client_binding b ON b.account_id = ?1 AND b.session = ?3 WHERE account.id = ?1"
);
const BOUND_LINKED_CALLER: Statement = statement!(
    { CALLER_COLUMNS },
    { BINDING_COLUMNS },
    { CALLER_TABLES },
    " LEFT JOIN client_binding b ON b.account_id = ?1 AND b.session = ?5 WHERE account.id = ?1",
    { IS_LINKED }
);

/// Writes an account over its previous version; the parameters are those of [`record::account_values`].
pub(super) const CHANGE: Part = Part::All(parts![
    "UPDATE account SET ",
    { Part::Assignments(ACCOUNT.table()) },
    " WHERE id = ",
    { ACCOUNT.id.place() },
    " AND version + 1 = ",
    { ACCOUNT.version.place() },
]);
pub(super) const SET: Statement = statement!({ CHANGE });
const ADD: Statement = insert!(ACCOUNT);
pub(super) const CLAIM: Statement = insert!(UNIQUE_KEY);
pub(super) const RELEASE: Statement =
    statement!("DELETE FROM unique_key WHERE tenant_id = ?1 AND kind = ?2 AND key = ?3 AND account_id = ?4");
pub(super) const OWNER: Statement =
    select!(UNIQUE_KEY, "WHERE unique_key.tenant_id = ?1 AND unique_key.kind = ?2 AND unique_key.key = ?3");

/// The nil tenant, which owns the account numbers: they are unique within the installation.
pub(super) const INSTALLATION: TenantId = TenantId(Uuid::nil());

/// Returns the unique key of an account number.
pub(super) fn number_key(number: i64) -> UniqueKey {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    UniqueKey { kind: Unique::Number, key }
}

/// An account, and what decides a request of one of its tokens.
#[derive(Clone, Copy, Debug)]
pub struct CallerQuery<'a> {
    /// The account.
    pub account: AccountId,
    /// The identity at another provider (issuer, keyed hash of the subject) that must be linked to the account; `None` for a
    /// token of this installation, which names the account itself.
    pub identity: Option<(&'a str, KeyedHash)>,
    /// The keyed hash of the token's identifier, if it has one.
    pub token: Option<KeyedHash>,
    /// The session whose client binding is read; `None` if it does not matter to the request.
    pub session: Option<KeyedHash>,
}

impl Store {
    /// Returns the account with this identifier.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.find(BY_ID, parameters![id], record::account).await
    }

    /// Returns the account with this identifier if it belongs to this tenant; an account of another tenant is not read.
    pub async fn account_of(&self, tenant: TenantId, id: AccountId) -> Result<Option<Account>, Error> {
        self.find(OF_TENANT, parameters![id, tenant], record::account).await
    }

    /// Returns at most `limit` accounts after an identifier, ordered by identifier, of one tenant or of all.
    pub async fn accounts(
        &self,
        after: AccountId,
        tenant: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<Account>, Error> {
        match tenant {
            Some(tenant) => self.query(LIST_OF_TENANT, parameters![after, limit, tenant], record::account).await,
            None => self.query(LIST, parameters![after, limit], record::account).await,
        }
    }

    /// Returns an account with everything that decides the request, in one query. `None` if there is no such account, or the
    /// identity is not linked to it at this moment.
    pub async fn caller(&self, query: &CallerQuery<'_>) -> Result<Option<CallerRecord>, Error> {
        let CallerQuery { account, identity, token, session } = *query;
        let mut bound = parameters![account, token];
        if let Some((issuer, subject_key)) = identity {
            bound.extend(parameters![issuer, subject_key]);
        }
        let Some(session) = session else {
            let statement = if identity.is_some() { LINKED_CALLER } else { CALLER };
            return self.find(statement, bound, record::caller_record).await;
        };
        bound.push(session.into());
        let statement = if identity.is_some() { BOUND_LINKED_CALLER } else { BOUND_CALLER };
        self.find(statement, bound, record::bound_caller_record).await
    }

    /// Returns the account that owns a unique key.
    pub async fn owner_of(&self, tenant: TenantId, unique_key: &UniqueKey) -> Result<Option<AccountId>, Error> {
        let bound = parameters![tenant, unique_key.kind.name(), unique_key.key];
        self.find(OWNER, bound, |row| UNIQUE_KEY.at(row, 0).get(UNIQUE_KEY.account_id)).await
    }

    /// Adds an account with its first history entry, its unique keys, its identity at a provider, and the update's effects;
    /// [`Error::Taken`] when another account owns one of these.
    pub async fn add_account(&self, update: &Update, link: Option<&Link>) -> Result<(), Error> {
        let account = &update.account;
        let mut queries: Vec<Query> = vec![
            (ADD, record::account_values(account)).into(),
            claim(INSTALLATION, &number_key(account.number), account.id),
        ];
        queries.extend(link.map(|link| identities::linking(account.id, link, account.created_at)));
        queries.extend(claims(update));
        queries.push((history::ADD, record::entry_values(&update.entry)).into());
        queries.extend(update.nonce.iter().flat_map(secure_channel::using));
        let first_effect = queries.len();
        queries.extend(update.effects.iter().map(Effect::query));
        let effects = update.effects.clone();
        let accept = move |touched: &[u64]| {
            effects.iter().zip(&touched[first_effect..]).try_for_each(|(effect, touched)| effect.check(*touched))
        };
        let added = self.execute_if(queries, accept).await.map(drop);
        if matches!(added, Err(Error::Taken(Unique::Number))) {
            self.forget_numbers().await;
        }
        added
    }
}

/// Returns the query that claims a unique key for an account.
fn claim(tenant: TenantId, unique_key: &UniqueKey, account: AccountId) -> Query {
    Query { statement: CLAIM, parameters: claim_values(tenant, unique_key, account), claims: Some(unique_key.kind) }
}

pub(super) fn claim_values(tenant: TenantId, unique_key: &UniqueKey, account: AccountId) -> Values {
    values!(UNIQUE_KEY { tenant_id: tenant, kind: unique_key.kind.name(), key: unique_key.key, account_id: account })
}

/// Returns one query for each unique key that an update claims, so that a violated constraint identifies the key.
pub(super) fn claims(update: &Update) -> impl Iterator<Item = Query> {
    let account = &update.account;
    update.claim.iter().map(|unique_key| claim(account.tenant_id, unique_key, account.id))
}

/// Returns one query for each unique key that an update releases.
pub(super) fn releases(update: &Update) -> impl Iterator<Item = Query> {
    let account = &update.account;
    let parameters =
        |unique_key: &UniqueKey| parameters![account.tenant_id, unique_key.kind.name(), unique_key.key, account.id];
    update.release.iter().map(move |unique_key| (RELEASE, parameters(unique_key)).into())
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[
    BY_ID,
    OF_TENANT,
    LIST,
    LIST_OF_TENANT,
    CALLER,
    LINKED_CALLER,
    BOUND_CALLER,
    BOUND_LINKED_CALLER,
    SET,
    ADD,
    CLAIM,
    RELEASE,
    OWNER,
];

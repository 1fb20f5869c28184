use uuid::Uuid;

use super::statement::{Statement, account_assignments, account_columns, statement, tenant_columns};
use super::value::{parameters, present};
use super::{Effect, Found, Holding, Link, Query, Store, Update, history, identities, record};
use crate::account::{Account, AccountId, Error, TenantId, Unique};
use crate::keys::KeyedHash;

pub(super) const BY_ID: Statement = statement!("SELECT ", account_columns!(), " FROM account a WHERE a.id = ?1");
const OF_TENANT: Statement =
    statement!("SELECT ", account_columns!(), " FROM account a WHERE a.id = ?1 AND a.tenant_id = ?2");
const LIST: Statement =
    statement!("SELECT ", account_columns!(), " FROM account a WHERE a.id > ?1 ORDER BY a.id LIMIT ?2");
const LIST_OF_TENANT: Statement = statement!(
    "SELECT ",
    account_columns!(),
    " FROM account a WHERE a.id > ?1 AND a.tenant_id = ?3 ORDER BY a.id LIMIT ?2"
);

/// What every request's one query returns behind account and tenant; ?2 is the token, ?3 the session.
macro_rules! deciding_columns {
    () => {
        ", (SELECT h.not_before FROM token_horizon h WHERE h.account_id = a.id), \
         EXISTS (SELECT 1 FROM revoked_token r WHERE r.token = ?2), \
         (SELECT b.client_hash FROM client_binding b WHERE b.account_id = a.id AND b.session = ?3) \
         FROM account a JOIN tenant t ON t.id = a.tenant_id "
    };
}
const CALLER_BY_ID: Statement =
    statement!("SELECT ", account_columns!(), ", ", tenant_columns!(), deciding_columns!(), "WHERE a.id = ?1");
const CALLER_BY_IDENTITY: Statement = statement!(
    "SELECT ",
    account_columns!(),
    ", ",
    tenant_columns!(),
    deciding_columns!(),
    "WHERE a.id = (SELECT i.account_id FROM identity i WHERE i.issuer = ?4 AND i.subject_key = ?1)"
);

pub(super) const SET: Statement =
    statement!("UPDATE account SET ", account_assignments!(), " WHERE id = ?1 AND version + 1 = ?28");
const ADD: Statement = statement!(
    "INSERT INTO account (id, number, tenant_id, biz_id, portal, status, personal_key, display_name, given_name, \
     family_name, nickname, username, email, phone, language, time_zone, country, remark, picture, attributes, \
     push_token, wallet_address, auth_location, email_verified, phone_verified, authenticated, auth_valid_until, \
     version, created_at, updated_at, history_head) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
     ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)"
);
pub(super) const CLAIM: Statement =
    statement!("INSERT INTO holding (tenant_id, kind, key, account_id) VALUES (?1, ?2, ?3, ?4)");
pub(super) const RELEASE: Statement =
    statement!("DELETE FROM holding WHERE tenant_id = ?1 AND kind = ?2 AND key = ?3 AND account_id = ?4");
pub(super) const HOLDER: Statement =
    statement!("SELECT account_id FROM holding WHERE tenant_id = ?1 AND kind = ?2 AND key = ?3");

/// Account numbers are unique in the installation: held by no tenant.
pub(super) const INSTALLATION: TenantId = TenantId(Uuid::nil());

/// What an account holds by having a number.
pub(super) fn number_held(number: i64) -> Holding {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    Holding { kind: Unique::Number, key }
}

/// How a request names its account.
#[derive(Clone, Debug)]
pub enum Subject {
    /// By the identifier: tokens of our own.
    Account(AccountId),
    /// By (issuer, keyed hash of the subject): tokens of another identity provider.
    Identity(String, KeyedHash),
}

impl Store {
    /// The account with this identifier.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.find(BY_ID, parameters![id], record::account).await
    }

    /// The account with this identifier, if it is one of this tenant's: another tenant's is not found, and not read.
    pub async fn account_of(&self, tenant: TenantId, id: AccountId) -> Result<Option<Account>, Error> {
        self.find(OF_TENANT, parameters![id, tenant], record::account).await
    }

    /// At most `limit` accounts after an identifier, by identifier, of one tenant or of all.
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

    /// The account that a token names, with everything that decides the request: one query.
    pub async fn caller(
        &self,
        subject: Subject,
        token: Option<KeyedHash>,
        session: KeyedHash,
    ) -> Result<Option<Found>, Error> {
        match subject {
            Subject::Account(id) => self.find(CALLER_BY_ID, parameters![id, token, session], record::found).await,
            Subject::Identity(issuer, subject_key) => {
                let bound = parameters![subject_key, token, session, issuer];
                self.find(CALLER_BY_IDENTITY, bound, record::found).await
            }
        }
    }

    /// Who holds something that only one account may hold.
    pub async fn holder(&self, tenant: TenantId, holding: &Holding) -> Result<Option<AccountId>, Error> {
        let bound = parameters![tenant, holding.kind.name(), holding.key];
        self.find(HOLDER, bound, |row| row.uuid(0).and_then(present).map(AccountId)).await
    }

    /// Adds an account with its first history entry, what it holds, who it is at a provider, and what else happens with
    /// it; [`Error::Taken`] when another account holds it.
    pub async fn add_account(&self, update: &Update, link: Option<&Link>) -> Result<(), Error> {
        let account = &update.account;
        let mut queries: Vec<Query> = vec![
            (ADD, record::account_parameters(account)).into(),
            claim(INSTALLATION, &number_held(account.number), account.id),
        ];
        queries.extend(link.map(|link| identities::linking(account.id, link, account.created_at)));
        queries.extend(claims(update));
        queries.push((history::ADD, record::entry_parameters(&update.entry)).into());
        let first_effect = queries.len();
        queries.extend(update.effects.iter().map(Effect::query));
        let effects = update.effects.clone();
        let accept = move |touched: &[u64]| {
            effects.iter().zip(&touched[first_effect..]).try_for_each(|(effect, touched)| effect.check(*touched))
        };
        self.execute_if(queries, accept).await.map(drop)
    }
}

/// Claims for an account what only one may hold.
fn claim(tenant: TenantId, holding: &Holding, account: AccountId) -> Query {
    let parameters = parameters![tenant, holding.kind.name(), holding.key, account];
    Query { statement: CLAIM, parameters, claims: Some(holding.kind) }
}

/// The statements that claim what an update says, one a claim: so a violated constraint is known to be about one thing.
pub(super) fn claims(update: &Update) -> impl Iterator<Item = Query> {
    let account = &update.account;
    update.claim.iter().map(|holding| claim(account.tenant_id, holding, account.id))
}

/// The statements that release what an update says.
pub(super) fn releases(update: &Update) -> impl Iterator<Item = Query> {
    let account = &update.account;
    let parameters = |holding: &Holding| parameters![account.tenant_id, holding.kind.name(), holding.key, account.id];
    update.release.iter().map(move |holding| (RELEASE, parameters(holding)).into())
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] =
    &[BY_ID, OF_TENANT, LIST, LIST_OF_TENANT, CALLER_BY_ID, CALLER_BY_IDENTITY, SET, ADD, CLAIM, RELEASE, HOLDER];

use uuid::Uuid;

use super::statement::{Statement, account_assignments, account_columns, statement, tenant_columns};
use super::value::{parameters, present};
use super::{Bound, Effect, Found, Holding, Link, Store, Update, history, identities, record};
use crate::account::{Account, AccountId, Error, TenantId};
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
    Holding { kind: "number", key }
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
        let bound = parameters![tenant, holding.kind, holding.key];
        self.find(HOLDER, bound, |row| row.uuid(0).and_then(present).map(AccountId)).await
    }

    /// Adds an account with its first history entry, what it holds, who it is at a provider, and what else happens with
    /// it; [`Error::Taken`] when another account holds it.
    pub async fn add_account(&self, update: &Update, link: Option<&Link>) -> Result<(), Error> {
        let account = &update.account;
        let number = number_held(account.number);
        let mut statements = vec![
            (ADD, record::account_parameters(account)),
            (CLAIM, parameters![INSTALLATION, number.kind, number.key, account.id]),
        ];
        statements.extend(link.map(|link| identities::linking(account.id, link, account.created_at)));
        statements.extend(change_of_holdings(update).map(|(_, bound)| bound));
        statements.push((history::ADD, record::entry_parameters(&update.entry)));
        let first_effect = statements.len();
        statements.extend(update.effects.iter().map(Effect::bound));
        let effects = update.effects.clone();
        let accept = move |touched: &[u64]| {
            effects.iter().zip(&touched[first_effect..]).try_for_each(|(effect, touched)| effect.check(*touched))
        };
        self.execute_if(statements, accept).await.map(drop)
    }
}

/// The statements that release and claim what an update says, each with the kind of what it is about.
pub(super) fn change_of_holdings(update: &Update) -> impl Iterator<Item = (&'static str, Bound)> {
    let account = &update.account;
    let bind = move |holding: &Holding| parameters![account.tenant_id, holding.kind, holding.key, account.id];
    let released = update.release.iter().map(move |holding| (holding.kind, (RELEASE, bind(holding))));
    released.chain(update.claim.iter().map(move |holding| (holding.kind, (CLAIM, bind(holding)))))
}

impl Store {
    /// Says which of its claims a refused update failed for: the violated constraint is the same for all of them.
    pub(crate) async fn name_taken(&self, update: &Update, error: Error) -> Error {
        if !matches!(error, Error::Taken(super::HOLDING)) {
            return error;
        }
        for holding in &update.claim {
            match self.holder(update.account.tenant_id, holding).await {
                Ok(Some(holder)) if holder != update.account.id => return Error::Taken(holding.kind),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
        // Only the number is left, or the holder has let go since: either way the caller may try again.
        Error::Taken("number")
    }
}

/// For [`Store::check`].
pub(super) const ALL: &[Statement] =
    &[BY_ID, OF_TENANT, LIST, LIST_OF_TENANT, CALLER_BY_ID, CALLER_BY_IDENTITY, SET, ADD, CLAIM, RELEASE, HOLDER];

use super::record::{self, TENANT_COLUMNS};
use super::statement::{Statement, insert, select, statement};
use super::table::{Column, Columns, Record, Values, values};
use super::tables::{APPLICATION, APPLICATION_ORIGIN as ORIGIN, application};
use super::value::{Row, always, computed, parameters};
use super::{Query, Store};
use crate::account::{Application, Error, Tenant, TenantId};
use crate::json;

const ADD: Statement = insert!(APPLICATION);
const SET: Statement =
    statement!("UPDATE application SET ", { Part::Assignments(APPLICATION.table()) }, " WHERE id = ", {
        APPLICATION.id.place()
    });
const ADD_ORIGIN: Statement = insert!(ORIGIN);
const FORGET_ORIGINS: Statement = statement!("DELETE FROM application_origin WHERE application_id = ?1");
const ORIGINS: Statement =
    select!(ORIGIN, "WHERE application_origin.application_id = ?1 ORDER BY application_origin.origin");
const IS_ORIGIN: Statement = statement!("SELECT EXISTS (SELECT 1 FROM application_origin WHERE origin = ?1)");
const BY_ID: Statement = statement!(
    "SELECT ",
    { record::TENANT_WITH_SCHEMA },
    ", ",
    { Part::Columns(APPLICATION.table()) },
    " FROM application JOIN tenant ON tenant.id = application.tenant_id WHERE application.id = ?1"
);
const LIST: Statement =
    select!(APPLICATION, "WHERE application.tenant_id = ?1 ORDER BY application.created_at, application.id");
const DELETE: Statement = statement!("DELETE FROM application WHERE id = ?1");
const REVOKE_ACCESS_TOKENS: Statement = statement!(
    "INSERT INTO revoked_token (account_id, token, expires_at) SELECT s.account_id, r.access_token, r.access_ends_at \
     FROM refresh_token r JOIN sign_in s ON s.id = r.sign_in_id WHERE s.application_id = ?1 \
     ON CONFLICT (account_id, token) DO NOTHING"
);
const DELETE_REFRESH_TOKENS: Statement = statement!(
    "DELETE FROM refresh_token WHERE sign_in_id IN (SELECT s.id FROM sign_in s WHERE s.application_id = ?1)"
);
const DELETE_SIGN_INS: Statement = statement!("DELETE FROM sign_in WHERE application_id = ?1");

impl Store {
    /// Adds an application; [`Error::Taken`] when another has its identifier, or when it lists an origin twice.
    pub async fn add_application(&self, application: &Application) -> Result<(), Error> {
        let mut queries = vec![(ADD, application_values(application)).into()];
        queries.extend(origins(application));
        self.execute(queries).await.map(drop)
    }

    /// Replaces an application's data, with effect at once on every instance.
    pub async fn set_application(&self, application: &Application) -> Result<(), Error> {
        let facts = (SET, application_values(application));
        let mut queries = vec![facts.into(), (FORGET_ORIGINS, parameters![application.id.as_str()]).into()];
        queries.extend(origins(application));
        self.execute(queries).await.map(drop)
    }

    /// Returns the application with this identifier and its tenant, without its origins ([`Store::application_origins`]).
    pub async fn application(&self, id: &str) -> Result<Option<(Application, Tenant)>, Error> {
        self.find(BY_ID, parameters![id], |row| Ok((application(row, TENANT_COLUMNS)?, record::tenant(row)?))).await
    }

    /// Returns a tenant's applications, oldest first, without their origins.
    pub async fn applications(&self, tenant: TenantId) -> Result<Vec<Application>, Error> {
        self.query(LIST, parameters![tenant], |row| application(row, 0)).await
    }

    /// Returns the web origins whose pages belong to an application.
    pub async fn application_origins(&self, id: &str) -> Result<Vec<String>, Error> {
        self.query(ORIGINS, parameters![id], |row| ORIGIN.at(row, 0).get(ORIGIN.origin)).await
    }

    /// Checks whether pages of a web origin belong to any application.
    pub async fn is_application_origin(&self, origin: &str) -> Result<bool, Error> {
        self.find(IS_ORIGIN, parameters![origin], |row| computed(row, 0)).await.and_then(always)
    }

    /// Deletes an application and every sign-in through it; returns false when there is none.
    pub async fn delete_application(&self, id: &str) -> Result<bool, Error> {
        let touched = self.execute(deletion(id).collect()).await?;
        Ok(touched.last() == Some(&1))
    }
}

/// Returns the queries that delete an application, every sign-in through it, and the tokens of those sign-ins.
pub(super) fn deletion(id: &str) -> impl Iterator<Item = Query> {
    let all = [REVOKE_ACCESS_TOKENS, DELETE_REFRESH_TOKENS, DELETE_SIGN_INS, FORGET_ORIGINS, DELETE];
    all.into_iter().map(move |statement| (statement, parameters![id]).into())
}

fn origins(application: &Application) -> impl Iterator<Item = Query> {
    let values = |origin: &String| values!(ORIGIN { origin: origin.as_str(), application_id: application.id.as_str() });
    application.origins.iter().map(move |origin| (ADD_ORIGIN, values(origin)).into())
}

fn application_values(application: &Application) -> Values {
    let grants: Vec<&str> = application.grants.iter().map(|grant| grant.name()).collect();
    values!(APPLICATION {
        id: application.id.as_str(),
        tenant_id: application.tenant_id,
        name: application.name.as_str(),
        kind: application.kind.name(),
        grants: list(&grants),
        claims: list(&application.claims),
        auto_signup: application.auto_signup,
        token_lifetime: application.token_lifetime,
        secret_hash: application.secret_hash,
        created_at: application.created_at,
        updated_at: application.updated_at,
        writes: application.writes.as_deref().map(list),
    })
}

/// Renders words as a JSON array.
fn list(words: &[impl AsRef<str>]) -> String {
    json::Value::from(words.iter().map(|word| json::Value::from(word.as_ref())).collect::<Vec<_>>()).to_text()
}

fn application(row: &dyn Row, first: usize) -> Result<Application, Error> {
    let record = APPLICATION.at(row, first);
    let kind = record.get(APPLICATION.kind)?;
    let grants = words(&record, APPLICATION.grants, record.get(APPLICATION.grants)?)?;
    let grants: Result<_, String> = grants.iter().map(|grant| grant.parse()).collect();
    Ok(Application {
        id: record.get(APPLICATION.id)?,
        tenant_id: record.get(APPLICATION.tenant_id)?,
        name: record.get(APPLICATION.name)?,
        kind: kind.parse().map_err(|error: String| record.unreadable(APPLICATION.kind, error))?,
        grants: grants.map_err(|error| record.unreadable(APPLICATION.grants, error))?,
        claims: words(&record, APPLICATION.claims, record.get(APPLICATION.claims)?)?,
        writes: match record.get(APPLICATION.writes)? {
            Some(writes) => Some(words(&record, APPLICATION.writes, writes)?),
            None => None,
        },
        origins: Vec::new(),
        auto_signup: record.get(APPLICATION.auto_signup)?,
        token_lifetime: record.get(APPLICATION.token_lifetime)?,
        secret_hash: record.get(APPLICATION.secret_hash)?,
        created_at: record.get(APPLICATION.created_at)?,
        updated_at: record.get(APPLICATION.updated_at)?,
    })
}

/// Reads a JSON array written by [`list`], the value of a column.
fn words<T>(
    record: &Record<'_, application::Columns>,
    column: Column<application::Columns, T>,
    value: String,
) -> Result<Vec<String>, Error> {
    serde_json::from_str(&value).map_err(|_| record.unreadable(column, "not a JSON array of strings"))
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] = &[
    ADD,
    SET,
    ADD_ORIGIN,
    FORGET_ORIGINS,
    ORIGINS,
    IS_ORIGIN,
    BY_ID,
    LIST,
    DELETE,
    REVOKE_ACCESS_TOKENS,
    DELETE_REFRESH_TOKENS,
    DELETE_SIGN_INS,
];

use super::record::{self, TENANT_COLUMNS};
use super::statement::{Statement, statement, tenant_columns};
use super::value::{Parameter, Row, optional_hash, parameters, present, time, unreadable};
use super::{Query, Store};
use crate::account::{Application, Error, Tenant, TenantId};

/// The columns of an application, in the order of [`application`].
macro_rules! application_columns {
    () => {
        "p.id, p.tenant_id, p.name, p.kind, p.grants, p.claims, p.auto_signup, p.token_lifetime, p.secret_hash, \
         p.created_at, p.updated_at"
    };
}

const ADD: Statement = statement!(
    "INSERT INTO application (id, tenant_id, name, kind, grants, claims, auto_signup, token_lifetime, secret_hash, \
     created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
);
const SET: Statement = statement!(
    "UPDATE application SET tenant_id = ?2, name = ?3, kind = ?4, grants = ?5, claims = ?6, auto_signup = ?7, \
     token_lifetime = ?8, secret_hash = ?9, created_at = ?10, updated_at = ?11 WHERE id = ?1"
);
const ADD_ORIGIN: Statement = statement!("INSERT INTO application_origin (origin, application_id) VALUES (?1, ?2)");
const FORGET_ORIGINS: Statement = statement!("DELETE FROM application_origin WHERE application_id = ?1");
const ORIGINS: Statement =
    statement!("SELECT origin FROM application_origin WHERE application_id = ?1 ORDER BY origin");
const IS_ORIGIN: Statement = statement!("SELECT EXISTS (SELECT 1 FROM application_origin WHERE origin = ?1)");
const BY_ID: Statement = statement!(
    "SELECT ",
    tenant_columns!(),
    ", ",
    application_columns!(),
    " FROM application p JOIN tenant t ON t.id = p.tenant_id WHERE p.id = ?1"
);
const LIST: Statement = statement!(
    "SELECT ",
    application_columns!(),
    " FROM application p WHERE p.tenant_id = ?1 ORDER BY p.created_at, p.id"
);
const DELETE: Statement = statement!("DELETE FROM application WHERE id = ?1");
const REVOKE_ACCESS_TOKENS: Statement = statement!(
    "INSERT INTO revoked_token (token, expires_at) SELECT r.access_token, r.access_ends_at FROM refresh_token r \
     JOIN sign_in s ON s.id = r.sign_in_id WHERE s.application_id = ?1 ON CONFLICT (token) DO NOTHING"
);
const DELETE_REFRESH_TOKENS: Statement = statement!(
    "DELETE FROM refresh_token WHERE sign_in_id IN (SELECT s.id FROM sign_in s WHERE s.application_id = ?1)"
);
const DELETE_SIGN_INS: Statement = statement!("DELETE FROM sign_in WHERE application_id = ?1");

impl Store {
    /// Adds an application; [`Error::Taken`] when another has its identifier, or when it has an origin twice.
    pub async fn add_application(&self, application: &Application) -> Result<(), Error> {
        let mut queries = vec![(ADD, application_parameters(application)?).into()];
        queries.extend(origins(application));
        self.execute(queries).await.map(drop)
    }

    /// Replaces an application's facts; it counts at once, on every instance.
    pub async fn set_application(&self, application: &Application) -> Result<(), Error> {
        let facts = (SET, application_parameters(application)?);
        let mut queries = vec![facts.into(), (FORGET_ORIGINS, parameters![application.id.as_str()]).into()];
        queries.extend(origins(application));
        self.execute(queries).await.map(drop)
    }

    /// The application with this identifier and its tenant; its origins are not read, [`Store::application_origins`] does.
    pub async fn application(&self, id: &str) -> Result<Option<(Application, Tenant)>, Error> {
        self.find(BY_ID, parameters![id], |row| Ok((application(row, TENANT_COLUMNS)?, record::tenant_from(row, 0)?)))
            .await
    }

    /// A tenant's applications, oldest first, without their origins.
    pub async fn applications(&self, tenant: TenantId) -> Result<Vec<Application>, Error> {
        self.query(LIST, parameters![tenant], |row| application(row, 0)).await
    }

    /// The web origins whose pages belong to an application.
    pub async fn application_origins(&self, id: &str) -> Result<Vec<String>, Error> {
        self.query(ORIGINS, parameters![id], |row| row.text(0)).await
    }

    /// Whether pages of a web origin belong to any application.
    pub async fn is_application_origin(&self, origin: &str) -> Result<bool, Error> {
        self.find(IS_ORIGIN, parameters![origin], |row| row.boolean(0)).await.and_then(present)
    }

    /// Deletes an application with every sign-in through it; false when there is none.
    pub async fn delete_application(&self, id: &str) -> Result<bool, Error> {
        let touched = self.execute(deletion(id).collect()).await?;
        Ok(touched.last() == Some(&1))
    }
}

/// Deletes an application, every sign-in through it, and the tokens of those.
pub(super) fn deletion(id: &str) -> impl Iterator<Item = Query> {
    let all = [REVOKE_ACCESS_TOKENS, DELETE_REFRESH_TOKENS, DELETE_SIGN_INS, FORGET_ORIGINS, DELETE];
    all.into_iter().map(move |statement| (statement, parameters![id]).into())
}

fn origins(application: &Application) -> impl Iterator<Item = Query> {
    let add = |origin: &String| (ADD_ORIGIN, parameters![origin.as_str(), application.id.as_str()]).into();
    application.origins.iter().map(add)
}

fn application_parameters(application: &Application) -> Result<Vec<Parameter>, Error> {
    let grants: Vec<&str> = application.grants.iter().map(|grant| grant.name()).collect();
    Ok(parameters![
        application.id.as_str(),
        application.tenant_id,
        application.name.as_str(),
        application.kind.name(),
        serde_json::to_string(&grants).map_err(unreadable)?,
        serde_json::to_string(&application.claims).map_err(unreadable)?,
        application.auto_signup,
        application.token_lifetime,
        application.secret_hash,
        application.created_at,
        application.updated_at,
    ])
}

fn application(row: &dyn Row, first: usize) -> Result<Application, Error> {
    let list = |column| serde_json::from_str::<Vec<String>>(&row.text(column)?).map_err(unreadable);
    Ok(Application {
        id: row.text(first)?,
        tenant_id: TenantId(row.uuid(first + 1).and_then(present)?),
        name: row.text(first + 2)?,
        kind: row.text(first + 3)?.parse().map_err(|error: String| unreadable(error))?,
        grants: list(first + 4)?
            .iter()
            .map(|grant| grant.parse().map_err(|error: String| unreadable(error)))
            .collect::<Result<_, _>>()?,
        claims: list(first + 5)?,
        origins: Vec::new(),
        auto_signup: row.boolean(first + 6)?,
        token_lifetime: present(row.integer(first + 7)?)?,
        secret_hash: optional_hash(row, first + 8)?,
        created_at: time(row, first + 9)?,
        updated_at: time(row, first + 10)?,
    })
}

/// For [`Store::check`].
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

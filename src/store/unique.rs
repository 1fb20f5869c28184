//! Which unique constraint a write violated, and what that constraint protects.

use crate::account::Unique;

/// A unique constraint whose violation is an expected outcome, by the names that both databases report.
#[derive(Debug)]
pub struct Constraint {
    /// Its table.
    pub table: &'static str,
    /// Its name in PostgreSQL.
    pub postgres: &'static str,
    /// Its columns, which SQLite reports instead of a name.
    pub sqlite: &'static str,
    protects: Protects,
}

/// What a constraint protects.
#[derive(Clone, Copy, Debug)]
enum Protects {
    /// Always the same kind.
    One(Unique),
    /// The unique key that the row claims; its kind is a column of the primary key.
    Claim,
}

/// Every such constraint. The violation of any other is an error in the program or in the data.
pub static CONSTRAINTS: [Constraint; 8] = [
    Constraint {
        table: "unique_key",
        postgres: "unique_key_pkey",
        sqlite: "unique_key.tenant_id, unique_key.kind, unique_key.key",
        protects: Protects::Claim,
    },
    Constraint {
        table: "account",
        postgres: "account_pkey",
        sqlite: "account.id",
        protects: Protects::One(Unique::AccountId),
    },
    Constraint {
        table: "identity",
        postgres: "identity_pkey",
        sqlite: "identity.issuer, identity.subject_key",
        protects: Protects::One(Unique::Identity),
    },
    Constraint {
        table: "tenant",
        postgres: "tenant_name_key",
        sqlite: "tenant.name",
        protects: Protects::One(Unique::TenantName),
    },
    Constraint {
        table: "tenant",
        postgres: "tenant_biz_id_key",
        sqlite: "tenant.biz_id",
        protects: Protects::One(Unique::TenantBizId),
    },
    Constraint {
        table: "application",
        postgres: "application_pkey",
        sqlite: "application.id",
        protects: Protects::One(Unique::ClientId),
    },
    Constraint {
        table: "application_origin",
        postgres: "application_origin_pkey",
        sqlite: "application_origin.origin, application_origin.application_id",
        protects: Protects::One(Unique::ApplicationOrigin),
    },
    Constraint {
        table: "channel_nonce",
        postgres: "channel_nonce_pkey",
        sqlite: "channel_nonce.scope, channel_nonce.nonce",
        protects: Protects::One(Unique::Nonce),
    },
];

/// The beginning of SQLite's message for a violated constraint; the columns follow.
const SQLITE_VIOLATION: &str = "UNIQUE constraint failed: ";

/// Returns what is taken, from SQLite's message; `claims` is the one unique key that the statement claims, if any.
pub(super) fn taken_in_sqlite(message: &str, claims: Option<Unique>) -> Option<Unique> {
    let columns = message.strip_prefix(SQLITE_VIOLATION)?;
    taken(|constraint| constraint.sqlite == columns, claims)
}

/// Returns what is taken, from the table and the constraint that PostgreSQL reports; `claims` as in [`taken_in_sqlite`].
pub(super) fn taken_in_postgres(table: &str, name: &str, claims: Option<Unique>) -> Option<Unique> {
    taken(|constraint| constraint.table == table && constraint.postgres == name, claims)
}

fn taken(is_violated: impl Fn(&&Constraint) -> bool, claims: Option<Unique>) -> Option<Unique> {
    match CONSTRAINTS.iter().find(is_violated)?.protects {
        Protects::One(unique) => Some(unique),
        Protects::Claim => claims,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_is_matched_by_its_full_name() {
        let sqlite = |columns: &str| taken_in_sqlite(&format!("UNIQUE constraint failed: {columns}"), None);
        assert_eq!(sqlite("tenant.name"), Some(Unique::TenantName));
        for other in
            ["tenant.name, tenant.id", "old_tenant.name", "tenant.names", "history.account_id, history.sequence"]
        {
            assert_eq!(sqlite(other), None, "{other}");
        }
        assert_eq!(taken_in_sqlite("CHECK constraint failed: tenant.name", None), None);
        assert_eq!(taken_in_postgres("account", "account_pkey", None), Some(Unique::AccountId));
        assert_eq!(taken_in_postgres("other", "account_pkey", None), None);
        assert_eq!(taken_in_postgres("client_binding", "client_binding_account_id_key", None), None);
    }

    #[test]
    fn a_violated_claim_is_identified_by_its_statement() {
        let of = |claims| taken_in_postgres("unique_key", "unique_key_pkey", claims);
        assert_eq!((of(Some(Unique::Email)), of(None)), (Some(Unique::Email), None));
    }
}

//! Every table with its columns: what moves with an installation, and what rows are written into many at a time.

use tokio_postgres::types::Type;

use super::value::{Parameter, Row};
use crate::account::Error;

/// A table, as both databases have it.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; those of the primary key come first.
    columns: &'static [(&'static str, Kind)],
    /// How many columns the primary key has.
    keys: usize,
    /// An expression over all rows that changes when rows are changed in place.
    mark: &'static str,
    /// Whether a migration puts rows into it.
    pub(super) seeded: bool,
}

/// What a column holds.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Integer,
    Boolean,
    Text,
    Bytes,
    Uuid,
}
use Kind::{Boolean, Bytes, Integer, Text, Uuid};

/// The values of a row, in the order of the columns.
pub(super) type Values = Vec<Parameter>;

pub(super) static ACCOUNT: Table = Table {
    name: "account",
    columns: &[
        ("id", Uuid),
        ("number", Integer),
        ("tenant_id", Uuid),
        ("biz_id", Text),
        ("portal", Integer),
        ("status", Integer),
        ("personal_key", Integer),
        ("display_name", Bytes),
        ("given_name", Bytes),
        ("family_name", Bytes),
        ("nickname", Bytes),
        ("username", Bytes),
        ("email", Bytes),
        ("phone", Bytes),
        ("language", Bytes),
        ("time_zone", Bytes),
        ("country", Bytes),
        ("remark", Bytes),
        ("picture", Bytes),
        ("attributes", Bytes),
        ("push_token", Bytes),
        ("wallet_address", Bytes),
        ("auth_location", Bytes),
        ("email_verified", Boolean),
        ("phone_verified", Boolean),
        ("authenticated", Boolean),
        ("auth_valid_until", Integer),
        ("version", Integer),
        ("created_at", Integer),
        ("updated_at", Integer),
        ("history_head", Bytes),
    ],
    keys: 1,
    mark: "coalesce(sum(version), 0)",
    seeded: false,
};

pub(super) static HOLDING: Table = Table {
    name: "holding",
    columns: &[("tenant_id", Uuid), ("kind", Text), ("key", Bytes), ("account_id", Uuid)],
    keys: 3,
    mark: "0",
    seeded: false,
};

pub(super) static HISTORY: Table = Table {
    name: "history",
    columns: &[
        ("account_id", Uuid),
        ("sequence", Integer),
        ("at", Integer),
        ("actor", Text),
        ("contract", Text),
        ("request_id", Text),
        ("commitment", Bytes),
        ("link", Bytes),
        ("sealing_key", Integer),
        ("payload", Bytes),
        ("salt", Bytes),
    ],
    keys: 2,
    mark: "count(payload)",
    seeded: false,
};

pub(super) static IDENTITY: Table = Table {
    name: "identity",
    columns: &[
        ("issuer", Text),
        ("subject_key", Bytes),
        ("account_id", Uuid),
        ("personal_key", Integer),
        ("subject", Bytes),
        ("created_at", Integer),
    ],
    keys: 2,
    mark: "0",
    seeded: false,
};

static INSTALLATION: Table = Table {
    name: "installation",
    columns: &[("name", Text), ("value", Text)],
    keys: 1,
    mark: "coalesce(sum(length(value)), 0)",
    seeded: false,
};

static COUNTER: Table = Table {
    name: "counter",
    columns: &[("name", Text), ("last", Integer)],
    keys: 1,
    mark: "coalesce(sum(last), 0)",
    seeded: true,
};

static SECRET: Table = Table {
    name: "secret",
    columns: &[("purpose", Text), ("generation", Integer), ("sealed", Bytes), ("created_at", Integer)],
    keys: 2,
    mark: "coalesce(max(created_at), 0)",
    seeded: false,
};

static SIGNING_KEY: Table = Table {
    name: "signing_key",
    columns: &[
        ("key_id", Text),
        ("algorithm", Text),
        ("public_key", Text),
        ("sealed", Bytes),
        ("created_at", Integer),
        ("retired_at", Integer),
    ],
    keys: 1,
    mark: "count(retired_at)",
    seeded: false,
};

static TENANT: Table = Table {
    name: "tenant",
    columns: &[
        ("id", Uuid),
        ("number", Integer),
        ("name", Text),
        ("biz_id", Text),
        ("status", Integer),
        ("valid_until", Integer),
        ("portal", Integer),
        ("created_at", Integer),
        ("updated_at", Integer),
    ],
    keys: 1,
    mark: "coalesce(max(updated_at), 0)",
    seeded: false,
};

static ATTRIBUTE_SCHEMA: Table = Table {
    name: "attribute_schema",
    columns: &[("tenant_id", Uuid), ("version", Integer), ("document", Bytes), ("set_at", Integer)],
    keys: 1,
    mark: "coalesce(sum(version), 0)",
    seeded: false,
};

static API_KEY: Table = Table {
    name: "api_key",
    columns: &[
        ("hash", Bytes),
        ("id", Uuid),
        ("tenant_id", Uuid),
        ("account_id", Uuid),
        ("name", Text),
        ("created_at", Integer),
        ("expires_at", Integer),
        ("revoked_at", Integer),
        ("last_used_at", Integer),
    ],
    keys: 1,
    mark: "count(revoked_at) + coalesce(max(last_used_at), 0)",
    seeded: false,
};

static CLIENT_BINDING: Table = Table {
    name: "client_binding",
    columns: &[("account_id", Uuid), ("session", Bytes), ("client_hash", Bytes), ("expires_at", Integer)],
    keys: 2,
    mark: "0",
    seeded: false,
};

static REVOKED_TOKEN: Table = Table {
    name: "revoked_token",
    columns: &[("token", Bytes), ("expires_at", Integer)],
    keys: 1,
    mark: "coalesce(max(expires_at), 0)",
    seeded: false,
};

static TOKEN_HORIZON: Table = Table {
    name: "token_horizon",
    columns: &[("account_id", Uuid), ("not_before", Integer)],
    keys: 1,
    mark: "coalesce(max(not_before), 0)",
    seeded: false,
};

static PENDING_PICTURE: Table = Table {
    name: "pending_picture",
    columns: &[("name", Text), ("uploaded_at", Integer)],
    keys: 1,
    mark: "0",
    seeded: false,
};

static REPLACED_PICTURE: Table = Table {
    name: "replaced_picture",
    columns: &[("name", Text), ("account_id", Uuid), ("replaced_at", Integer)],
    keys: 1,
    mark: "coalesce(max(replaced_at), 0)",
    seeded: false,
};

static APPLICATION: Table = Table {
    name: "application",
    columns: &[
        ("id", Text),
        ("tenant_id", Uuid),
        ("name", Text),
        ("kind", Text),
        ("grants", Text),
        ("claims", Text),
        ("auto_signup", Boolean),
        ("token_lifetime", Integer),
        ("secret_hash", Bytes),
        ("created_at", Integer),
        ("updated_at", Integer),
    ],
    keys: 1,
    mark: "coalesce(max(updated_at), 0)",
    seeded: false,
};

static APPLICATION_ORIGIN: Table = Table {
    name: "application_origin",
    columns: &[("origin", Text), ("application_id", Text)],
    keys: 2,
    mark: "0",
    seeded: false,
};

static SIGN_IN: Table = Table {
    name: "sign_in",
    columns: &[
        ("id", Uuid),
        ("account_id", Uuid),
        ("application_id", Text),
        ("started_at", Integer),
        ("expires_at", Integer),
        ("ended_at", Integer),
    ],
    keys: 1,
    mark: "coalesce(max(expires_at), 0) + count(ended_at)",
    seeded: false,
};

static REFRESH_TOKEN: Table = Table {
    name: "refresh_token",
    columns: &[
        ("hash", Bytes),
        ("sign_in_id", Uuid),
        ("issued_at", Integer),
        ("expires_at", Integer),
        ("access_token", Bytes),
        ("access_ends_at", Integer),
        ("successor", Bytes),
    ],
    keys: 1,
    mark: "count(successor)",
    seeded: false,
};

static ONE_TIME_CODE: Table = Table {
    name: "one_time_code",
    columns: &[
        ("slot", Bytes),
        ("id", Uuid),
        ("token", Bytes),
        ("binding", Bytes),
        ("code", Bytes),
        ("tries", Integer),
        ("code_expires_at", Integer),
        ("expires_at", Integer),
        ("contact", Bytes),
    ],
    keys: 1,
    mark: "coalesce(sum(tries), 0) + coalesce(max(expires_at), 0)",
    seeded: false,
};

static SENT_CODE: Table = Table {
    name: "sent_code",
    columns: &[("recipient", Bytes), ("last_at", Integer), ("day_began_at", Integer), ("count", Integer)],
    keys: 1,
    mark: "coalesce(sum(count), 0) + coalesce(max(last_at), 0)",
    seeded: false,
};

static NOTICE: Table = Table {
    name: "notice",
    columns: &[
        ("id", Uuid),
        ("channel", Text),
        ("sealing_key", Integer),
        ("sealed", Bytes),
        ("attempts", Integer),
        ("due_at", Integer),
        ("expires_at", Integer),
    ],
    keys: 1,
    mark: "coalesce(sum(attempts), 0) + coalesce(max(due_at), 0)",
    seeded: false,
};

static CHANNEL_KEY: Table = Table {
    name: "channel_key",
    columns: &[
        ("key_id", Text),
        ("kind", Text),
        ("public_key", Text),
        ("sealed", Bytes),
        ("created_at", Integer),
        ("retired_at", Integer),
    ],
    keys: 1,
    mark: "count(retired_at)",
    seeded: false,
};

static CHANNEL_SESSION: Table = Table {
    name: "channel_session",
    columns: &[
        ("id", Bytes),
        ("sealed", Bytes),
        ("source", Bytes),
        ("created_at", Integer),
        ("expires_at", Integer),
        ("account_id", Uuid),
        ("client", Bytes),
        ("messages", Integer),
    ],
    keys: 1,
    mark: "count(account_id) + coalesce(sum(messages), 0)",
    seeded: false,
};

static CHANNEL_NONCE: Table = Table {
    name: "channel_nonce",
    columns: &[("scope", Bytes), ("nonce", Bytes), ("account_id", Uuid), ("expires_at", Integer)],
    keys: 2,
    mark: "0",
    seeded: false,
};

/// Every table but the list of applied migrations, which each database keeps for itself.
pub static TABLES: [&Table; 26] = [
    &INSTALLATION,
    &COUNTER,
    &SECRET,
    &SIGNING_KEY,
    &TENANT,
    &ACCOUNT,
    &HOLDING,
    &HISTORY,
    &IDENTITY,
    &CLIENT_BINDING,
    &REVOKED_TOKEN,
    &TOKEN_HORIZON,
    &API_KEY,
    &PENDING_PICTURE,
    &REPLACED_PICTURE,
    &APPLICATION,
    &APPLICATION_ORIGIN,
    &SIGN_IN,
    &REFRESH_TOKEN,
    &ATTRIBUTE_SCHEMA,
    &ONE_TIME_CODE,
    &SENT_CODE,
    &NOTICE,
    &CHANNEL_KEY,
    &CHANNEL_SESSION,
    &CHANNEL_NONCE,
];

impl Table {
    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name)
    }

    fn list(&self) -> String {
        self.columns().collect::<Vec<_>>().join(", ")
    }

    /// Writes a row into SQLite.
    pub(super) fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|place| format!("?{place}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.list(), places.join(", "))
    }

    /// Writes rows into PostgreSQL.
    pub(super) fn copy(&self) -> String {
        format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.name, self.list())
    }

    /// The types of the columns in PostgreSQL.
    pub(super) fn types(&self) -> Vec<Type> {
        let of = |kind: &Kind| match kind {
            Integer => Type::INT8,
            Boolean => Type::BOOL,
            Text => Type::TEXT,
            Bytes => Type::BYTEA,
            Uuid => Type::UUID,
        };
        self.columns.iter().map(|(_, kind)| of(kind)).collect()
    }

    /// Counts the rows and computes the mark.
    pub(super) fn measure(&self) -> String {
        format!("SELECT count(*), CAST({} AS bigint) FROM {}", self.mark, self.name)
    }

    /// Reads rows in the order of the primary key, from the first or behind a key, and at most as many as its last
    /// parameter says; `sign` begins the name of a parameter.
    pub(super) fn page(&self, sign: char, behind: bool) -> String {
        let keys = self.columns().take(self.keys).collect::<Vec<_>>().join(", ");
        let list = self.list();
        if !behind {
            return format!("SELECT {list} FROM {} ORDER BY {keys} LIMIT {sign}1", self.name);
        }
        let places: Vec<String> = (1..=self.keys).map(|place| format!("{sign}{place}")).collect();
        format!(
            "SELECT {list} FROM {} WHERE ({keys}) > ({}) ORDER BY {keys} LIMIT {sign}{}",
            self.name,
            places.join(", "),
            self.keys + 1
        )
    }

    /// The primary key of a row.
    pub(super) fn key(&self, values: &Values) -> Values {
        values[..self.keys].to_vec()
    }

    /// The values of a row.
    pub(super) fn read(&self, row: &dyn Row) -> Result<Values, Error> {
        let value = |(column, (_, kind)): (usize, &(&str, Kind))| {
            Ok(match kind {
                Integer => Parameter::Integer(row.integer(column)?),
                Boolean => Parameter::Boolean(row.boolean(column)?),
                Text => Parameter::Text(row.text(column)?),
                Bytes => Parameter::Bytes(row.bytes(column)?),
                Uuid => Parameter::Uuid(row.uuid(column)?),
            })
        };
        self.columns.iter().enumerate().map(value).collect()
    }
}

/// About how many bytes a row takes.
pub(super) fn size(values: &Values) -> usize {
    let one = |value: &Parameter| match value {
        Parameter::Text(text) => text.len(),
        Parameter::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
        _ => 0,
    };
    values.iter().map(|value| one(value) + size_of::<Parameter>()).sum()
}

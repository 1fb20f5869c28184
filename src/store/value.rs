//! What goes into a statement and what comes out of a row, the same for both databases.

use std::fmt;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type};
use uuid::Uuid;

use crate::account::{Cause, Error};

/// A value bound to a statement.
#[derive(Clone)]
pub(crate) enum Parameter {
    Integer(Option<i64>),
    Boolean(bool),
    Text(String),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
    /// Lists are PostgreSQL's alone: they let one statement do what SQLite does in several.
    Texts(Vec<String>),
    BytesList(Vec<Vec<u8>>),
    Uuids(Vec<Uuid>),
}

/// Says of what kind it is and nothing else: the PostgreSQL driver logs what is bound to a statement, and personal values are.
impl fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Parameter::Integer(_) => "integer",
            Parameter::Boolean(_) => "boolean",
            Parameter::Text(_) => "text",
            Parameter::Bytes(_) => "bytes",
            Parameter::Uuid(_) => "uuid",
            Parameter::Texts(_) => "texts",
            Parameter::BytesList(_) => "list of bytes",
            Parameter::Uuids(_) => "uuids",
        })
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $parameter:expr;)+) => {
        $(impl From<$source> for Parameter { fn from($value: $source) -> Parameter { $parameter } })+
    };
}
from! {
    i64 => |value| Parameter::Integer(Some(value));
    Option<i64> => |value| Parameter::Integer(value);
    jiff::Timestamp => |value| Parameter::Integer(Some(value.as_microsecond()));
    Option<jiff::Timestamp> => |value| Parameter::Integer(value.map(jiff::Timestamp::as_microsecond));
    uuid::Uuid => |value| Parameter::Uuid(Some(value));
    bool => |value| Parameter::Boolean(value);
    &str => |value| Parameter::Text(value.to_owned());
    String => |value| Parameter::Text(value);
    Vec<u8> => |value| Parameter::Bytes(Some(value));
    [u8; 32] => |value| Parameter::Bytes(Some(value.to_vec()));
    Option<[u8; 32]> => |value| Parameter::Bytes(value.map(|value| value.to_vec()));
    Option<Vec<u8>> => |value| Parameter::Bytes(value);
    crate::account::AccountId => |value| Parameter::Uuid(Some(value.0));
    crate::account::TenantId => |value| Parameter::Uuid(Some(value.0));
    crate::account::Digest => |value| Parameter::Bytes(Some(value.0.to_vec()));
}

/// Lists parameters of different types.
macro_rules! parameters {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::value::Parameter::from($value)),*] };
}
pub(crate) use parameters;

impl rusqlite::ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Parameter::Integer(value) => value.map_or(ValueRef::Null, ValueRef::Integer),
            Parameter::Boolean(value) => ValueRef::Integer(i64::from(*value)),
            Parameter::Text(value) => ValueRef::Text(value.as_bytes()),
            Parameter::Bytes(value) => value.as_deref().map_or(ValueRef::Null, ValueRef::Blob),
            Parameter::Uuid(value) => value.as_ref().map_or(ValueRef::Null, |value| ValueRef::Blob(value.as_bytes())),
            Parameter::Texts(_) | Parameter::BytesList(_) | Parameter::Uuids(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no lists".into()));
            }
        }))
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Parameter::Integer(value) => value.to_sql_checked(ty, out),
            Parameter::Boolean(value) => value.to_sql_checked(ty, out),
            Parameter::Text(value) => value.to_sql_checked(ty, out),
            Parameter::Bytes(value) => value.to_sql_checked(ty, out),
            Parameter::Uuid(value) => value.to_sql_checked(ty, out),
            Parameter::Texts(value) => value.to_sql_checked(ty, out),
            Parameter::BytesList(value) => value.to_sql_checked(ty, out),
            Parameter::Uuids(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each variant checks its own type as it is bound.
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        ToSql::to_sql(self, ty, out)
    }
}

/// A row of either database, read by position.
pub(crate) trait Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, Error>;
    fn boolean(&self, column: usize) -> Result<bool, Error>;
    fn text(&self, column: usize) -> Result<String, Error>;
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error>;
    fn uuid(&self, column: usize) -> Result<Option<Uuid>, Error>;
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, Error> {
        self.get(column).map_err(unreadable)
    }

    fn boolean(&self, column: usize) -> Result<bool, Error> {
        self.get(column).map_err(unreadable)
    }

    fn text(&self, column: usize) -> Result<String, Error> {
        self.get(column).map_err(unreadable)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        self.get(column).map_err(unreadable)
    }

    fn uuid(&self, column: usize) -> Result<Option<Uuid>, Error> {
        self.get::<_, Option<[u8; 16]>>(column).map(|bytes| bytes.map(Uuid::from_bytes)).map_err(unreadable)
    }
}

impl Row for tokio_postgres::Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, Error> {
        self.try_get(column).map_err(unreadable)
    }

    fn boolean(&self, column: usize) -> Result<bool, Error> {
        self.try_get(column).map_err(unreadable)
    }

    fn text(&self, column: usize) -> Result<String, Error> {
        self.try_get(column).map_err(unreadable)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        self.try_get(column).map_err(unreadable)
    }

    fn uuid(&self, column: usize) -> Result<Option<Uuid>, Error> {
        self.try_get(column).map_err(unreadable)
    }
}

/// A stored value that is not what the program stores.
pub(crate) fn unreadable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Internal(Cause::new(cause))
}

/// A column that is never null.
pub(crate) fn present<T>(value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| unreadable("a value that is always stored is missing"))
}

/// A stored time.
pub(crate) fn time(row: &dyn Row, column: usize) -> Result<jiff::Timestamp, Error> {
    optional_time(row, column).and_then(present)
}

/// A stored time, or none.
pub(crate) fn optional_time(row: &dyn Row, column: usize) -> Result<Option<jiff::Timestamp>, Error> {
    row.integer(column)?.map(jiff::Timestamp::from_microsecond).transpose().map_err(unreadable)
}

/// A stored 32-byte hash.
pub(crate) fn hash(row: &dyn Row, column: usize) -> Result<[u8; 32], Error> {
    optional_hash(row, column).and_then(present)
}

/// A stored 32-byte hash, or none.
pub(crate) fn optional_hash(row: &dyn Row, column: usize) -> Result<Option<[u8; 32]>, Error> {
    let bytes = row.bytes(column)?;
    bytes.map(|bytes| bytes.try_into().map_err(|_| unreadable("a stored hash is not 32 bytes long"))).transpose()
}

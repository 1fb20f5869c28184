//! Values that are bound to statements and read from rows, the same for both databases.

use std::fmt;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
use uuid::Uuid;

use super::stored::{Stored, Wrong};
use crate::account::{Cause, Error};

/// A value bound to a statement.
#[derive(Clone)]
pub(crate) enum Parameter {
    Null,
    Integer(i64),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    /// Lists are for PostgreSQL only: one statement with a list does the work of several in SQLite.
    Texts(Vec<String>),
    BytesList(Vec<Vec<u8>>),
    Uuids(Vec<Uuid>),
    Integers(Vec<i64>),
    /// A list of values of one type, some of which may be null.
    List(Vec<Parameter>),
}

/// Prints only the kind of value: the PostgreSQL driver logs what is bound to a statement, which includes personal values.
impl fmt::Debug for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Parameter::Null => "null",
            Parameter::Integer(_) => "integer",
            Parameter::Boolean(_) => "boolean",
            Parameter::Text(_) => "text",
            Parameter::Bytes(_) => "bytes",
            Parameter::Uuid(_) => "uuid",
            Parameter::Texts(_) => "texts",
            Parameter::BytesList(_) => "list of bytes",
            Parameter::Uuids(_) => "uuids",
            Parameter::Integers(_) => "integers",
            Parameter::List(_) => "list",
        })
    }
}

macro_rules! from {
    ($($source:ty => |$value:ident| $parameter:expr;)+) => {
        $(impl From<$source> for Parameter { fn from($value: $source) -> Parameter { $parameter } })+
    };
}
from! {
    i64 => |value| Parameter::Integer(value);
    jiff::Timestamp => |value| Parameter::Integer(value.as_microsecond());
    uuid::Uuid => |value| Parameter::Uuid(value);
    bool => |value| Parameter::Boolean(value);
    &str => |value| Parameter::Text(value.to_owned());
    String => |value| Parameter::Text(value);
    Vec<u8> => |value| Parameter::Bytes(value);
    [u8; 32] => |value| Parameter::Bytes(value.to_vec());
    crate::account::AccountId => |value| Parameter::Uuid(value.0);
    crate::account::TenantId => |value| Parameter::Uuid(value.0);
    crate::account::Digest => |value| Parameter::Bytes(value.0.to_vec());
}

impl<T: Into<Parameter>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Parameter {
        value.map_or(Parameter::Null, T::into)
    }
}

/// Lists parameters of different types.
macro_rules! parameters {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::value::Parameter::from($value)),*] };
}
pub(crate) use parameters;

impl rusqlite::ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Parameter::Null => ValueRef::Null,
            Parameter::Integer(value) => ValueRef::Integer(*value),
            Parameter::Boolean(value) => ValueRef::Integer(i64::from(*value)),
            Parameter::Text(value) => ValueRef::Text(value.as_bytes()),
            Parameter::Bytes(value) => ValueRef::Blob(value),
            Parameter::Uuid(value) => ValueRef::Blob(value.as_bytes()),
            Parameter::Texts(_)
            | Parameter::BytesList(_)
            | Parameter::Uuids(_)
            | Parameter::Integers(_)
            | Parameter::List(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no lists".into()));
            }
        }))
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Parameter::Null => Ok(IsNull::Yes),
            Parameter::Integer(value) => value.to_sql_checked(ty, out),
            Parameter::Boolean(value) => value.to_sql_checked(ty, out),
            Parameter::Text(value) => value.to_sql_checked(ty, out),
            Parameter::Bytes(value) => value.to_sql_checked(ty, out),
            Parameter::Uuid(value) => value.to_sql_checked(ty, out),
            Parameter::Texts(value) => value.to_sql_checked(ty, out),
            Parameter::BytesList(value) => value.to_sql_checked(ty, out),
            Parameter::Uuids(value) => value.to_sql_checked(ty, out),
            Parameter::Integers(value) => value.to_sql_checked(ty, out),
            Parameter::List(values) => values.to_sql_checked(ty, out),
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

/// A row of either database, read by position; `None` is null.
pub(crate) trait Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, Wrong>;
    fn boolean(&self, column: usize) -> Result<Option<bool>, Wrong>;
    fn text(&self, column: usize) -> Result<Option<String>, Wrong>;
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Wrong>;
    fn uuid(&self, column: usize) -> Result<Option<Uuid>, Wrong>;
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, Wrong> {
        match value(self, column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(Wrong::new("not an integer")),
        }
    }

    fn boolean(&self, column: usize) -> Result<Option<bool>, Wrong> {
        match self.integer(column)? {
            None => Ok(None),
            Some(value @ (0 | 1)) => Ok(Some(value == 1)),
            Some(value) => Err(Wrong::new(format!("{value} is neither 0 nor 1"))),
        }
    }

    fn text(&self, column: usize) -> Result<Option<String>, Wrong> {
        match value(self, column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => super::stored::utf8(bytes.to_vec()).map(Some),
            _ => Err(Wrong::new("not a text")),
        }
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Wrong> {
        match value(self, column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes.to_vec())),
            _ => Err(Wrong::new("not bytes")),
        }
    }

    fn uuid(&self, column: usize) -> Result<Option<Uuid>, Wrong> {
        match value(self, column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Uuid::from_slice(bytes).map(Some).map_err(|_| Wrong::new("not 16 bytes")),
            _ => Err(Wrong::new("not bytes")),
        }
    }
}

fn value<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<ValueRef<'a>, Wrong> {
    row.get_ref(column).map_err(|error| Wrong::new(error.to_string()))
}

impl Row for tokio_postgres::Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, Wrong> {
        typed(self, column)
    }

    fn boolean(&self, column: usize) -> Result<Option<bool>, Wrong> {
        typed(self, column)
    }

    fn text(&self, column: usize) -> Result<Option<String>, Wrong> {
        typed(self, column)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Wrong> {
        typed(self, column)
    }

    fn uuid(&self, column: usize) -> Result<Option<Uuid>, Wrong> {
        typed(self, column)
    }
}

/// Reads a value. The server ensures its type: only a table that was changed by hand has another.
#[inline]
fn typed<'a, T: FromSql<'a>>(row: &'a tokio_postgres::Row, column: usize) -> Result<Option<T>, Wrong> {
    row.try_get(column).map_err(|error| Wrong::new(error.to_string()))
}

/// Reads a value that a query computed.
pub(crate) fn computed<T: Stored>(row: &dyn Row, column: usize) -> Result<T, Error> {
    T::read(row, column).map_err(|wrong| Error::Internal(Cause::new(format!("column {column} of a query: {wrong}"))))
}

/// Returns the row of a query that always returns one.
pub(crate) fn always<T>(row: Option<T>) -> Result<T, Error> {
    row.ok_or_else(|| Error::Internal(Cause::new("a query that always returns a row returned none")))
}

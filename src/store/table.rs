//! The declaration of a table, and what follows from it: column lists for statements, reading and writing rows by column
//! name, and copying whole tables.

use std::fmt::{self, Write};
use std::marker::PhantomData;

use data_encoding::HEXLOWER;
use tokio_postgres::types::Type;

use super::stored::{Stored, Wrong};
use super::value::{Parameter, Row};
use crate::account::{Cause, Error, Field, Text};

/// A table that exists in both databases.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns except the personal fields; those of the primary key come first.
    pub(super) columns: &'static [(&'static str, Kind)],
    /// The personal fields, each a column with the field's name, after the other columns.
    pub(super) fields: &'static [Field],
    /// How many columns the primary key has.
    pub(super) keys: usize,
    /// The condition that rows inserted by a migration meet.
    pub(super) fresh: Option<&'static str>,
}

/// The type of a column in the database.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Integer,
    Boolean,
    Text,
    Bytes,
    Uuid,
}

/// The values of a row, in the order of its columns.
pub(super) type Values = Vec<Parameter>;

impl Table {
    /// Returns the names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        (0..self.width()).map(|position| self.column(position).0)
    }

    /// Returns how many columns it has.
    pub(super) const fn width(&self) -> usize {
        self.columns.len() + self.fields.len()
    }

    /// Returns the name and the database type of the column at a position.
    pub(super) const fn column(&self, position: usize) -> (&'static str, Kind) {
        match position.checked_sub(self.columns.len()) {
            None => self.columns[position],
            Some(behind) => (self.fields[behind].name(), Kind::Bytes),
        }
    }

    /// Returns the primary key of the row that begins at a column, as it is logged.
    fn key(&self, row: &dyn Row, first: usize) -> String {
        let mut key = String::new();
        for position in 0..self.keys {
            let part = match read(row, first + position, self.column(position).1) {
                Ok(Parameter::Integer(number)) => number.to_string(),
                Ok(Parameter::Text(text)) => text,
                Ok(Parameter::Uuid(id)) => id.to_string(),
                Ok(Parameter::Bytes(bytes)) => HEXLOWER.encode(&bytes),
                _ => "?".to_owned(),
            };
            let _ = write!(key, "{}{part}", if position > 0 { "/" } else { "" });
        }
        key
    }

    /// Returns the statement that writes rows into PostgreSQL.
    pub(super) fn copy(&self) -> String {
        format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.name, self.list())
    }

    /// Returns the statement that writes a row into SQLite.
    pub(super) fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.width()).map(|place| format!("?{place}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, self.list(), places.join(", "))
    }

    fn list(&self) -> String {
        self.columns().collect::<Vec<_>>().join(", ")
    }

    /// Returns the query that reads every row, in the order of the primary key.
    pub(super) fn dump(&self) -> String {
        let keys: Vec<_> = self.columns().take(self.keys).collect();
        format!("SELECT {} FROM {} ORDER BY {}", self.list(), self.name, keys.join(", "))
    }

    /// Returns the query that counts the rows.
    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM {}", self.name)
    }

    /// Returns the query that counts one row if there is any that no migration inserted.
    pub(super) fn occupied(&self) -> String {
        let others = self.fresh.map_or(String::new(), |fresh| format!(" WHERE NOT ({fresh})"));
        format!("SELECT count(*) FROM (SELECT 1 FROM {}{others} LIMIT 1) AS first", self.name)
    }

    /// Returns the PostgreSQL types of the columns.
    pub(super) fn types(&self) -> Vec<Type> {
        let of = |position| match self.column(position).1 {
            Kind::Integer => Type::INT8,
            Kind::Boolean => Type::BOOL,
            Kind::Text => Type::TEXT,
            Kind::Bytes => Type::BYTEA,
            Kind::Uuid => Type::UUID,
        };
        (0..self.width()).map(of).collect()
    }

    /// Reads the values of a row as they are stored, whether or not this program would store them.
    pub(super) fn read(&self, row: &dyn Row) -> Result<Values, Error> {
        let value = |position| {
            let (name, kind) = self.column(position);
            read(row, position, kind).map_err(|wrong| unreadable(self.name, self.key(row, 0), name, wrong))
        };
        (0..self.width()).map(value).collect()
    }
}

/// Returns the error for a row that cannot be read: it names the table, the row by its primary key, and the column. `why` is
/// logged and must not contain a personal value.
pub fn unreadable(table: &str, key: impl fmt::Display, column: &str, why: impl fmt::Display) -> Error {
    Error::Internal(Cause::new(format!("{table} {key}: {column}: {why}")))
}

fn read(row: &dyn Row, column: usize, kind: Kind) -> Result<Parameter, Wrong> {
    Ok(match kind {
        Kind::Integer => row.integer(column)?.into(),
        Kind::Boolean => row.boolean(column)?.into(),
        Kind::Text => row.text(column)?.into(),
        Kind::Bytes => row.bytes(column)?.into(),
        Kind::Uuid => row.uuid(column)?.into(),
    })
}

/// Returns the approximate size of a row, in bytes.
pub(super) fn size(values: &Values) -> usize {
    let one = |value: &Parameter| match value {
        Parameter::Text(text) => text.len(),
        Parameter::Bytes(bytes) => bytes.len(),
        _ => 0,
    };
    values.iter().map(|value| one(value) + size_of::<Parameter>()).sum()
}

/// The columns of one table, by name.
pub(super) trait Columns: Sized {
    const TABLE: &'static Table;

    /// Returns the row of this table that begins at a column of a query's result.
    fn at<'a>(&self, row: &'a dyn Row, first: usize) -> Record<'a, Self> {
        Record { row, first, of: PhantomData }
    }
}

/// A column of the table `C`, read as `T`.
pub(super) struct Column<C, T> {
    name: &'static str,
    position: usize,
    is: PhantomData<fn() -> (C, T)>,
}

impl<C, T> Clone for Column<C, T> {
    fn clone(&self) -> Column<C, T> {
        *self
    }
}

impl<C, T> Copy for Column<C, T> {}

impl<C: Columns, T: Stored> Column<C, T> {
    pub(super) const fn new(name: &'static str, position: usize) -> Column<C, T> {
        Column { name, position, is: PhantomData }
    }

    /// Returns its name and its database type.
    pub(super) const fn declared(&self) -> (&'static str, Kind) {
        (self.name, T::KIND)
    }

    /// Returns its position among the columns.
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Returns its parameter in statements that write whole rows.
    pub(super) const fn place(&self) -> super::statement::Part {
        super::statement::Part::Place(self.position + 1)
    }
}

/// A row of the table `C` in a query's result.
pub(super) struct Record<'a, C> {
    row: &'a dyn Row,
    /// The column of the result at which it begins.
    first: usize,
    of: PhantomData<C>,
}

impl<'a, C: Columns> Record<'a, C> {
    /// Checks whether an outer join found no such row.
    pub(super) fn is_absent(&self) -> bool {
        matches!(read(self.row, self.first, C::TABLE.column(0).1), Ok(Parameter::Null))
    }

    /// Reads the value of a column.
    #[inline]
    pub(super) fn get<T: Stored>(&self, column: Column<C, T>) -> Result<T, Error> {
        T::read(self.row, self.first + column.position).map_err(|wrong| self.unreadable(column, wrong))
    }

    /// Reads the text of a personal field.
    #[inline]
    pub(super) fn field(&self, field: Field) -> Result<Option<Text>, Error> {
        let column = self.first + C::TABLE.columns.len() + field as usize;
        Stored::read(self.row, column).map_err(|wrong| self.error(field.name(), wrong))
    }

    /// Returns the error for a column whose value is not one that the program stores.
    pub(super) fn unreadable<T>(&self, column: Column<C, T>, why: impl fmt::Display) -> Error {
        self.error(column.name, why)
    }

    fn error(&self, column: &str, why: impl fmt::Display) -> Error {
        unreadable(C::TABLE.name, C::TABLE.key(self.row, self.first), column, why)
    }
}

/// Declares tables, each once: `CONSTANT = name { primary key; other columns }`, every column with the type that it is read
/// as. `where` is the condition that rows inserted by a migration meet; `+` adds a column for each personal field.
macro_rules! tables {
    ($(
        $TABLE:ident = $table:ident $(where $fresh:literal)?
        { $($key:ident: $Key:ty),+; $($column:ident: $Type:ty),* $(,)? } $(+ $fields:expr)?
    )+) => {
        $(
            pub(in crate::store) mod $table {
                use super::*;

                pub(in crate::store) struct Columns {
                    $(pub(in crate::store) $key: Column<Columns, $Key>,)+
                    $(pub(in crate::store) $column: Column<Columns, $Type>,)*
                }

                #[expect(non_camel_case_types, reason = "named as the columns are")]
                enum Position { $($key,)+ $($column,)* }

                pub(super) static TABLE: Table = Table {
                    name: stringify!($table),
                    columns: &[$($TABLE.$key.declared(),)+ $($TABLE.$column.declared(),)*],
                    fields: $crate::store::table::fields!($($fields)?),
                    keys: [$(stringify!($key)),+].len(),
                    fresh: $crate::store::table::fresh!($($fresh)?),
                };

                impl $crate::store::table::Columns for Columns {
                    const TABLE: &'static Table = &TABLE;
                }

                impl Columns {
                    pub(super) const ALL: Columns = Columns {
                        $($key: Column::new(stringify!($key), Position::$key as usize),)+
                        $($column: Column::new(stringify!($column), Position::$column as usize),)*
                    };

                    pub(in crate::store) const fn table(&self) -> &'static Table {
                        &TABLE
                    }
                }
            }
            pub(in crate::store) const $TABLE: $table::Columns = $table::Columns::ALL;
        )+

        /// Every table except the list of applied migrations, which each database keeps for itself.
        pub static TABLES: [&Table; [$(stringify!($table)),+].len()] = [$($TABLE.table()),+];
    };
}
pub(super) use tables;

macro_rules! fields {
    () => {
        &[]
    };
    ($fields:expr) => {
        &$fields
    };
}
pub(super) use fields;

macro_rules! fresh {
    () => {
        None
    };
    ($fresh:literal) => {
        Some($fresh)
    };
}
pub(super) use fresh;

/// Builds the values of a whole row, given by column, in the order of the columns, with capacity for those of the personal
/// fields that follow. Leaving a column out, or naming one twice, does not compile.
macro_rules! values {
    ($TABLE:ident { $($column:ident $(: $value:expr)?),+ $(,)? }) => {{
        const POSITIONS: &[usize] = &[$($TABLE.$column.position()),+];
        const { $crate::store::table::cover(POSITIONS, $TABLE.table()) };
        let mut values = Vec::with_capacity($TABLE.table().width());
        values.resize(POSITIONS.len(), $crate::store::value::Parameter::Null);
        $(values[const { $TABLE.$column.position() }] = $crate::store::table::value!($column $(: $value)?);)+
        values
    }};
}
pub(super) use values;

/// Builds a value, which may be abbreviated to its column's name, as in a struct literal.
macro_rules! value {
    ($column:ident) => {
        $crate::store::value::Parameter::from($column)
    };
    ($column:ident: $value:expr) => {
        $crate::store::value::Parameter::from($value)
    };
}
pub(super) use value;

/// Fails to compile unless `positions` names each column of a table, except the personal fields, once.
pub(super) const fn cover(positions: &[usize], table: &Table) {
    assert!(positions.len() == table.columns.len(), "each column is named once");
    let mut at = 0;
    while at < positions.len() {
        let mut before = 0;
        while before < at {
            assert!(positions[before] != positions[at], "each column is named once");
            before += 1;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::UNIQUE_KEY;

    #[test]
    fn the_values_of_a_row_are_in_column_order_whatever_order_they_are_named_in() {
        let values = values!(UNIQUE_KEY { account_id: 4, kind: 2, tenant_id: 1, key: 3 });
        let numbers = values.iter().map(|value| match value {
            Parameter::Integer(number) => *number,
            other => panic!("{other:?}"),
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    #[should_panic(expected = "each column is named once")]
    fn a_row_that_names_a_column_twice_is_refused() {
        cover(&[0, 1, 1, 3], UNIQUE_KEY.table());
    }

    #[test]
    #[should_panic(expected = "each column is named once")]
    fn a_row_that_omits_a_column_is_refused() {
        cover(&[0, 1, 2], UNIQUE_KEY.table());
    }
}

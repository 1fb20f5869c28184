//! The types of columns, and how each is read from a row of either database.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::table::Kind;
use super::value::{Parameter, Row};
use crate::account::{AccountId, Digest, Portal, Status, TenantId, TenantStatus, Text, TextError};
use crate::keys::KeyedHash;

/// Why a stored value is not one that the program stores. It is logged, so it may contain numbers, but never texts or bytes.
#[derive(Debug)]
pub(crate) struct Wrong(Cow<'static, str>);

impl Wrong {
    pub(crate) fn new(why: impl Into<Cow<'static, str>>) -> Wrong {
        Wrong(why.into())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A type that a column is read as: `T` if it is never null, `Option<T>` if it may be.
pub(crate) trait Stored: Sized {
    const KIND: Kind;

    fn read(row: &dyn Row, column: usize) -> Result<Self, Wrong>;
}

/// A type of values other than null.
pub(crate) trait Value: Sized {
    const KIND: Kind;

    fn read(row: &dyn Row, column: usize) -> Result<Option<Self>, Wrong>;
}

impl<T: Value> Stored for T {
    const KIND: Kind = T::KIND;

    #[inline]
    fn read(row: &dyn Row, column: usize) -> Result<T, Wrong> {
        T::read(row, column)?.ok_or(Wrong::new("null"))
    }
}

impl<T: Value> Stored for Option<T> {
    const KIND: Kind = T::KIND;

    #[inline]
    fn read(row: &dyn Row, column: usize) -> Result<Option<T>, Wrong> {
        T::read(row, column)
    }
}

/// The types that both databases support.
macro_rules! known {
    ($($Type:ty = $kind:ident by $read:ident;)+) => {
        $(impl Value for $Type {
            const KIND: Kind = Kind::$kind;

            #[inline]
            fn read(row: &dyn Row, column: usize) -> Result<Option<$Type>, Wrong> {
                row.$read(column)
            }
        })+
    };
}
known! {
    i64 = Integer by integer;
    bool = Boolean by boolean;
    String = Text by text;
    Vec<u8> = Bytes by bytes;
    Uuid = Uuid by uuid;
}

/// Types that are stored as another type.
macro_rules! stored_as {
    ($($Type:ty as $As:ty: |$value:ident| $read:expr;)+) => {
        $(impl Value for $Type {
            const KIND: Kind = <$As as Value>::KIND;

            #[inline]
            fn read(row: &dyn Row, column: usize) -> Result<Option<$Type>, Wrong> {
                let read = |$value: $As| -> Result<$Type, Wrong> { $read };
                <$As as Value>::read(row, column)?.map(read).transpose()
            }
        })+
    };
}
stored_as! {
    AccountId as Uuid: |id| Ok(AccountId(id));
    TenantId as Uuid: |id| Ok(TenantId(id));
    KeyedHash as Vec<u8>: |bytes| bytes.try_into().map_err(|_| Wrong::new("not 32 bytes"));
    Digest as Vec<u8>: |bytes| bytes.try_into().map(Digest).map_err(|_| Wrong::new("not 32 bytes"));
    Timestamp as i64: |microseconds| {
        Timestamp::from_microsecond(microseconds).map_err(|_| Wrong::new(format!("{microseconds} is no time")))
    };
    Portal as i64: |value| Portal::from_value(value).ok_or_else(|| unknown(value, "portal"));
    Status as i64: |value| Status::from_value(value).ok_or_else(|| unknown(value, "status"));
    TenantStatus as i64: |value| TenantStatus::from_value(value).ok_or_else(|| unknown(value, "status"));
    Plain as i64: |key| if key == 0 { Ok(Plain) } else { Err(unknown(key, "key")) };
    Text as Vec<u8>: |bytes| {
        Text::new(utf8(bytes)?).map_err(|error| match error {
            TextError::Empty => Wrong::new("empty"),
            TextError::TooLong => Wrong::new(format!("longer than {} bytes", Text::MAX_BYTES)),
            TextError::Nul => Wrong::new("contains NUL"),
        })
    };
}

/// The key of personal columns in plain UTF-8, the only key that this version knows.
pub(crate) struct Plain;

impl From<Plain> for Parameter {
    fn from(_: Plain) -> Parameter {
        Parameter::Integer(0)
    }
}

/// Converts bytes to text.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String, Wrong> {
    String::from_utf8(bytes).map_err(|_| Wrong::new("not UTF-8"))
}

fn unknown(value: i64, what: &str) -> Wrong {
    Wrong::new(format!("{value} is not a known {what}"))
}

//! Values in and out of statements, the same for every engine.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::{postgres, sqlite};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// One value as an engine stores it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A boolean (an integer 0 or 1 where the engine has no such type).
    Boolean(bool),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An id (16 bytes where the engine has no such type).
    Id(Uuid),
    /// A point in time (microseconds where the engine has no such type).
    Time(Timestamp),
}

/// The kind of a column's values, the same on either engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whole numbers.
    Integer,
    /// Booleans.
    Boolean,
    /// Floating-point numbers.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Ids.
    Id,
    /// Points in time.
    Time,
}

/// Something that can be bound to a placeholder.
pub trait Param {
    /// The value to bind, borrowed from `self`.
    fn value(&self) -> Value<'_>;
}

/// Something that can be read from a column.
pub trait Column: Sized {
    /// The name of the type, for error messages.
    const NAME: &'static str;
    /// The kind of column for values of this type.
    const KIND: Kind;

    /// The value as this type, or `None` if it is of another type or out of range.
    fn read(value: Value<'_>) -> Option<Self>;
}

/// The parameters of one statement, in order, borrowed.
#[macro_export]
macro_rules! params {
    ($($param:expr),* $(,)?) => { &[$($crate::Param::value(&$param)),*] };
}

macro_rules! integer {
    ($($type:ty),*) => { $(
        impl Param for $type {
            fn value(&self) -> Value<'_> { Value::Integer(i64::from(*self)) }
        }
        impl Column for $type {
            const NAME: &'static str = stringify!($type);
            const KIND: Kind = Kind::Integer;
            fn read(value: Value<'_>) -> Option<Self> {
                match value { Value::Integer(number) => number.try_into().ok(), _ => None }
            }
        }
    )* };
}
integer!(i64, u32, u16);

impl Param for bool {
    fn value(&self) -> Value<'_> {
        Value::Boolean(*self)
    }
}

impl Column for bool {
    const NAME: &'static str = "bool";
    const KIND: Kind = Kind::Boolean;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Boolean(flag) => Some(flag),
            Value::Integer(number) => Some(number != 0),
            _ => None,
        }
    }
}

impl Param for f64 {
    fn value(&self) -> Value<'_> {
        Value::Real(*self)
    }
}

impl Column for f64 {
    const NAME: &'static str = "f64";
    const KIND: Kind = Kind::Real;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Real(number) => Some(number),
            _ => None,
        }
    }
}

impl Param for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Param for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Column for String {
    const NAME: &'static str = "String";
    const KIND: Kind = Kind::Text;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Param for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> Param for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Column for Vec<u8> {
    const NAME: &'static str = "Vec<u8>";
    const KIND: Kind = Kind::Bytes;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl Param for Uuid {
    fn value(&self) -> Value<'_> {
        Value::Id(*self)
    }
}

impl Column for Uuid {
    const NAME: &'static str = "Uuid";
    const KIND: Kind = Kind::Id;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Id(id) => Some(id),
            Value::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
            _ => None,
        }
    }
}

impl Param for Timestamp {
    fn value(&self) -> Value<'_> {
        Value::Time(*self)
    }
}

impl Column for Timestamp {
    const NAME: &'static str = "Timestamp";
    const KIND: Kind = Kind::Time;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Time(time) => Some(time),
            Value::Integer(microseconds) => Some(Self(microseconds)),
            _ => None,
        }
    }
}

impl<T: Param> Param for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Param::value)
    }
}

impl<T: Column> Column for Option<T> {
    const NAME: &'static str = T::NAME;
    const KIND: Kind = T::KIND;
    fn read(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::read(other).map(Some),
        }
    }
}

impl<T: Param + ?Sized> Param for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

/// One row of a result, read column by column in the statement's order.
pub struct Row<'r> {
    source: Source<'r>,
    next: usize,
}

/// The driver's row.
pub(crate) enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn new(source: Source<'r>) -> Self {
        Self { source, next: 0 }
    }

    /// Reads the next column.
    pub fn take<T: Column>(&mut self) -> Result<T> {
        let index = self.next;
        self.next += 1;
        let stored = match self.source {
            Source::Sqlite(row) => sqlite::stored(row, index)?,
            Source::Postgres(row) => postgres::stored(row, index)?,
        };
        T::read(stored).ok_or(Error::Column { index, expected: T::NAME })
    }
}

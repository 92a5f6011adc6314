//! Conversion of SQLite's values.

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{Row, ToSql};

use crate::error::Result;
use crate::row::Value;

/// A column's value; ids, booleans and times are in their stored form.
pub(crate) fn stored<'r>(row: &'r Row<'r>, index: usize) -> Result<Value<'r>> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        // The engine stores only valid UTF-8. Any other text is damaged: it is read as bytes, and rejected as a
        // value of the wrong type.
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map_or(Value::Bytes(bytes), Value::Text)
        }
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Owned::Null),
            Self::Integer(number) => ToSqlOutput::Owned(Owned::Integer(*number)),
            Self::Boolean(flag) => ToSqlOutput::Owned(Owned::Integer(i64::from(*flag))),
            Self::Real(number) => ToSqlOutput::Owned(Owned::Real(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Id(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            Self::Time(time) => ToSqlOutput::Owned(Owned::Integer(time.0)),
        })
    }
}

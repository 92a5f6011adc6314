//! Conversion of PostgreSQL's values, in its binary formats.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::row::{Timestamp, Value};

/// PostgreSQL counts time from 2000-01-01: this is that date, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

type BoxError = Box<dyn StdError + Sync + Send>;

/// A column's value.
pub(crate) fn stored(row: &Row, index: usize) -> Result<Value<'_>> {
    row.try_get(index).map_err(|error| Error::Statement(error.into()))
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(match *ty {
            Type::BOOL => Self::Boolean(raw != [0]),
            Type::INT2 => Self::Integer(i16::from_be_bytes(raw.try_into()?).into()),
            Type::INT4 => Self::Integer(i32::from_be_bytes(raw.try_into()?).into()),
            Type::INT8 => Self::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::FLOAT4 => Self::Real(f32::from_be_bytes(raw.try_into()?).into()),
            Type::FLOAT8 => Self::Real(f64::from_be_bytes(raw.try_into()?)),
            Type::BYTEA => Self::Bytes(raw),
            Type::UUID => Self::Id(Uuid::from_slice(raw)?),
            Type::TIMESTAMPTZ => {
                let since_2000 = i64::from_be_bytes(raw.try_into()?);
                Self::Time(Timestamp(since_2000.saturating_add(EPOCH)))
            }
            _ => Self::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty)
            || matches!(
                *ty,
                Type::BOOL
                    | Type::INT2
                    | Type::INT4
                    | Type::INT8
                    | Type::FLOAT4
                    | Type::FLOAT8
                    | Type::BYTEA
                    | Type::UUID
                    | Type::TIMESTAMPTZ
            )
    }
}

/// Types whose binary format is their text.
fn is_text(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::JSON | Type::UNKNOWN
    )
}

/// A value as a parameter. The driver writes parameters to its debug log, where callers' data must not appear, so
/// `Debug` shows no part of the value.
pub(super) struct Bound<'a>(pub(super) Value<'a>);

impl fmt::Debug for Bound<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

/// A parameter's type does not match the value bound to it: a defect of the program.
#[derive(Debug, thiserror::Error)]
#[error("a value of another type, or too large, is bound to a parameter of type {0}")]
pub(super) struct Unbindable(Type);

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let unbindable = || Unbindable(ty.clone());
        match (self.0, ty) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Integer(number), &Type::INT2) => {
                out.put_i16(number.try_into().map_err(|_| unbindable())?);
            }
            (Value::Integer(number), &Type::INT4) => {
                out.put_i32(number.try_into().map_err(|_| unbindable())?);
            }
            (Value::Integer(number), &Type::INT8) => out.put_i64(number),
            (Value::Boolean(flag), &Type::BOOL) => out.put_u8(flag.into()),
            (Value::Real(number), &Type::FLOAT8) => out.put_f64(number),
            (Value::Text(text), ty) if is_text(ty) => out.put_slice(text.as_bytes()),
            (Value::Bytes(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (Value::Id(id), &Type::UUID) => out.put_slice(id.as_bytes()),
            (Value::Time(time), &Type::TIMESTAMPTZ) => {
                out.put_i64(time.0.checked_sub(EPOCH).ok_or_else(unbindable)?);
            }
            _ => return Err(unbindable().into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        // `to_sql` checks whether the value fits, and its error names the type.
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        self.to_sql(ty, out)
    }
}

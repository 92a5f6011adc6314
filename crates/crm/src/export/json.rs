//! Values of columns as JSON, the same from either engine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use zoop_db::{Kind, Timestamp};

use crate::call::error::{Error, Result};
use crate::transfer::cell::Cell;
use crate::values::clock::parse_rfc3339;
use crate::values::id::Id;

/// A value as JSON: ids and times as text, bytes in base 64.
pub(super) fn of_cell(cell: Cell) -> Result<Value> {
    Ok(match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => number.into(),
        Cell::Boolean(value) => value.into(),
        Cell::Real(number) => number.into(),
        Cell::Text(text) => text.into(),
        Cell::Bytes(bytes) => BASE64.encode(bytes).into(),
        Cell::Id(id) => id.to_string().into(),
        Cell::Time(time) => of_time(time)?,
    })
}

/// A point in time in RFC 3339 form, with as many digits as it has.
pub(super) fn of_time(Timestamp(microseconds): Timestamp) -> Result<Value> {
    let time = jiff::Timestamp::from_microsecond(microseconds).map_err(Error::internal)?;
    Ok(time.to_string().into())
}

/// The value of a column of this kind. `None` if the JSON is of another kind.
pub(super) fn to_cell(kind: Kind, value: Value) -> Option<Cell> {
    if value.is_null() {
        return Some(Cell::Null);
    }
    match kind {
        Kind::Integer => value.as_i64().map(Cell::Integer),
        Kind::Boolean => value.as_bool().map(Cell::Boolean),
        Kind::Real => value.as_f64().map(Cell::Real),
        Kind::Text => match value {
            Value::String(text) => Some(Cell::Text(text)),
            _ => None,
        },
        Kind::Bytes => BASE64.decode(value.as_str()?).ok().map(Cell::Bytes),
        Kind::Id => Id::<()>::parse(value.as_str()?).map(|id| Cell::Id(id.uuid())),
        Kind::Time => parse_rfc3339(value.as_str()?).map(Cell::Time),
    }
}

#[cfg(test)]
mod tests {
    use zoop_db::Uuid;

    use super::*;

    #[test]
    fn every_value_comes_back_exactly() {
        let cells = [
            (Kind::Integer, Cell::Integer(i64::MAX)),
            (Kind::Boolean, Cell::Boolean(true)),
            (Kind::Real, Cell::Real(37.0 + 1.0 / 3.0)),
            (Kind::Real, Cell::Real(-122.0)),
            (Kind::Text, Cell::Text("a\"\u{0}\r\n清".to_owned())),
            (Kind::Text, Cell::Null),
            (Kind::Bytes, Cell::Bytes((0..=255).collect())),
            (Kind::Id, Cell::Id(Uuid::from_u128(1 << 127 | 7))),
            (Kind::Time, Cell::Time(Timestamp(1_781_373_600_000_001))),
        ];
        for (kind, cell) in cells {
            let line = of_cell(cell.clone()).expect("JSON").to_string();
            let value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(to_cell(kind, value), Some(cell), "{line}");
        }
        assert_eq!(to_cell(Kind::Integer, "1".into()), None);
        assert_eq!(to_cell(Kind::Id, "1".into()), None);
    }
}

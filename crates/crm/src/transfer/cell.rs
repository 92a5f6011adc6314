//! Values in transit between two databases, and the checksums that show whether all have arrived.

use sha2::{Digest, Sha256};
use zoop_db::{Kind, Param, Row, Tenant, Timestamp, Uuid, Value};

use crate::call::error::Result;

/// A value that was read from a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Boolean(bool),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
    Time(Timestamp),
}

impl Cell {
    /// Reads the next column of a row, which contains this kind of value or null.
    pub(crate) fn take(kind: Kind, row: &mut Row<'_>) -> Result<Self> {
        Ok(match kind {
            Kind::Integer => row.take::<Option<i64>>()?.map(Self::Integer),
            Kind::Boolean => row.take::<Option<bool>>()?.map(Self::Boolean),
            Kind::Real => row.take::<Option<f64>>()?.map(Self::Real),
            Kind::Text => row.take::<Option<String>>()?.map(Self::Text),
            Kind::Bytes => row.take::<Option<Vec<u8>>>()?.map(Self::Bytes),
            Kind::Id => row.take::<Option<Uuid>>()?.map(Self::Id),
            Kind::Time => row.take::<Option<Timestamp>>()?.map(Self::Time),
        }
        .unwrap_or(Self::Null))
    }

    /// A value below every value of a key column of this kind. Numbers start at 1, and times are after 1970.
    pub(super) fn lowest(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(0),
            Kind::Boolean => Self::Boolean(false),
            Kind::Real => Self::Real(f64::NEG_INFINITY),
            Kind::Text => Self::Text(String::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
            Kind::Id => Self::Id(Uuid::nil()),
            Kind::Time => Self::Time(Timestamp(0)),
        }
    }

    /// Adds the value to a digest. Different values give different digests, and a value gives the same digest on
    /// both engines.
    fn digest(&self, digest: &mut Sha256) {
        let (tag, bytes): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Integer(number) => (1, &number.to_be_bytes()),
            Self::Boolean(value) => (2, &[u8::from(*value)]),
            Self::Real(number) => (3, &number.to_bits().to_be_bytes()),
            Self::Text(text) => (4, text.as_bytes()),
            Self::Bytes(bytes) => (5, bytes),
            Self::Id(id) => (6, id.as_bytes()),
            Self::Time(time) => (7, &time.0.to_be_bytes()),
        };
        digest.update([tag]);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }
}

impl Param for Cell {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Id(id) => Value::Id(*id),
            Self::Time(time) => Value::Time(*time),
        }
    }
}

/// A summary of a table: the number of its rows, and the sum of their digests. It does not depend on the order
/// in which an engine returns the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) rows: u64,
    pub(super) checksum: u128,
}

impl Sum {
    /// Adds a row of this tenant, or of a table shared by all tenants.
    pub(super) fn add(&mut self, tenant: Option<Tenant>, row: &[Cell]) {
        let mut digest = Sha256::new();
        digest.update(tenant.map_or(0, |Tenant(number)| number).to_be_bytes());
        for cell in row {
            cell.digest(&mut digest);
        }
        let half = *digest.finalize().first_chunk().unwrap_or(&[0; 16]);
        self.rows += 1;
        self.checksum = self.checksum.wrapping_add(u128::from_be_bytes(half));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[(u32, &[Cell])]) -> Sum {
        let mut sum = Sum::default();
        for (tenant, row) in rows {
            sum.add(Some(Tenant(*tenant)), row);
        }
        sum
    }

    #[test]
    fn sums_depend_on_the_rows_and_not_on_their_order() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let (one, two) = ([text("ab"), text("c")], [text("a"), text("bc")]);
        assert_eq!(sum(&[(1, &one), (1, &two)]), sum(&[(1, &two), (1, &one)]));
        assert_ne!(
            sum(&[(1, &one)]),
            sum(&[(1, &two)]),
            "the sum should depend on where a string ends"
        );
        assert_ne!(sum(&[(1, &one)]), sum(&[(2, &one)]), "the sum should depend on the tenant");
        assert_ne!(
            sum(&[(1, &one), (1, &one)]),
            Sum::default(),
            "the sum should depend on duplicate rows"
        );
        for (one, two) in [
            (Cell::Null, text("")),
            (Cell::Integer(0), Cell::Time(Timestamp(0))),
            (Cell::Real(0.0), Cell::Real(-0.0)),
            (Cell::Bytes(Vec::new()), text("")),
        ] {
            assert_ne!(sum(&[(1, &[one])]), sum(&[(1, &[two])]));
        }
    }
}

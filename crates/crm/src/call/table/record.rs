//! The macro `record!`, and the macros that it uses.

/// Declares a type and the per-tenant table that stores its values.
///
/// After a field's type, `as fixed` says that the column never changes, and `as numbered` that the
/// engine assigns the number. `= expression` says that the field has no column: its value follows from
/// the fields above it. `beside` lists columns for which the type has no field. In INSERT and UPDATE, their
/// parameters come after those of the record.
macro_rules! record {
    (
        $(#[$about:meta])*
        $visibility:vis struct $record:ident {
            $(
                $(#[$field_about:meta])*
                $field_visibility:vis $field:ident: $type:ty $(as $role:ident)? $(= $derived:expr)?
            ),* $(,)?
        }
        table $table:ident {
            key: [$($key:ident),+],
            $(beside: { $($beside:ident: $beside_type:ty $(as $beside_role:ident)?),+ },)?
            exported: $exported:ident,
            erased: [$($erased:ident),+],
        }
    ) => {
        $(#[$about])*
        $visibility struct $record {
            $( $(#[$field_about])* $field_visibility $field: $type, )*
        }

        impl $crate::call::table::Record for $record {
            const TABLE: $crate::call::table::Table = {
                use $crate::call::table::{Column, Columns, Part, Record};
                const ALL: Columns = <$record as Record>::COLUMNS;
                const COLUMNS: &[Column] = &ALL.key_first::<{ ALL.count(Part::Stored) }>();
                const KEY: usize = ALL.key.len();
                $crate::call::table::Table {
                    name: stringify!($table),
                    copied_by: concat!("transfer ", stringify!($table)),
                    columns: COLUMNS,
                    key: KEY,
                    rows: $crate::call::table::rows!(per_tenant, stringify!($table), COLUMNS, KEY),
                    exported: $crate::call::table::Export::$exported,
                    erased: &[$($crate::call::table::Erasure::$erased),+],
                }
            };

            const COLUMNS: $crate::call::table::Columns = $crate::call::table::Columns {
                table: stringify!($table),
                key: &[$(stringify!($key)),+],
                all: &[
                    $($crate::call::table::field!($field: $type $(as $role)? $(= $derived)?),)*
                    $($($crate::call::table::field!($beside: $beside_type $(as $beside_role)?)),+)?
                ],
                fields: [$(stringify!($field)),*].len(),
            };

            const SELECTED: &'static str = zoop_db::drafted!(
                <$record as $crate::call::table::Record>::COLUMNS.selected("")
            );

            const INSERT: &'static str =
                zoop_db::drafted!(<$record as $crate::call::table::Record>::COLUMNS.insert());

            const UPDATE: &'static str =
                zoop_db::drafted!(<$record as $crate::call::table::Record>::COLUMNS.update());

            fn inserted(&self) -> impl AsRef<[zoop_db::Value<'_>]> {
                $crate::call::table::parameters!(self, $record, Inserted, [$($field $(= $derived)?),*])
            }

            fn updated(&self) -> impl AsRef<[zoop_db::Value<'_>]> {
                $crate::call::table::parameters!(self, $record, Updated, [$($field $(= $derived)?),*])
            }

            fn read(row: &mut zoop_db::Row<'_>) -> $crate::call::error::Result<Self> {
                $( let $field: $type = $crate::call::table::read_field!(row $(= $derived)?); )*
                Ok(Self { $($field),* })
            }
        }
    };
}
pub(crate) use record;

/// The column of a field.
macro_rules! field {
    ($field:ident: $type:ty = $derived:expr) => {
        // The field has no column, so its kind does not matter.
        $crate::call::table::column!(@ $field, zoop_db::Kind::Text, Derived)
    };
    ($field:ident: $type:ty $(as $role:ident)?) => {
        $crate::call::table::column!($field: <$type as zoop_db::Column>::KIND $(, $role)?)
    };
}
pub(crate) use field;

/// The parameters of the statement that writes these columns of the record.
macro_rules! parameters {
    ($self:ident, $record:ident, $part:ident, [$($field:ident $(= $derived:expr)?),*]) => {{
        use $crate::call::table::{Columns, Part, Record};
        const ALL: Columns = <$record as Record>::COLUMNS;
        const INDEXES: [usize; ALL.parameter_count(Part::$part)] = ALL.parameter_indexes(Part::$part);
        let values = [$($crate::call::table::field_value!($self, $field $(= $derived)?)),*];
        INDEXES.map(|index| values[index])
    }};
}
pub(crate) use parameters;

/// The value of a field's column; NULL if the field has no column.
macro_rules! field_value {
    ($record:ident, $field:ident = $derived:expr) => {
        zoop_db::Value::Null
    };
    ($record:ident, $field:ident) => {
        zoop_db::Param::value(&$record.$field)
    };
}
pub(crate) use field_value;

/// Reads a field of the record, or derives it.
macro_rules! read_field {
    ($row:ident = $derived:expr) => {
        $derived
    };
    ($row:ident) => {
        $row.take()?
    };
}
pub(crate) use read_field;

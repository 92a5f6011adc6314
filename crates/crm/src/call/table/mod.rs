//! Tables: each column is declared once, and every statement that names all columns follows from the
//! declaration.
//!
//! | macro | declares | generates |
//! | --- | --- | --- |
//! | `record!` | a type and its per-tenant table | the type, SELECT list, INSERT, UPDATE, parameters, reader, [`Table`] |
//! | `table!` | any other table | [`Table`] |
//!
//! A [`Table`] says how its rows are copied, exported and erased. `schema.rs` lists all tables. Statements
//! about particular rows are in the modules that run them.
//!
//! What must never live here: a table, or a statement that only one table needs.

mod record;
mod text;

use zoop_db::{GlobalSql, Kind, Row, Sql, Value, WriteTx};

use crate::call::error::Result;
use crate::call::storage;

pub(crate) use record::{field, field_value, parameters, read_field, record};
pub(crate) use text::{Columns, Copying, Part, count_lasting, lasting};

/// A table, and how its rows are copied, exported and erased.
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// The columns, key columns first. The `tenant_no` of a per-tenant table is left out.
    pub columns: &'static [Column],
    /// The number of columns in the key. Rows are read in the order of the key.
    pub key: usize,
    /// The name of the table's copy statements in the list of all statements.
    pub copied_by: &'static str,
    /// Whether the rows belong to tenants, and the statements that copy them.
    pub rows: Rows,
    /// The export that contains the rows.
    pub exported: Export,
    /// What erases the rows.
    pub erased: &'static [Erasure],
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// The kind of the column's values.
    pub kind: Kind,
    /// Which statements write the column.
    pub role: Role,
}

/// Which statements write a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// INSERT and UPDATE.
    Changing,
    /// Only INSERT.
    Fixed,
    /// None: the engine assigns the next number.
    Numbered,
    /// None: the field has no column, since its value follows from other fields.
    Derived,
}

/// Whether the rows of a table belong to tenants, and the statements that copy them.
#[derive(Clone, Copy)]
pub enum Rows {
    /// Each row belongs to one tenant, and row-level security protects it.
    PerTenant {
        /// The statements that copy the rows.
        statements: Statements<Sql>,
        /// Reads the number of a tenant's rows, and the total length of their text in bytes.
        size: Sql,
        /// Adds rows that come from another database: with the values of all columns that have no number of the
        /// engine.
        bring: Sql,
    },
    /// All tenants share the rows. Row-level security does not protect them, because they are read before the
    /// tenant is known.
    Shared {
        /// Why the table is shared, in words that follow "the rows".
        why: &'static str,
        /// The statements that copy the rows.
        statements: Statements<GlobalSql>,
    },
}

/// The statements that copy a table.
#[derive(Clone, Copy)]
pub struct Statements<S: 'static> {
    /// Counts the rows.
    pub(crate) count: S,
    /// Reads the next rows after a key.
    pub(crate) page: S,
    /// Adds rows.
    pub(crate) add: S,
    /// All statements that were declared for the table, by name.
    pub(crate) declared: &'static [(&'static str, S)],
}

/// The export that contains the rows; users have none yet. Hashes and secrets are never exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The tenant's export.
    WithTenant,
    /// The user's export.
    WithUser,
    /// None: the table is only for authentication.
    Secret,
    /// None: the table is only for the running servers.
    Internal,
}

/// What erases rows. So far, expiry does, and the erasure of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// The erasure of the customer that the rows are about.
    WithCustomer,
    /// The erasure of the user that the rows are about.
    WithUser,
    /// The erasure of the tenant.
    WithTenant,
    /// Expiry: a sweep removes the rows.
    OnExpiry,
}

impl Table {
    /// Whether the rows belong to tenants.
    pub const fn is_per_tenant(&self) -> bool {
        matches!(self.rows, Rows::PerTenant { .. })
    }

    /// Adds rows, each with the values of all columns. On PostgreSQL this is one statement.
    pub(crate) fn add(&self, tx: &mut WriteTx<'_>, rows: &[Vec<Value<'_>>]) -> Result<()> {
        match self.rows {
            Rows::Shared { statements, .. } => tx.global_execute_each(statements.add, rows)?,
            Rows::PerTenant { statements, .. } => tx.execute_each(statements.add, rows)?,
        }
        Ok(())
    }

    /// The columns whose values are the same in every database: not the numbers of the engine.
    pub fn lasting(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(|column| column.role != Role::Numbered)
    }

    /// The bytes that storage counts for a row, without its text.
    pub const fn row_size(&self) -> i64 {
        let (mut bytes, mut at) = (0, 0);
        while at < self.columns.len() {
            bytes += storage::fixed_size(self.columns[at].kind);
            at += 1;
        }
        bytes
    }
}

/// A type whose values are the rows of a per-tenant table.
pub(crate) trait Record: Sized {
    /// The table.
    const TABLE: Table;
    /// The columns, in the order in which [`Record::read`] reads them.
    const COLUMNS: Columns;
    /// The columns that [`Record::read`] reads, as a SELECT lists them.
    const SELECTED: &'static str;
    /// The statement that adds a record, with the parameters of [`Record::inserted`].
    const INSERT: &'static str;
    /// The statement that writes all columns that can change, with the parameters of
    /// [`Record::updated`].
    const UPDATE: &'static str;

    /// The parameters of [`Record::INSERT`]. The caller appends the values of columns outside the record.
    fn inserted(&self) -> impl AsRef<[Value<'_>]>;

    /// The parameters of [`Record::UPDATE`]. The caller appends the values of columns outside the record.
    fn updated(&self) -> impl AsRef<[Value<'_>]>;

    /// Reads the columns of [`Record::SELECTED`].
    fn read(row: &mut Row<'_>) -> Result<Self>;
}

/// Declares a table that no record type represents: its key, and its columns with their kinds.
///
/// `as numbered` after a column's kind says that the engine assigns the number.
macro_rules! table {
    (
        $(#[$about:meta])*
        $visibility:vis const $constant:ident = $table:ident {
            $whose:ident $(: $why:literal)?,
            key: { $($key:ident: $key_kind:ident $(as $key_role:ident)?),+ },
            columns: { $($column:ident: $kind:ident $(as $role:ident)?),* $(,)? },
            exported: $exported:ident,
            erased: [$($erased:ident),+],
        }
    ) => {
        $(#[$about])*
        $visibility const $constant: $crate::call::table::Table = {
            const COLUMNS: &[$crate::call::table::Column] = &[
                $($crate::call::table::column!($key: zoop_db::Kind::$key_kind $(, $key_role)?),)+
                $($crate::call::table::column!($column: zoop_db::Kind::$kind $(, $role)?)),*
            ];
            const KEY: usize = [$(stringify!($key)),+].len();
            $crate::call::table::Table {
                name: stringify!($table),
                copied_by: concat!("transfer ", stringify!($table)),
                columns: COLUMNS,
                key: KEY,
                rows: $crate::call::table::rows!($whose $($why)?, stringify!($table), COLUMNS, KEY),
                exported: $crate::call::table::Export::$exported,
                erased: &[$($crate::call::table::Erasure::$erased),+],
            }
        };
    };
}
pub(crate) use table;

/// A column, with its role. The default role is [`Role::Changing`].
macro_rules! column {
    ($name:ident: $kind:expr) => {
        $crate::call::table::column!(@ $name, $kind, Changing)
    };
    ($name:ident: $kind:expr, fixed) => {
        $crate::call::table::column!(@ $name, $kind, Fixed)
    };
    ($name:ident: $kind:expr, numbered) => {
        $crate::call::table::column!(@ $name, $kind, Numbered)
    };
    (@ $name:ident, $kind:expr, $role:ident) => {
        $crate::call::table::Column {
            name: stringify!($name),
            kind: $kind,
            role: $crate::call::table::Role::$role,
        }
    };
}
pub(crate) use column;

/// The [`Rows`] of a table, with the statements that copy them.
macro_rules! rows {
    (per_tenant, $name:expr, $columns:expr, $key:expr) => {{
        const COPYING: $crate::call::table::Copying<'static> =
            $crate::call::table::Copying::per_tenant($name, $columns, $key);
        const LASTING: &[$crate::call::table::Column] = &$crate::call::table::lasting::<
            { $crate::call::table::count_lasting($columns) },
        >($columns);
        const BRINGING: $crate::call::table::Copying<'static> =
            $crate::call::table::Copying::per_tenant($name, LASTING, $key);
        zoop_db::statements! {
            COUNT = (zoop_db::drafted!(COPYING.count()));
            PAGE = (zoop_db::drafted!(COPYING.page()));
            ADD = {
                sqlite: zoop_db::drafted!(COPYING.add_one()),
                postgres: zoop_db::drafted!(COPYING.add_all()),
            };
            SIZE = (zoop_db::drafted!(COPYING.size()));
            BRING = {
                sqlite: zoop_db::drafted!(BRINGING.add_one()),
                postgres: zoop_db::drafted!(BRINGING.add_all()),
            };
        }
        $crate::call::table::Rows::PerTenant {
            statements: $crate::call::table::Statements {
                count: COUNT,
                page: PAGE,
                add: ADD,
                declared: STATEMENTS,
            },
            size: SIZE,
            bring: BRING,
        }
    }};
    (shared $why:literal, $name:expr, $columns:expr, $key:expr) => {{
        const COPYING: $crate::call::table::Copying<'static> =
            $crate::call::table::Copying::shared($name, $columns, $key);
        zoop_db::global_statements! {
            COUNT = (zoop_db::drafted!(COPYING.count()));
            PAGE = (zoop_db::drafted!(COPYING.page()));
            ADD = {
                sqlite: zoop_db::drafted!(COPYING.add_one()),
                postgres: zoop_db::drafted!(COPYING.add_all()),
            };
        }
        $crate::call::table::Rows::Shared {
            why: $why,
            statements: $crate::call::table::Statements {
                count: COUNT,
                page: PAGE,
                add: ADD,
                declared: GLOBAL_STATEMENTS,
            },
        }
    }};
}
pub(crate) use rows;

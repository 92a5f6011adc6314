//! Tables: a column is declared once, and every statement that names all columns follows from the
//! declaration.
//!
//! | declared with | for | follows |
//! | --- | --- | --- |
//! | `record!` | a tenant's records | the type, SELECT list, INSERT, UPDATE, parameters, reader, [`Table`] |
//! | `table!` | every other table | [`Table`] |
//!
//! A [`Table`] says how its rows are copied, exported and erased; `schema.rs` lists them all. The
//! statements about particular rows are written in the module that runs them.
//!
//! What must never live here: a table, or a statement that only one table needs.

mod record;
mod text;

use zoop_db::{GlobalSql, Kind, Row, Sql, Value};

use crate::call::error::Result;
use crate::call::storage;

pub(crate) use record::{field, field_value, parameters, read_field, record};
pub(crate) use text::{Columns, Copying, Part};

/// A table, and how its rows are copied, exported and erased.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, those of the key first. `tenant_no` is left out if the rows belong to tenants.
    pub columns: &'static [Column],
    /// The number of the key's columns. Rows are read in the order of the key.
    pub key: usize,
    /// The name of its copy statements in the list of statements.
    pub copied_by: &'static str,
    /// Whether its rows belong to tenants.
    pub rows: Rows,
    /// The export that contains its rows.
    pub exported: Export,
    /// What erases its rows.
    pub erased: &'static [Erasure],
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// When it is written.
    pub role: Role,
}

/// When a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// By INSERT and UPDATE.
    Changing,
    /// Only by INSERT.
    Fixed,
    /// By the engine, which assigns the next number.
    Numbered,
    /// Never: the field has no column. Its value follows from other fields.
    Derived,
}

/// Whether the rows of a table belong to tenants, and the statements that copy them.
#[derive(Clone, Copy)]
pub enum Rows {
    /// Each belongs to one tenant, and row-level security protects it.
    OfTenant {
        /// The statements that copy them.
        statements: Statements<Sql>,
        /// The number of a tenant's rows, and the bytes of all their texts.
        size: Sql,
    },
    /// They are above tenants. Row-level security does not protect them, since they are read before the
    /// tenant is known.
    AboveTenants {
        /// Why they are above tenants.
        why: &'static str,
        /// The statements that copy them.
        statements: Statements<GlobalSql>,
    },
}

/// The statements that copy a table.
#[derive(Clone, Copy)]
pub struct Statements<S: 'static> {
    /// How many rows it has.
    pub(crate) count: S,
    /// The next rows after a key.
    pub(crate) page: S,
    /// Adds rows.
    pub(crate) add: S,
    /// All of these statements, by name.
    pub(crate) declared: &'static [(&'static str, S)],
}

/// The export that is to contain the rows. There is no export yet. Hashes and secrets are never
/// exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// The tenant's.
    WithTenant,
    /// The user's.
    WithUser,
    /// None: the table is only for authentication.
    Secret,
    /// None: the table is only for the running servers.
    Internal,
}

/// What is to erase rows. Only expiry exists so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Erasing the customer that they are about.
    WithCustomer,
    /// Erasing the user that they are about.
    WithUser,
    /// Erasing the tenant.
    WithTenant,
    /// Time: a sweep removes them.
    OnExpiry,
}

impl Table {
    /// Whether its rows belong to tenants.
    pub const fn is_of_tenants(&self) -> bool {
        matches!(self.rows, Rows::OfTenant { .. })
    }

    /// The bytes of a row without its texts, as storage is counted.
    pub const fn row_size(&self) -> i64 {
        let (mut bytes, mut at) = (0, 0);
        while at < self.columns.len() {
            bytes += storage::fixed(self.columns[at].kind);
            at += 1;
        }
        bytes
    }
}

/// A type whose values are the rows of a tenant's table.
pub(crate) trait Record: Sized {
    /// The table.
    const TABLE: Table;
    /// Its columns, in the order in which [`Record::read`] takes them.
    const COLUMNS: Columns;
    /// The same columns, as a SELECT lists them.
    const SELECTED: &'static str;
    /// The statement that adds a record, with the parameters of [`Record::inserted`].
    const INSERT: &'static str;
    /// The statement that writes all columns that can change, with the parameters of
    /// [`Record::updated`].
    const UPDATE: &'static str;

    /// The parameters of [`Record::INSERT`]. Those of columns that the record does not hold follow
    /// them.
    fn inserted(&self) -> impl AsRef<[Value<'_>]>;

    /// The parameters of [`Record::UPDATE`]. Those of columns that the record does not hold follow
    /// them.
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

/// A column, with its role. Without one it can change.
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

/// [`Rows`], with the statements that copy them.
macro_rules! rows {
    (of_tenants, $name:expr, $columns:expr, $key:expr) => {{
        const COPYING: $crate::call::table::Copying<'static> =
            $crate::call::table::Copying::of_tenants($name, $columns, $key);
        zoop_db::statements! {
            COUNT = (zoop_db::drafted!(COPYING.count()));
            PAGE = (zoop_db::drafted!(COPYING.page()));
            ADD = {
                sqlite: zoop_db::drafted!(COPYING.add_one()),
                postgres: zoop_db::drafted!(COPYING.add_all()),
            };
            SIZE = (zoop_db::drafted!(COPYING.size()));
        }
        $crate::call::table::Rows::OfTenant {
            statements: $crate::call::table::Statements {
                count: COUNT,
                page: PAGE,
                add: ADD,
                declared: STATEMENTS,
            },
            size: SIZE,
        }
    }};
    (above_tenants $why:literal, $name:expr, $columns:expr, $key:expr) => {{
        const COPYING: $crate::call::table::Copying<'static> =
            $crate::call::table::Copying::above_tenants($name, $columns, $key);
        zoop_db::global_statements! {
            COUNT = (zoop_db::drafted!(COPYING.count()));
            PAGE = (zoop_db::drafted!(COPYING.page()));
            ADD = {
                sqlite: zoop_db::drafted!(COPYING.add_one()),
                postgres: zoop_db::drafted!(COPYING.add_all()),
            };
        }
        $crate::call::table::Rows::AboveTenants {
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

//! [`Session`]: the connection that a job uses, to either engine.

use crate::error::{Error, Result};
use crate::row::{Row, Source, Timestamp, Value};
use crate::sql::{Dialect, Dialects};
use crate::tx::{Earlier, Tenant};
use crate::{postgres, sqlite};

/// The connection of a running job.
pub(crate) enum Session<'c> {
    Sqlite(&'c mut sqlite::Connection),
    Postgres(&'c mut postgres::Connection),
}

/// One statement to run, with `tenant`, if any, as its `$1`.
#[derive(Clone, Copy)]
pub(crate) struct SqlCall<'p> {
    pub(crate) text: Dialects,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) params: &'p [Value<'p>],
}

/// Properties of a database's server and role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// The version that the server reports.
    pub version: String,
    /// Whether the role bypasses row-level security.
    pub bypasses_row_security: bool,
    /// The maximum number of connections that all processes with this role may have together.
    pub max_connections: usize,
}

/// A callback for each row of a result.
pub(crate) type Reader<'f, E> = &'f mut dyn FnMut(&mut Row<'_>) -> Result<(), E>;

impl Session<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// See [`ReadTx::bind`](crate::ReadTx::bind).
    pub(crate) fn bind(&mut self, tenant: Tenant) -> Earlier {
        match self {
            // SQLite has only one writer, so no other write can have changed anything.
            Self::Sqlite(_) => Earlier::Holds,
            Self::Postgres(connection) => connection.bind(tenant),
        }
    }

    /// See [`WriteTx::take_turn`](crate::WriteTx::take_turn).
    pub(crate) fn take_turn(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(connection) => connection.take_turn(),
        }
    }

    /// See [`ReadTx::place`](crate::ReadTx::place).
    pub(crate) fn place(&mut self, table: &'static str) -> Result<String> {
        match self {
            Self::Sqlite(connection) => connection.place(),
            Self::Postgres(connection) => connection.place(table),
        }
    }

    /// Runs a writing statement; returns the number of rows it affected.
    pub(crate) fn execute(&mut self, call: SqlCall<'_>) -> Result<usize> {
        match self {
            Self::Sqlite(connection) => {
                connection.execute(call.text.sqlite, call.tenant, call.params)
            }
            Self::Postgres(connection) => {
                connection.execute(call.text.postgres, call.tenant, call.params)
            }
        }
    }

    /// See [`WriteTx::execute_each`](crate::WriteTx::execute_each).
    pub(crate) fn execute_each(
        &mut self,
        text: Dialects,
        tenant: Option<Tenant>,
        rows: &[Vec<Value<'_>>],
    ) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                for row in rows {
                    connection.execute(text.sqlite, tenant, row)?;
                }
                Ok(())
            }
            Self::Postgres(_) if rows.is_empty() => Ok(()),
            Self::Postgres(connection) => connection.execute_each(text.postgres, tenant, rows),
        }
    }

    /// Adds a row to a table whose integer key the engine generates; returns that key.
    pub(crate) fn insert(&mut self, call: SqlCall<'_>) -> Result<i64> {
        match self {
            // `RETURNING` would give the same key. But SQLite opens a statement journal for it, which makes
            // FTS5 flush the rows that it buffers for the whole batch.
            Self::Sqlite(connection) => {
                connection.execute(call.text.sqlite, call.tenant, call.params)?;
                Ok(connection.last_key())
            }
            Self::Postgres(connection) => {
                connection.insert(call.text.postgres, call.tenant, call.params)
            }
        }
    }

    /// Reads rows until there are no more or `read` returns `false`.
    pub(crate) fn rows<E: From<Error>>(
        &mut self,
        call: SqlCall<'_>,
        read: impl FnMut(&mut Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        match self {
            Self::Sqlite(connection) => {
                connection.rows(call.text.sqlite, call.tenant, call.params, read)
            }
            Self::Postgres(connection) => {
                connection.rows(call.text.postgres, call.tenant, call.params, read)
            }
        }
    }

    /// Reads all rows of three statements, in one round trip if the engine is a server.
    pub(crate) fn pipelined<E: From<Error>>(
        &mut self,
        calls: [SqlCall<'_>; 3],
        readers: [Reader<'_, E>; 3],
    ) -> Result<(), E> {
        match self {
            Self::Sqlite(connection) => {
                for (call, read) in calls.into_iter().zip(readers) {
                    let mut read_on = |row: &mut Row<'_>| read(row).map(|()| true);
                    connection.rows(call.text.sqlite, call.tenant, call.params, &mut read_on)?;
                }
            }
            Self::Postgres(connection) => {
                for (rows, read) in connection.pipelined(calls)?.iter().zip(readers) {
                    for row in rows {
                        read(&mut Row::new(Source::Postgres(row)))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs a writing statement for which the tables' sweep policies apply: it sees the expired rows of all
    /// tenants. Passes the rows that it returns to `read`.
    pub(crate) fn sweep<E: From<Error>>(
        &mut self,
        call: SqlCall<'_>,
        read: impl FnMut(&mut Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        match self {
            // SQLite has no row-level security.
            Self::Sqlite(_) => self.rows(call, read),
            Self::Postgres(connection) => connection.sweep(call.text.postgres, call.params, read),
        }
    }

    /// See [`WriteTx::merge_index`](crate::WriteTx::merge_index).
    pub(crate) fn merge_index(&mut self, index: &'static str) -> Result<bool> {
        match self {
            Self::Sqlite(connection) => connection.merge_index(index),
            Self::Postgres(_) => Ok(false),
        }
    }

    /// Updates the planner's statistics, if the engine uses any.
    pub(crate) fn gather_statistics(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(connection) => connection.gather_statistics(),
        }
    }

    /// Reads the first row, if there is one.
    pub(crate) fn first<T, E: From<Error>>(
        &mut self,
        call: SqlCall<'_>,
        read: impl FnOnce(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        match self {
            Self::Sqlite(connection) => {
                connection.first(call.text.sqlite, call.tenant, call.params, read)
            }
            Self::Postgres(connection) => {
                connection.first(call.text.postgres, call.tenant, call.params, read)
            }
        }
    }

    /// See [`ReadTx::clock`](crate::ReadTx::clock).
    pub(crate) fn clock(&mut self) -> Result<Option<Timestamp>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(connection) => connection.clock().map(Some),
        }
    }

    /// See [`ReadTx::server`](crate::ReadTx::server).
    pub(crate) fn server(&mut self) -> Result<Option<ServerState>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(connection) => connection.server_state().map(Some),
        }
    }

    /// See [`ReadTx::others`](crate::ReadTx::others).
    pub(crate) fn others(&mut self) -> Result<usize> {
        match self {
            Self::Sqlite(_) => Ok(0),
            Self::Postgres(connection) => connection.others(),
        }
    }

    /// See [`ReadTx::faults`](crate::ReadTx::faults).
    pub(crate) fn faults(&mut self) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(connection) => connection.faults(),
            Self::Postgres(connection) => connection.faults(),
        }
    }

    /// See [`ReadTx::steps`](crate::ReadTx::steps).
    pub(crate) fn steps(&mut self, call: SqlCall<'_>) -> Result<i32> {
        match self {
            Self::Sqlite(connection) => {
                connection.steps(call.text.sqlite, call.tenant, call.params)
            }
            Self::Postgres(connection) => {
                connection.steps(call.text.postgres, call.tenant, call.params)
            }
        }
    }

    /// See [`ReadTx::explain`](crate::ReadTx::explain).
    pub(crate) fn explain(&mut self, call: SqlCall<'_>) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(connection) => {
                let params = call.params.len() + usize::from(call.tenant.is_some());
                connection.plan(call.text.sqlite, params)
            }
            Self::Postgres(connection) => {
                connection.explain(call.text.postgres, call.tenant, call.params)
            }
        }
    }

    /// See [`ReadTx::plan`](crate::ReadTx::plan).
    pub(crate) fn plan(&mut self, sql: &str, params: usize) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(connection) => connection.plan(sql, params),
            Self::Postgres(connection) => connection.plan(sql, params),
        }
    }
}

//! What a job can do: [`ReadTx`] reads one snapshot, [`WriteTx`] also writes.
//!
//! A transaction starts bound to no tenant. The code that has checked a credential binds the transaction. After
//! that, every tenant statement gets the tenant as `$1` automatically, so no function needs a tenant parameter,
//! which could be mixed up.

use std::ops::{Deref, DerefMut};

use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::migrate::{BEGIN_COPY, END_COPY};
use crate::row::{Row, Timestamp, Value};
use crate::session::{ServerState, Session, SqlCall};
use crate::sql::{Dialect, GlobalSql, Sql};

/// A tenant's number: small, never reused, never shown to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(pub u32);

/// Whether what a transaction read before it was bound to a tenant is still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// What was read is still valid.
    Holds,
    /// Another write of the tenant may have changed what was read.
    MayBeStale,
}

/// A statement about one tenant's rows, its parameters, and a function that converts a row.
pub type RowQuery<'p, F> = (Sql, &'p [Value<'p>], F);

/// The rows of the three statements of [`ReadTx::pipelined`].
pub type PipelinedRows<A, B, C> = (Vec<A>, Vec<B>, Vec<C>);

/// One consistent snapshot of the database.
pub struct ReadTx<'c> {
    session: Session<'c>,
    caller: Caller,
    tenant: Option<Tenant>,
}

/// A [`ReadTx`] that can also write; its writes are committed only if its job succeeds.
pub struct WriteTx<'c>(ReadTx<'c>);

impl<'c> ReadTx<'c> {
    pub(crate) fn new(session: Session<'c>, caller: Caller) -> Self {
        Self { session, caller, tenant: None }
    }

    /// Checks that the job has time left. A loop over text or rows calls this every few rows, or every 16 KiB of
    /// text. A running statement is cancelled without this call.
    ///
    /// # Errors
    /// [`Error::Deadline`] once the job's deadline has passed or its caller has gone.
    pub fn ensure_time(&self) -> Result<()> {
        self.caller.ensure_waits()
    }

    fn call<'p>(&self, sql: Sql, params: &'p [Value<'p>]) -> Result<SqlCall<'p>> {
        Ok(SqlCall { text: sql.0, tenant: Some(self.tenant()?), params })
    }

    /// Binds the transaction to a tenant: every later tenant statement is only about that tenant's rows. Before
    /// its next statement, a write waits for the tenant's other writes, so the return value says whether what was
    /// read before must be reread.
    pub fn bind(&mut self, tenant: Tenant) -> Earlier {
        self.tenant = Some(tenant);
        self.session.bind(tenant)
    }

    /// The tenant that the transaction is bound to.
    pub fn tenant(&self) -> Result<Tenant> {
        self.tenant.ok_or(Error::Unbound)
    }

    /// The dialect for parameters that are themselves queries, such as search expressions.
    pub fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    /// Every row of the answer, converted by `read`.
    pub fn all<T, E: From<Error>>(
        &mut self,
        sql: Sql,
        params: &[Value<'_>],
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let mut rows = Vec::new();
        let call = self.call(sql, params)?;
        self.session.rows::<E>(call, |row| {
            rows.push(read(row)?);
            Ok(true)
        })?;
        Ok(rows)
    }

    /// Every row of three answers, each converted by its own function. If the engine is a server, the three
    /// statements take one round trip.
    pub fn pipelined<A, B, C, E: From<Error>>(
        &mut self,
        first: RowQuery<'_, impl FnMut(&mut Row<'_>) -> Result<A, E>>,
        second: RowQuery<'_, impl FnMut(&mut Row<'_>) -> Result<B, E>>,
        third: RowQuery<'_, impl FnMut(&mut Row<'_>) -> Result<C, E>>,
    ) -> Result<PipelinedRows<A, B, C>, E> {
        let calls = [
            self.call(first.0, first.1)?,
            self.call(second.0, second.1)?,
            self.call(third.0, third.1)?,
        ];
        let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
        self.session.pipelined(
            calls,
            [
                &mut collect_into(&mut a, first.2),
                &mut collect_into(&mut b, second.2),
                &mut collect_into(&mut c, third.2),
            ],
        )?;
        Ok((a, b, c))
    }

    /// Passes the rows of the answer to `read`, until it returns `false`.
    pub fn each<E: From<Error>>(
        &mut self,
        sql: Sql,
        params: &[Value<'_>],
        read: impl FnMut(&mut Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let call = self.call(sql, params)?;
        self.session.rows(call, read)
    }

    /// The first row of the answer, or none.
    pub fn first<T, E: From<Error>>(
        &mut self,
        sql: Sql,
        params: &[Value<'_>],
        read: impl FnOnce(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let call = self.call(sql, params)?;
        self.session.first(call, read)
    }

    /// Every row of an answer about shared tables, converted by `read`.
    pub fn global_all<T, E: From<Error>>(
        &mut self,
        sql: GlobalSql,
        params: &[Value<'_>],
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let mut rows = Vec::new();
        self.session.rows::<E>(shared_call(sql, params), |row| {
            rows.push(read(row)?);
            Ok(true)
        })?;
        Ok(rows)
    }

    /// The first row of an answer about shared tables, or none.
    pub fn global_first<T, E: From<Error>>(
        &mut self,
        sql: GlobalSql,
        params: &[Value<'_>],
        read: impl FnOnce(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.session.first(shared_call(sql, params), read)
    }

    /// The database clock's current time; none if the database has no clock of its own.
    pub fn clock(&mut self) -> Result<Option<Timestamp>> {
        self.session.clock()
    }

    /// Where the database is, in words that a copy of it does not have: the file's inode and when it was created, or the numbers
    /// that a server gave the database and one of its tables. It stays the same until the database moves.
    pub fn place(&mut self, table: &'static str) -> Result<String> {
        self.session.place(table)
    }

    /// Properties of the database's server and role, if it has a server.
    pub fn server(&mut self) -> Result<Option<ServerState>> {
        self.session.server()
    }

    /// The number of connections that other processes of this program have to the database's server, as far as
    /// the role can see; 0 without a server.
    pub fn others(&mut self) -> Result<usize> {
        self.session.others()
    }

    /// Faults in the database's structure; empty if it is sound. SQLite reads the whole file for this; PostgreSQL
    /// reports only what it already knows.
    pub fn faults(&mut self) -> Result<Vec<String>> {
        self.session.faults()
    }

    /// The work that the engine does for a statement, in engine-specific steps that grow with the rows
    /// examined. For tests.
    pub fn steps(&mut self, sql: Sql, params: &[Value<'_>]) -> Result<i32> {
        let call = self.call(sql, params)?;
        self.session.steps(call)
    }

    /// [`ReadTx::steps`] for a statement about shared tables.
    pub fn global_steps(&mut self, sql: GlobalSql, params: &[Value<'_>]) -> Result<i32> {
        self.session.steps(shared_call(sql, params))
    }

    /// The plan by which a statement runs with these values, one line per step. For tests.
    pub fn explain(&mut self, sql: Sql, params: &[Value<'_>]) -> Result<Vec<String>> {
        let call = self.call(sql, params)?;
        self.session.explain(call)
    }

    /// The plan of a statement for any values, one line per step. For tests.
    pub fn plan(&mut self, sql: &str, params: usize) -> Result<Vec<String>> {
        self.session.plan(sql, params)
    }
}

/// A callback that converts each row and collects the results in `rows`.
fn collect_into<T, E>(
    rows: &mut Vec<T>,
    mut read: impl FnMut(&mut Row<'_>) -> Result<T, E>,
) -> impl FnMut(&mut Row<'_>) -> Result<(), E> {
    move |row| read(row).map(|read| rows.push(read))
}

/// A statement about shared tables, with its parameters.
fn shared_call<'p>(sql: GlobalSql, params: &'p [Value<'p>]) -> SqlCall<'p> {
    SqlCall { text: sql.0, tenant: None, params }
}

impl<'c> WriteTx<'c> {
    pub(crate) fn new(session: Session<'c>, caller: Caller) -> Self {
        Self(ReadTx::new(session, caller))
    }

    /// Waits until the transaction is its tenant's only write. The next statement would wait too. Code that reads
    /// the clock calls this first, so that the time is not from before the wait.
    pub fn take_turn(&mut self) -> Result<()> {
        self.0.session.take_turn()
    }

    /// Runs a statement that writes; returns the number of rows it affected.
    pub fn execute(&mut self, sql: Sql, params: &[Value<'_>]) -> Result<usize> {
        let call = self.call(sql, params)?;
        self.0.session.execute(call)
    }

    /// Writes many rows, each with the same number of values. On SQLite the statement runs once for each row.
    /// On PostgreSQL it runs once, and each parameter is an array with the values of one column, for `unnest`.
    pub fn execute_each(&mut self, sql: Sql, rows: &[Vec<Value<'_>>]) -> Result<()> {
        let tenant = self.tenant()?;
        self.0.session.execute_each(sql.0, Some(tenant), rows)
    }

    /// [`WriteTx::execute_each`] for a statement about shared tables.
    pub fn global_execute_each(&mut self, sql: GlobalSql, rows: &[Vec<Value<'_>>]) -> Result<()> {
        self.0.session.execute_each(sql.0, None, rows)
    }

    /// Adds one row to a tenant's table whose key `n` the engine generates; returns that key.
    pub fn insert(&mut self, sql: Sql, params: &[Value<'_>]) -> Result<i64> {
        let call = self.call(sql, params)?;
        self.0.session.insert(call)
    }

    /// Runs a statement that writes shared tables; returns the number of rows it affected.
    pub fn global_execute(&mut self, sql: GlobalSql, params: &[Value<'_>]) -> Result<usize> {
        self.0.session.execute(shared_call(sql, params))
    }

    /// Runs a statement that removes expired rows of all tenants. Returns the rows of its RETURNING clause,
    /// converted by `read`. Only a sweep sees rows of more than one tenant.
    pub fn sweep<T, E: From<Error>>(
        &mut self,
        sql: GlobalSql,
        params: &[Value<'_>],
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let mut rows = Vec::new();
        self.0.session.sweep::<E>(shared_call(sql, params), |row| {
            rows.push(read(row)?);
            Ok(true)
        })?;
        Ok(rows)
    }

    /// Does a little of the merging of a full-text index whose many small parts make searches slow. Returns whether
    /// there was anything to merge. Not needed on PostgreSQL, which merges its indexes itself.
    pub fn merge_index(&mut self, index: &'static str) -> Result<bool> {
        self.0.session.merge_index(index)
    }

    /// Marks that another database is being copied into this one, which cannot be opened until
    /// [`WriteTx::end_copy`].
    pub fn begin_copy(&mut self) -> Result<()> {
        self.global_execute(BEGIN_COPY, &[]).map(drop)
    }

    /// Updates the planner's statistics, and marks the database as complete, so that it can be opened.
    pub fn end_copy(&mut self) -> Result<()> {
        self.0.session.gather_statistics()?;
        self.global_execute(END_COPY, &[]).map(drop)
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;
    fn deref(&self) -> &ReadTx<'c> {
        &self.0
    }
}

impl DerefMut for WriteTx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

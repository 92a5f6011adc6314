//! One worker's connection, which is reopened after a loss, and the transaction of the job that runs on it.
//!
//! What a job needs besides its statements (BEGIN, its time limit, its tenant) is queued in [`Work`] and sent
//! in one round trip with the next statement. The thread's own runtime sends and receives messages only while a
//! job waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow, Statement};

use super::commit::number;
use super::error::Failure;
use super::link::Link;
use super::server::{Incarnation, Server};
use super::statement::{BoundStatement, Ready, Text};
use super::work::{Before, Planning, Stage, TxMode, Work};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::row::{Row, Source, Value};
use crate::session::SqlCall;
use crate::tx::{Earlier, Tenant};

/// Updates the statistics of this role's tables. A bare ANALYZE would log a warning for each other table.
const ANALYZE_OWN: &str = "DO $$ DECLARE own regclass; BEGIN \
    FOR own IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relowner = current_user::regrole \
    LOOP EXECUTE 'ANALYZE ' || own; END LOOP; END $$";

/// The time limit for a ROLLBACK, for which no caller waits.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5);

/// All rows of a result.
pub(crate) type Rows = Vec<tokio_postgres::Row>;

/// A worker's connection.
pub(crate) struct Connection {
    server: Arc<Server>,
    runtime: Runtime,
    link: Option<Link>,
    /// The running job's caller, while the job may be cancelled.
    pub(super) caller: Option<Caller>,
    pub(super) work: Work,
}

impl Connection {
    /// A connection that is not yet opened.
    pub(super) fn new(server: Arc<Server>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            server,
            runtime,
            link: None,
            caller: None,
            work: Work::new(TxMode::Read, Instant::now(), Before::Nothing),
        })
    }

    /// Opens the connection if it is not open.
    pub(super) fn open(&mut self, deadline: Instant) -> Result<(), Failure> {
        if self.link.as_ref().is_some_and(|link| !link.is_closed()) {
            return Ok(());
        }
        self.cut();
        let connect =
            async { tokio::time::timeout_at(deadline.into(), self.server.connect()).await };
        let outcome = self.runtime.block_on(connect).map_err(|_| Failure::Deadline)?;
        self.server.log_reachability(outcome.as_ref().err());
        self.link = Some(Link::new(outcome?));
        self.work.on_new_connection();
        Ok(())
    }

    /// Ensures that there is a connection for the job's next round trip. Fails if the transaction has begun and
    /// its connection is lost: on a new connection the job would see another snapshot, and no tenant.
    fn ensure_open(&mut self) -> Result<(), Failure> {
        if self.work.stage != Stage::Begun {
            return self.open(self.work.deadline);
        }
        match &self.link {
            Some(link) if !link.is_closed() => Ok(()),
            _ => {
                self.cut();
                Err(Failure::connection_lost())
            }
        }
    }

    /// The server to which the connection leads, even if it is lost.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// The server's incarnation when this connection was opened.
    pub(super) fn incarnation(&self) -> Option<&Incarnation> {
        self.link.as_ref().map(Link::incarnation)
    }

    /// Whether there is a connection that is not known to be lost.
    pub(super) fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    /// Begins the transaction of a job. Nothing is sent before the job's first statement. A transaction that is
    /// still open ends in the same round trip.
    pub(super) fn begin(&mut self, mode: TxMode, caller: &Caller) {
        let before = if self.is_linked() { self.work.left_open() } else { Before::Nothing };
        self.work = Work::new(mode, caller.deadline(), before);
        self.caller = Some(caller.clone());
    }

    /// Why the transaction cannot be committed, if it cannot.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.work.failure.as_ref()
    }

    /// Binds the transaction to a tenant, in the round trip of the next statement.
    pub(crate) fn bind(&mut self, tenant: Tenant) -> Earlier {
        self.work.bind(tenant)
    }

    /// Sends what is queued before the next statement, including the tenant's lock.
    pub(crate) fn take_turn(&mut self) -> Result<()> {
        if !self.work.has_queued() {
            return Ok(());
        }
        self.ask(&[], async |_, _| Ok(()))
    }

    /// Runs a writing statement; returns the number of rows it affected.
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<usize> {
        let statements = [BoundStatement::new(Text::plain(sql), tenant, params)];
        let affected = self.ask(&statements, async |client, ready| {
            client.execute(&ready[0].statement, &ready[0].params).await
        })?;
        Ok(usize::try_from(affected).unwrap_or(usize::MAX))
    }

    /// Runs a writing statement whose parameters are arrays of the rows' values, in one round trip.
    pub(crate) fn execute_each(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        rows: &[Vec<Value<'_>>],
    ) -> Result<()> {
        let statements = [BoundStatement::for_rows(Text::plain(sql), tenant, rows)];
        self.ask(&statements, async |client, ready| {
            client.execute(&ready[0].statement, &ready[0].params).await.map(drop)
        })
    }

    /// Runs a writing statement for which, unlike all others, the tables' sweep policies apply: it sees the
    /// expired rows of all tenants.
    pub(crate) fn sweep<E: From<Error>>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        read: impl FnMut(&mut Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.work.allow_sweep();
        let outcome = self.rows(sql, None, params, read);
        self.work.forbid_sweep();
        outcome
    }

    /// Adds a row; returns its key `n`, which the server generated.
    pub(crate) fn insert(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<i64> {
        let text = Text { after: " RETURNING n", ..Text::plain(sql) };
        let keys = self.query(text, tenant, params)?;
        let row = keys.first().ok_or(Error::NoRow)?;
        Row::new(Source::Postgres(row)).take()
    }

    /// Reads rows until there are no more or `read` returns `false`.
    pub(crate) fn rows<E: From<Error>>(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
        mut read: impl FnMut(&mut Row<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        for row in &self.query(Text::plain(sql), tenant, params)? {
            if !read(&mut Row::new(Source::Postgres(row)))? {
                break;
            }
        }
        Ok(())
    }

    /// Reads the first row, if there is one.
    pub(crate) fn first<T, E: From<Error>>(
        &mut self,
        sql: &'static str,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
        read: impl FnOnce(&mut Row<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        let rows = self.query(Text::plain(sql), tenant, params)?;
        rows.first().map(|row| read(&mut Row::new(Source::Postgres(row)))).transpose()
    }

    /// Runs a statement; returns all its rows.
    pub(super) fn query(
        &mut self,
        text: Text,
        tenant: Option<Tenant>,
        params: &[Value<'_>],
    ) -> Result<Rows> {
        self.ask(&[BoundStatement::new(text, tenant, params)], async |client, ready| {
            query(client, &ready[0]).await
        })
    }

    /// Runs three statements in one round trip; returns all their rows.
    pub(crate) fn pipelined(&mut self, calls: [SqlCall<'_>; 3]) -> Result<[Rows; 3]> {
        let statements = calls.map(|call| {
            BoundStatement::new(Text::plain(call.text.postgres), call.tenant, call.params)
        });
        self.ask(&statements, async |client, ready| {
            let (first, second, third) = tokio::join!(
                biased;
                query(client, &ready[0]), query(client, &ready[1]), query(client, &ready[2])
            );
            Ok([first?, second?, third?])
        })
    }

    /// Runs statements in one round trip, and remembers a failure: PostgreSQL rolls back a transaction in which
    /// a statement has failed, so a job that continues must fail too.
    fn ask<T>(
        &mut self,
        statements: &[BoundStatement<'_>],
        send: impl AsyncFn(&Client, &[Ready<'_>]) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        if let Some(failure) = &self.work.failure {
            return Err(failure.clone().into());
        }
        let had_link = self.link.is_some();
        let mut outcome = self.attempt(statements, &send);
        if matches!(outcome, Err(Failure::Lost(_))) && had_link && self.work.stage != Stage::Begun {
            // The connection was lost while idle. The job has read nothing yet, so it can use a new one.
            outcome = self.attempt(statements, &send);
        }
        outcome.map_err(|failure| self.fail(failure))
    }

    /// Remembers a failure, and returns it as the job's error.
    fn fail(&mut self, failure: Failure) -> Error {
        self.work.failure = Some(failure.clone());
        failure.into()
    }

    fn attempt<T>(
        &mut self,
        statements: &[BoundStatement<'_>],
        send: &impl AsyncFn(&Client, &[Ready<'_>]) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        self.ensure_open()?;
        let writes = self.work.mode == TxMode::Write
            && statements.iter().any(|statement| statement.text.is_writing());
        if writes {
            self.work.lock_without_tenant();
        }
        let is_custom =
            |statement: &BoundStatement<'_>| statement.text.planning() == Planning::Custom;
        self.work.plan(if statements.iter().any(is_custom) {
            Planning::Custom
        } else {
            Planning::Auto
        });
        let ready: Vec<_> = statements
            .iter()
            .map(|statement| statement.ready(self.prepared(statement.text)?))
            .collect::<Result<_, _>>()?;
        if !writes || self.work.number.is_some() {
            return self.round_trip(async |client| send(client, &ready).await);
        }
        let (answer, number) = self.round_trip(async |client| {
            let (answer, number) = tokio::join!(biased; send(client, &ready), number(client));
            Ok((answer?, number?))
        })?;
        self.work.number = number;
        Ok(answer)
    }

    /// The statement, prepared on this connection.
    fn prepared(&mut self, text: Text) -> Result<Statement, Failure> {
        if let Some(statement) = self.link.as_ref().and_then(|link| link.prepared(text)) {
            return Ok(statement.clone());
        }
        let whole = text.to_string();
        let statement = self.round_trip(async |client| client.prepare(&whole).await)?;
        if let Some(link) = &mut self.link {
            link.keep(text, statement.clone());
        }
        Ok(statement)
    }

    /// Updates the planner's statistics now; autovacuum would do so only minutes after many writes.
    pub(crate) fn gather_statistics(&mut self) -> Result<()> {
        self.script_in_job(ANALYZE_OWN).map(drop)
    }

    /// Runs one of the engine's own scripts inside the job's transaction; returns all rows of its statements.
    pub(super) fn script_in_job(&mut self, script: &str) -> Result<Vec<SimpleQueryRow>> {
        if let Some(failure) = &self.work.failure {
            return Err(failure.clone().into());
        }
        let outcome = self
            .ensure_open()
            .and_then(|()| self.round_trip(async |client| client.simple_query(script).await));
        match outcome {
            Ok(answers) => Ok(answers.into_iter().filter_map(row).collect()),
            Err(failure) => Err(self.fail(failure)),
        }
    }

    /// Sends what is queued and what `send` sends, and waits for the answers to both.
    pub(super) fn round_trip<T>(
        &mut self,
        send: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Failure> {
        let prefix = self.work.prefix()?;
        let Some(link) = &self.link else { return Err(Failure::connection_lost()) };
        let client = link.client();
        let both = async {
            if prefix.is_empty() {
                return send(client).await;
            }
            let (begun, answer) = tokio::join!(biased; client.batch_execute(&prefix), send(client));
            // If the queued statements failed, `send` failed because of them.
            begun.and(answer)
        };
        let wait = async {
            tokio::select! {
                biased;
                outcome = tokio::time::timeout_at(self.work.deadline.into(), both) => match outcome {
                    Ok(outcome) => outcome.map_err(Failure::from),
                    Err(_) => Err(Failure::Deadline),
                },
                () = gone(self.caller.as_ref()) => {
                    self.server.cancel(client).await;
                    Err(Failure::Deadline)
                }
            }
        };
        let outcome = self.runtime.block_on(wait);
        match &outcome {
            Ok(_) => self.work.acknowledged(),
            // Answers that still arrive on this connection would belong to no job.
            Err(failure) if failure.is_lost() => self.cut(),
            Err(failure) if failure.is_stale_statement() => {
                if let Some(link) = &mut self.link {
                    link.forget_statements();
                }
            }
            Err(_) => {}
        }
        outcome
    }

    /// Rolls back the transaction, if one is open. No caller waits for this.
    pub(super) fn end(&mut self) {
        self.caller = None;
        let was_open = self.work.is_open();
        self.work = Work::new(TxMode::Read, Instant::now(), Before::Nothing);
        let Some(link) = self.link.as_ref().filter(|_| was_open) else { return };
        let rollback = link.client().batch_execute("ROLLBACK");
        let ended =
            self.runtime.block_on(async { tokio::time::timeout(ROLLBACK_TIMEOUT, rollback).await });
        if !matches!(ended, Ok(Ok(()))) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if let Some(link) = self.link.take() {
            link.cut(&self.runtime);
        }
    }

    /// Runs one of the engine's own scripts outside any job's transaction, within a deadline if there is one;
    /// returns all rows of its statements.
    pub(super) fn script(
        &mut self,
        sql: &str,
        deadline: Option<Instant>,
    ) -> Result<Vec<SimpleQueryRow>, Failure> {
        let Some(link) = &self.link else { return Err(Failure::connection_lost()) };
        let query = link.client().simple_query(sql);
        let received = match deadline {
            None => Ok(self.runtime.block_on(query)),
            Some(at) => {
                self.runtime.block_on(async { tokio::time::timeout_at(at.into(), query).await })
            }
        };
        let outcome = match received {
            Ok(outcome) => outcome.map_err(Failure::from),
            Err(_) => Err(Failure::Deadline),
        };
        if outcome.as_ref().is_err_and(Failure::is_lost) {
            self.cut();
        }
        Ok(outcome?.into_iter().filter_map(row).collect())
    }

    /// Closes the connection properly.
    pub(super) fn close(mut self) {
        if let Some(link) = self.link.take() {
            link.close(&self.runtime);
        }
    }
}

/// Waits until the caller has gone; forever if there is no caller.
async fn gone(caller: Option<&Caller>) {
    match caller {
        Some(caller) => caller.gone().await,
        None => std::future::pending().await,
    }
}

async fn query(client: &Client, ready: &Ready<'_>) -> Result<Rows, tokio_postgres::Error> {
    client.query(&ready.statement, &ready.params).await
}

/// The row in a message of the server; `None` for any other message.
pub(super) fn row(message: SimpleQueryMessage) -> Option<SimpleQueryRow> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }
}

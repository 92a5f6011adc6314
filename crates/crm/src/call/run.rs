//! The only way to run a tool, for MCP, pages, the command line, the demo, tests and benchmarks.
//!
//! Every call reads the caller's rights, binds the caller's tenant (and locks it, for writes on PostgreSQL),
//! checks the scope and the actor, then runs the tool. All of this is one transaction, which commits or rolls
//! back as one.
//!
//! [`Runner`] runs each call as jobs of its own. Code that already has a transaction uses [`read`] and
//! [`write()`] for JSON, or [`query`], [`list`] and [`command`] for the tool's own types.

use std::sync::atomic::Ordering;
use std::time::Instant;

use zoop_db::{Db, ReadTx, Reply, WriteTx};

use crate::call::access::Access;
use crate::call::answer::Page;
use crate::call::argument::{self, Arguments, Json, Object, ParseContext};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{ToolDef, ToolKind};
use crate::call::error::{Error, Result};
use crate::call::idempotency;
use crate::call::page;
use crate::call::pending::{Pending, Work};
use crate::call::perform::{self, CommandCall, Prepared};
use crate::call::proof::{Proof, enter_read, enter_write};
use crate::call::tool::{Command, List, Query, Replay, Step};
pub use crate::call::typed_write::Ran;
use crate::call::typed_write::{TypedWrite, prepare_command};
use crate::values::clock::Environment;

/// Runs a tool that reads. Returns the answer as JSON.
///
/// # Errors
/// The call is rejected or fails. [`Error::Internal`] if the tool writes.
pub fn read<P: Proof>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
    tool: &ToolDef,
    arguments: &str,
) -> Result<String, P::Refusal> {
    let access = enter_read(tx, environment, proof)?;
    Ok(read_as(tx, environment, &access, tool, arguments)?)
}

fn read_as(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    access: &Access,
    tool: &ToolDef,
    arguments: &str,
) -> Result<String> {
    authorize(access, tool)?;
    let ToolKind::Query { run, .. } = tool.kind else {
        return Err(Error::internal(format!("{} writes; it was run as a read", tool.name)));
    };
    let object = parse(arguments, environment, tool)?;
    run(&mut ReadCtx::new(tx, access, environment), object)
}

/// Runs a tool that writes. Returns the answer as JSON. `header_key` is the `Idempotency-Key` header.
///
/// # Errors
/// The call is rejected or fails. [`Error::Internal`] if the tool reads.
pub fn write<P: Proof>(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    proof: &P,
    tool: &'static ToolDef,
    arguments: &str,
    header_key: Option<&str>,
) -> Result<String, P::Refusal> {
    let access = enter_write(tx, environment, proof)?;
    let prepared = prepare(tx, environment, &access, tool, arguments, header_key)?;
    loop {
        if let Step::Done(answer) = prepared.run(tx, environment, &access)? {
            return Ok(answer);
        }
    }
}

/// A write whose arguments are valid for its caller.
struct PreparedWrite {
    tool: &'static ToolDef,
    /// The context in which the arguments were parsed.
    context: ParseContext,
    command: Box<dyn Prepared>,
}

/// Runs all checks of a write that need no writing, and parses its arguments.
fn prepare(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    access: &Access,
    tool: &'static ToolDef,
    arguments: &str,
    header_key: Option<&str>,
) -> Result<PreparedWrite> {
    authorize(access, tool)?;
    let ToolKind::Command { prepare, .. } = tool.kind else {
        return Err(Error::internal(format!("{} reads; it was run as a write", tool.name)));
    };
    let mut arguments = parse(arguments, environment, tool)?;
    let key = idempotency::take_key(&mut arguments, header_key);
    let context = perform::parse_context(access);
    let mut ctx = ReadCtx::new(tx, access, environment);
    let command = prepare(&mut ctx, CommandCall { arguments, key })?;
    Ok(PreparedWrite { tool, context, command })
}

impl PreparedWrite {
    /// Whether the arguments would be parsed in the same context now: the tenant's country may have changed.
    fn is_current_for(&self, access: &Access) -> bool {
        self.context == perform::parse_context(access)
    }

    /// Runs the write, or its next part, for a caller whose rights were read in the write's own transaction.
    fn run(
        &self,
        tx: &mut WriteTx<'_>,
        environment: &Environment,
        access: &Access,
    ) -> Result<Step<String>> {
        authorize(access, self.tool)?;
        self.command.run(&mut WriteCtx::begin(tx, access, environment)?)
    }
}

/// Runs a query in the tool's own types.
///
/// # Errors
/// The call is rejected or fails.
pub fn query<T: Query, P: Proof>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
    arguments: Arguments<T>,
) -> Result<T::Output, P::Refusal> {
    let access = enter_read(tx, environment, proof)?;
    authorize(&access, const { &ToolDef::query::<T>() })?;
    let mut ctx = ReadCtx::new(tx, &access, environment);
    Ok(perform::query::<T>(&mut ctx, arguments.into_object())?)
}

/// Reads a page of a list in the list's own types.
///
/// # Errors
/// The call is rejected or fails.
pub fn list<T: List, P: Proof>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
    arguments: Arguments<T>,
) -> Result<Page<T::Row>, P::Refusal> {
    let access = enter_read(tx, environment, proof)?;
    authorize(&access, const { &ToolDef::list::<T>() })?;
    let mut ctx = ReadCtx::new(tx, &access, environment);
    Ok(page::list::<T>(&mut ctx, arguments.into_object())?)
}

/// Runs a command in the tool's own types.
///
/// # Errors
/// The call is rejected or fails. A caller who may get only a receipt is rejected: only a JSON answer can be
/// reduced to a receipt.
pub fn command<T: Command, P: Proof>(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    proof: &P,
    arguments: Arguments<T>,
) -> Result<T::Output, P::Refusal> {
    let access = enter_write(tx, environment, proof)?;
    let ready = prepare_command::<T>(tx, environment, &access, arguments, None)?;
    loop {
        let step = ready.run_typed(&mut WriteCtx::begin(tx, &access, environment)?)?;
        if let Step::Done(output) = step {
            return Ok(output);
        }
    }
}

/// Checks a command as far as that needs no writing: the rights, and the arguments by themselves. Returns whether it is
/// a retry of a call that was answered.
///
/// # Errors
/// The command would be rejected.
pub fn check_once<T: Command, P: Proof>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    proof: &P,
    key: &str,
    arguments: Arguments<T>,
) -> Result<bool, P::Refusal> {
    let access = enter_read(tx, environment, proof)?;
    let ready = prepare_command::<T>(tx, environment, &access, arguments, Some(key))?;
    Ok(ready.is_retry(&mut ReadCtx::new(tx, &access, environment))?)
}

/// Runs calls as jobs of a database. A call that reads is one job. A call that writes is first prepared in a
/// read, so that parsing its arguments does not hold up other writes, and so that a call that is rejected
/// there never reaches the writer.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// The database.
    pub db: &'a Db,
    /// Clock, randomness and limits.
    pub environment: &'a Environment,
    /// The time at which the caller stops waiting.
    pub deadline: Instant,
}

impl<'a> Runner<'a> {
    /// Runs any tool. Returns the answer as JSON. `header_key` is the `Idempotency-Key` header.
    pub fn call<P>(
        &self,
        proof: P,
        tool: &'static ToolDef,
        arguments: String,
        header_key: Option<String>,
    ) -> Pending<'a, String, P::Refusal>
    where
        P: Proof<Refusal: Send> + Send + 'static,
    {
        let environment = self.environment.clone();
        if tool.is_read_only() {
            let read = move |tx: &mut ReadTx<'_>| read(tx, &environment, &proof, tool, &arguments);
            return Pending::running(self.db.read(self.deadline, read));
        }
        let preparing = self.db.read_before_write(self.deadline, move |tx| {
            let access = enter_read(tx, &environment, &proof)?;
            let key = header_key.as_deref();
            let mut prepared = prepare(tx, &environment, &access, tool, &arguments, key)?;
            let work: Work<String, P::Refusal> = Box::new(move |tx| {
                let access = enter_write(tx, &environment, &proof)?;
                if !prepared.is_current_for(&access) {
                    let key = header_key.as_deref();
                    prepared = prepare(tx, &environment, &access, tool, &arguments, key)?;
                }
                Ok(prepared.run(tx, &environment, &access)?)
            });
            Ok(work)
        });
        Pending::preparing(self.db, self.deadline, preparing)
    }

    /// Runs a query.
    pub fn query<T, P>(&self, proof: P, arguments: Arguments<T>) -> Reply<T::Output, P::Refusal>
    where
        T: Query<Output: Send>,
        P: Proof<Refusal: Send> + Send + 'static,
    {
        let environment = self.environment.clone();
        self.db.read(self.deadline, move |tx| query(tx, &environment, &proof, arguments))
    }

    /// Reads a page of a list.
    pub fn list<T, P>(&self, proof: P, arguments: Arguments<T>) -> Reply<Page<T::Row>, P::Refusal>
    where
        T: List<Row: Send>,
        P: Proof<Refusal: Send> + Send + 'static,
    {
        let environment = self.environment.clone();
        self.db.read(self.deadline, move |tx| list(tx, &environment, &proof, arguments))
    }

    /// Runs a command.
    pub fn command<T, P>(
        &self,
        proof: P,
        arguments: Arguments<T>,
    ) -> Pending<'a, Ran<T::Output>, P::Refusal>
    where
        T: Command<Output: Send>,
        P: Proof<Refusal: Send> + Send + 'static,
    {
        self.write(proof, arguments, None, |write, tx| write.run(tx))
    }

    /// Runs a command with an idempotency key: a retry with the same key writes nothing and gets the record that the
    /// first call wrote, as it is now. Only for commands whose answer can be read again.
    pub fn command_once<T, P>(
        &self,
        proof: P,
        key: String,
        arguments: Arguments<T>,
    ) -> Pending<'a, Ran<T::Output>, P::Refusal>
    where
        T: Command<Output: Send>,
        P: Proof<Refusal: Send> + Send + 'static,
    {
        const { assert!(!matches!(T::REPLAY, Replay::Kept), "the answer cannot be read again") };
        self.write(proof, arguments, Some(key), |write, tx| write.run(tx))
    }

    /// Runs a command whose answer has a secret, with an idempotency key: a retry with the same key writes nothing, and
    /// its answer is `None`, because a secret is shown once and not stored.
    pub fn command_first<T, P>(
        &self,
        proof: P,
        key: String,
        arguments: Arguments<T>,
    ) -> Pending<'a, Option<T::Output>, P::Refusal>
    where
        T: Command<Output: Send>,
        P: Proof<Refusal: Send> + Send + 'static,
    {
        const { assert!(matches!(T::REPLAY, Replay::Kept), "the answer can be read again") };
        self.write(proof, arguments, Some(key), |write, tx| write.run_first(tx))
    }

    /// Runs a command, unless what a query answers in the same transaction is not as expected: another write came in
    /// between. Then nothing is written, and the answer is `None`.
    pub fn command_if<T, Q, P>(
        &self,
        proof: P,
        arguments: Arguments<T>,
        query: Arguments<Q>,
        is_expected: impl Fn(&Q::Output) -> bool + Send + 'static,
    ) -> Pending<'a, Option<Ran<T::Output>>, P::Refusal>
    where
        T: Command<Output: Send>,
        Q: Query + 'static,
        P: Proof<Refusal: Send> + Send + 'static,
    {
        self.write(proof, arguments, None, move |write, tx| {
            write.run_if(tx, query.clone(), &is_expected)
        })
    }

    /// Prepares a command in a read, and then runs it with `run`.
    fn write<T, P, R>(
        &self,
        proof: P,
        arguments: Arguments<T>,
        key: Option<String>,
        run: impl Fn(&mut TypedWrite<T, P>, &mut WriteTx<'_>) -> Result<Step<R>, P::Refusal>
        + Send
        + 'static,
    ) -> Pending<'a, R, P::Refusal>
    where
        T: Command,
        P: Proof<Refusal: Send> + Send + 'static,
        R: Send + 'static,
    {
        let environment = self.environment.clone();
        let preparing = self.db.read_before_write(self.deadline, move |tx| {
            let access = enter_read(tx, &environment, &proof)?;
            let mut write = TypedWrite::prepare(tx, &access, environment, proof, arguments, key)?;
            let work: Work<R, P::Refusal> = Box::new(move |tx| run(&mut write, tx));
            Ok(work)
        });
        Pending::preparing(self.db, self.deadline, preparing)
    }
}

/// Parses the arguments. Drops the fields that clients add on their own, and counts the dropped fields.
fn parse(arguments: &str, environment: &Environment, tool: &ToolDef) -> Result<Object> {
    let mut object = argument::parse_object(arguments)?;
    let sent = object.len();
    object.retain(|(name, value)| !is_added_by_client(name, value, tool));
    let dropped = u64::try_from(sent - object.len()).unwrap_or(0);
    environment.dropped_client_keys.fetch_add(dropped, Ordering::Relaxed);
    Ok(object)
}

/// Whether a client added the field on its own. A tool may have a field of such a name; then only the value that
/// clients add is dropped: the name of the tool that is called, sometimes with other separators and a prefix.
fn is_added_by_client(name: &str, value: &Json, tool: &ToolDef) -> bool {
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let is_own_name = |value: &Json| match value {
        Json::Text(text) => letters(text).ends_with(&letters(tool.name)),
        _ => false,
    };
    argument::CLIENT_ADDED_KEYS.contains(&name)
        && (is_own_name(value) || tool.fields().iter().all(|field| field.name != name))
}

/// Checks the scope first, then the actor rule.
pub(crate) fn authorize(access: &Access, tool: &ToolDef) -> Result<()> {
    access.require(tool.scope)?;
    if !tool.actor.allows(access.actor) {
        return Err(tool.actor.refusal(access.actor, tool.name));
    }
    Ok(())
}
